import { Errors } from 'typebox/schema'

export type Json = Readonly<Record<string, unknown>>

export interface Response {
  readonly description: string
  readonly headers?: Readonly<Record<string, { readonly schema: Json }>>
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly servers?: readonly { readonly url: string }[]
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly description: string
    readonly schema: Json
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Json }>> }
  /** By status, as references. */
  readonly responses: Readonly<Record<string, { readonly $ref: string }>>
}

export interface OpenApi {
  readonly openapi: string
  readonly info: Json
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly responses: Readonly<Record<string, Response>>
    readonly schemas: Readonly<Record<string, Json>>
    readonly securitySchemes: Readonly<Record<string, Json>>
  }
}

export interface SeenAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** Headers of HTTP itself, and those that say nothing of an operation in particular. */
const unspoken = new Set([
  'access-control-expose-headers',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'pragma',
  'transfer-encoding',
])

/** A description as somebody uses it who has nothing but the document. */
export class Contract {
  readonly document: OpenApi

  constructor(text: string) {
    this.document = JSON.parse(text) as OpenApi
  }

  get operations(): readonly {
    readonly method: string
    readonly path: string
    readonly operation: Operation
  }[] {
    return Object.entries(this.document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
    )
  }

  /** What is wrong with an answer to a request; a path is found by its template, the most literal one first. */
  faultsOf(method: string, url: string, answer: SeenAnswer): readonly string[] {
    const operation = this.find(method, url)
    if (!operation) return [`${method} ${url} is not described`]
    const { [String(answer.status)]: exact, default: other } = this.responsesOf(operation)
    const response = exact ?? other
    if (!response) return [`status ${String(answer.status)} is not described`]
    return [...this.#headerFaults(response, answer), ...this.#bodyFaults(response, answer)]
  }

  responsesOf({ responses }: Operation): Readonly<Record<string, Response>> {
    const known = this.document.components.responses
    return Object.fromEntries(
      Object.entries(responses).flatMap(([status, { $ref }]) => {
        const response = known[$ref.split('/').at(-1) ?? '']
        return response ? [[status, response]] : []
      }),
    )
  }

  /** What is wrong with a body of a request, given as the members that it has. */
  requestFaults(method: string, url: string, type: string, body: Json): readonly string[] {
    const schema = this.find(method, url)?.requestBody?.content[type]?.schema
    return schema ? this.schemaFaults(schema, body) : ['no such body is described']
  }

  find(method: string, url: string): Operation | undefined {
    const [path = ''] = url.split('?')
    const literal = (template: string) => template.split('{').length
    const template = Object.keys(this.document.paths)
      .filter((each) => patternOf(each).test(path))
      .toSorted((one, other) => literal(one) - literal(other))[0]
    return template === undefined
      ? undefined
      : this.document.paths[template]?.[method.toLowerCase()]
  }

  schemaFaults(schema: Json, value: unknown): readonly string[] {
    const [good, errors] = Errors({ ...schema, components: this.document.components }, value)
    return good ? [] : errors.map(({ instancePath, message }) => `${instancePath} ${message}`)
  }

  #headerFaults({ headers = {} }: Response, answer: SeenAnswer): readonly string[] {
    const described = new Map(
      Object.entries(headers).map(([name, { schema }]) => [name.toLowerCase(), schema]),
    )
    return Object.entries(answer.headers).flatMap(([name, value]) => {
      if (unspoken.has(name)) return []
      const schema = described.get(name)
      if (!schema) return [`the header ${name} is not described`]
      const read = schema['type'] === 'integer' ? Number(value) : value
      return this.schemaFaults(schema, read).map((fault) => `${name}: ${fault}`)
    })
  }

  #bodyFaults({ content = {} }: Response, { headers, text }: SeenAnswer): readonly string[] {
    if (Object.keys(content).length === 0) return text === '' ? [] : ['a body is not described']
    const type = String(headers['content-type'] ?? '')
    const schema = (content[type] ?? content[type.split(';')[0] ?? ''] ?? content['*/*'])?.schema
    if (!schema) return [`the media type ${type} is not described`]
    const json = type.startsWith('application/json')
    return this.schemaFaults(schema, json ? (JSON.parse(text) as unknown) : text)
  }
}

/** A variable called `path` is the rest, slashes and all. */
function patternOf(template: string): RegExp {
  const steps = template
    .split('/')
    .map((step) =>
      step === '{path}' ? '.+' : step.startsWith('{') ? '[^/]+' : RegExp.escape(step),
    )
  return new RegExp(`^${steps.join('/')}$`)
}

/** The members of a form, as a description speaks of them: several of one name are an array. */
export function membersOf(form: string): Json {
  const members = new Map<string, string | readonly string[]>()
  for (const [name, value] of new URLSearchParams(form)) {
    const before = members.get(name)
    members.set(name, before === undefined ? value : [before, value].flat())
  }
  return Object.fromEntries(members)
}
