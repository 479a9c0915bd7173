import Type, { type TProperties, type TSchema } from 'typebox'
import { grantTypes } from '../../oauth/grant_types.ts'
import {
  audienceSchema,
  bodyOf,
  oneOrMore,
  resourceSchema,
  scopeSchema,
} from '../../oauth/schemas.ts'
import { tokenTypes } from '../../oauth/token_types.ts'
import type { ApiOperation } from '../../platform/api.ts'
import { JWT_BEARER } from '../drop_in/credentials.ts'
import type { commonParameters, exchangeParameters } from '../drop_in/request.ts'
import { noStore, type Refusals } from './errors.ts'
import { nameOf, pathParameters, templateOf } from './paths.ts'

type Common = (typeof commonParameters)[number]
type OfExchange = (typeof exchangeParameters)[number]

const text = (description: string) => Type.String({ minLength: 1, description })
const type = (description: string) => Type.Enum(Object.values(tokenTypes), { description })

/** What both grants take: how a client shows what guards these routes, and what it wants. */
function common(callersProve: boolean): Readonly<Record<Exclude<Common, 'grant_type'>, TSchema>> {
  return {
    client_id: Type.String({ maxLength: 255, description: "The agent's client id, or `self`." }),
    client_secret: text(
      callersProve
        ? "The caller's own projected token."
        : 'The local value that guards this route, where it is not in the `Authorization` header.',
    ),
    client_assertion: text(
      "The caller's own projected token, at a broker for other pods and nowhere else.",
    ),
    client_assertion_type: Type.Literal(JWT_BEARER, { description: 'What the assertion is.' }),
    scope: scopeSchema('Scopes, with one space between two of them.'),
    audience: oneOrMore(audienceSchema('Logical name of a service that the token is for.')),
    resource: oneOrMore(resourceSchema('URI of a service that the token is for (RFC 8707).')),
  }
}

/** RFC 8693 section 2.1. */
function ofExchange(): Readonly<Record<OfExchange, TSchema>> {
  return {
    subject_token: text('An access token of the tenant that another is wanted for.'),
    subject_token_type: type('What `subject_token` is.'),
    actor_token: Type.Optional(
      text("The workload's own token. It is added where the subject is somebody else."),
    ),
    actor_token_type: Type.Optional(type('What `actor_token` is; never without it.')),
    requested_token_type: Type.Optional(type('What is wanted. Absent: an access token.')),
  }
}

/** As an unmodified client of the tenant sends it. Names that no specification gives a meaning to are ignored. */
export function dropInRequest(callersProve: boolean): TSchema {
  const { client_credentials: credentials, token_exchange: exchange } = grantTypes
  const properties: TProperties = Object.fromEntries(
    Object.entries(common(callersProve)).map(([name, schema]) => [name, Type.Optional(schema)]),
  )
  const grantType = (value: string) => Type.Literal(value, { description: 'The grant.' })
  return Type.Union(
    [
      Type.Object(
        { grant_type: grantType(credentials), ...properties },
        { description: "The workload's own token (RFC 6749 section 4.4)." },
      ),
      Type.Object(
        { grant_type: grantType(exchange), ...ofExchange(), ...properties },
        { description: 'A token exchange (RFC 8693 section 2.1).' },
      ),
    ],
    { description: 'A token request.' },
  )
}

/** RFC 6749 section 5.1, and RFC 8693 section 2.2.1. */
export function dropInAnswer(): TSchema {
  return Type.Object(
    {
      access_token: Type.String({ minLength: 1, description: 'The token.' }),
      token_type: Type.Literal('Bearer', { description: 'How it is used (RFC 6750).' }),
      expires_in: Type.Integer({ minimum: 0, description: 'Seconds that are left of it now.' }),
      scope: scopeSchema('Scopes, with one space between two of them.'),
      issued_token_type: Type.Optional(
        Type.Enum(Object.values(tokenTypes), {
          description: 'What it is; of a token exchange only, and there always.',
        }),
      ),
    },
    { additionalProperties: false, description: 'An access token.' },
  )
}

const routes = ['/t/:tenant/api/v1/oauth/token', '/orgs/:tenant/api/v1/oauth/token'] as const

/** The token endpoint as clients know it. `security`: the ways to show what guards it beside the body. */
export function dropInOperations(
  security: ApiOperation['security'],
  refusalsAt: Refusals,
): readonly ApiOperation[] {
  return routes.map((route) => ({
    id: `post${nameOf(route)}`,
    method: 'post',
    path: templateOf(route),
    summary: 'A token for an unmodified OAuth client',
    description:
      'For clients that are pointed at this address in place of the tenant. They cannot set a header of ours, so their client secret guards the route.',
    security,
    parameters: pathParameters(templateOf(route)),
    body: {
      description: 'The token request.',
      required: true,
      content: bodyOf(Type.Ref('DropInRequest')),
    },
    answers: {
      200: {
        description: 'A token.',
        headers: noStore(),
        content: { 'application/json': Type.Ref('DropInAnswer') },
      },
      ...refusalsAt('dropIn'),
    },
  }))
}
