import type { TSchema } from 'typebox'

/**
 * What a listener says of its routes: each request and each answer as JSON Schema. A role describes its own; whoever serves the
 * description knows nothing of roles. Everything here is made when it is asked for, and held by nobody.
 */
export interface Api {
  /** The role, in small letters: the tag of its operations. */
  readonly name: string
  readonly description: string
  /** Base URLs under which the operations are reached; `/` where that is the listener which serves the description. */
  readonly servers: readonly string[]
  /** Ways to prove something, in the form of OpenAPI 3.1, by name. */
  readonly securitySchemes: Readonly<Record<string, object>>
  /** What operations refer to by `Type.Ref(name)`. */
  readonly schemas: Readonly<Record<string, TSchema>>
  readonly operations: readonly ApiOperation[]
}

export interface ApiOperation {
  /** Unique within all that one process describes. */
  readonly id: string
  readonly method: 'get' | 'post' | 'delete'
  /** With variables as in `/t/{tenant}`. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** Alternatives; the empty one says that nothing needs to be shown. Names of schemes, without scopes. */
  readonly security: readonly (readonly string[])[]
  readonly parameters: readonly ApiParameter[]
  readonly body?: ApiBody
  /** By status, or `default` for whatever is passed on from elsewhere. */
  readonly answers: ApiAnswers
}

export interface ApiParameter extends ApiHeader {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
}

export interface ApiHeader {
  readonly description: string
  readonly schema: TSchema
}

export interface ApiBody {
  readonly description: string
  readonly required: boolean
  /** By media type. */
  readonly content: Readonly<Record<string, TSchema>>
}

export type ApiAnswers = Readonly<Record<string, ApiAnswer>>

export interface ApiAnswer {
  readonly description: string
  /** By name as it is written, such as `Retry-After`. */
  readonly headers: Readonly<Record<string, ApiHeader>>
  /** By media type; empty where there is no body. */
  readonly content: Readonly<Record<string, TSchema>>
}
