import Type, { type TProperties, type TSchema } from 'typebox'
import {
  audienceSchema,
  bodyOf,
  oneOrMore,
  resourceSchema,
  scopeSchema,
} from '../../oauth/schemas.ts'
import type { ApiAnswer, ApiOperation, ApiParameter } from '../../platform/api.ts'
import type { Wish } from '../wish.ts'
import { noStore, type Refusals } from './errors.ts'

interface Field {
  readonly name: string
  readonly schema: TSchema
  readonly repeatable?: true
  /** What JSON may have in place of the text. */
  readonly inJson?: TSchema
}

const SECONDS = 'Seconds that the token must still be good for, in decimal digits.'

/** The parameters of a token request. What a wish can hold is here, or this does not compile. */
function fields(): readonly Field[] {
  const all: Readonly<Record<Exclude<keyof Wish, symbol>, Field>> = {
    audiences: {
      name: 'audience',
      schema: audienceSchema(
        'Logical name of a service that the token is for (RFC 8693 section 2.1).',
      ),
      repeatable: true,
    },
    resources: {
      name: 'resource',
      schema: resourceSchema(
        'Absolute URI, without a fragment, of a service that the token is for (RFC 8707).',
      ),
      repeatable: true,
    },
    scope: {
      name: 'scope',
      schema: scopeSchema(
        'Scopes, with one space between two of them. Absent: all that the workload may have.',
      ),
    },
    minTtl: {
      name: 'min_ttl',
      schema: Type.String({ pattern: '^[0-9]{1,6}$', description: SECONDS }),
      inJson: Type.Integer({ minimum: 0, maximum: 999_999 }),
    },
    agent: {
      name: 'agent',
      schema: Type.String({
        maxLength: 255,
        description: 'Client id of the agent, where the workload may be several.',
      }),
    },
  }
  // Here an empty value is refused, where the parsers of values take it for none.
  return Object.values(all).map((field) => ({
    ...field,
    schema: { ...field.schema, minLength: 1 },
  }))
}

export function tokenParameters(): readonly ApiParameter[] {
  return fields().map(({ name, schema, repeatable }) => ({
    name,
    in: 'query',
    required: false,
    description: String((schema as { readonly description?: string }).description),
    schema: repeatable ? Type.Array(schema) : schema,
  }))
}

/** The same as a form or as JSON, where one value of several is a string or an array. Names that are not here are refused. */
export function tokenRequest(): TSchema {
  const properties: TProperties = {}
  for (const { name, schema, repeatable, inJson } of fields()) {
    const one = inJson ? Type.Union([schema, inJson], { description: SECONDS }) : schema
    properties[name] = Type.Optional(repeatable ? oneOrMore(schema) : one)
  }
  return Type.Object(properties, {
    additionalProperties: false,
    description: 'Which token is wanted.',
  })
}

/** RFC 6749 section 5.1. */
export function tokenAnswer(): TSchema {
  return Type.Object(
    {
      access_token: Type.String({ minLength: 1, description: 'The token.' }),
      token_type: Type.Literal('Bearer', { description: 'How it is used (RFC 6750).' }),
      expires_in: Type.Integer({ minimum: 0, description: 'Seconds that are left of it now.' }),
      scope: Type.String({ description: 'The scopes that it has; may be empty.' }),
    },
    { additionalProperties: false, description: 'An access token of the workload.' },
  )
}

export function tokenOperations(
  common: Pick<ApiOperation, 'parameters' | 'security'>,
  refusalsAt: Refusals,
): readonly ApiOperation[] {
  const issued: ApiAnswer = {
    description: 'A token that is good for this request, from the cache or just issued.',
    headers: noStore(),
    content: { 'application/json': Type.Ref('TokenAnswer') },
  }
  const both = { path: '/v1/token', summary: "The workload's own token", ...common }
  return [
    {
      ...both,
      id: 'getToken',
      method: 'get',
      parameters: [...common.parameters, ...tokenParameters()],
      answers: { 200: issued, ...refusalsAt('getToken') },
    },
    {
      ...both,
      id: 'postToken',
      method: 'post',
      description: 'The same with the parameters in the body, and none in the query string.',
      body: {
        description: 'Which token is wanted; none for one without a target.',
        required: false,
        content: bodyOf(Type.Ref('TokenRequest')),
      },
      answers: { 200: issued, ...refusalsAt('postToken') },
    },
  ]
}
