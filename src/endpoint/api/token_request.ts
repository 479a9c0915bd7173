import Type, { type TProperties, type TSchema } from 'typebox'
import { grantTypes, type GrantName } from '../../oauth/grant_types.ts'
import { audienceSchema, oneOrMore, resourceSchema, scopeSchema } from '../../oauth/schemas.ts'
import { subjectTokenTypes, tokenTypes } from '../../oauth/token_types.ts'
import { JWT_BEARER } from '../client/credentials.ts'
import { authorizationCode } from '../grants/authorization_code.ts'
import { clientCredentials } from '../grants/client_credentials.ts'
import { refreshToken } from '../grants/refresh_token.ts'
import { tokenExchange } from '../grants/token_exchange.ts'
import type { GrantParameter } from '../request.ts'

const text = (description: string) => Type.String({ minLength: 1, description })

/** Client authentication in the body (RFC 6749 section 2.3.1, RFC 7521 section 4.2). */
export function credentialFields(): TProperties {
  return {
    client_id: Type.Optional(
      text('The client; with HTTP Basic it need not be here, and must be equal.'),
    ),
    client_secret: Type.Optional(text('Its secret, where it is not shown by HTTP Basic.')),
    client_assertion: Type.Optional(
      text('A JWT that proves the client: its own, or a token of its platform.'),
    ),
    client_assertion_type: Type.Optional(
      Type.Literal(JWT_BEARER, { description: 'What `client_assertion` is.' }),
    ),
  }
}

function commonFields(): TProperties {
  return {
    ...credentialFields(),
    scope: Type.Optional(
      scopeSchema('Scopes, with one space between two of them (RFC 6749 section 3.3).'),
    ),
    audience: Type.Optional(
      oneOrMore(
        audienceSchema('Logical name of a service that the token is for (RFC 8693 section 2.1).'),
      ),
    ),
    resource: Type.Optional(
      oneOrMore(
        resourceSchema(
          'Absolute URI, without a fragment, of a service that the token is for (RFC 8707 section 2).',
        ),
      ),
    ),
  }
}

/** Every parameter that a grant can have of its own. */
const own: Readonly<Record<GrantParameter, () => TSchema>> = {
  code: () => text('The authorization code.'),
  redirect_uri: () => text('The same as in the authorization request.'),
  code_verifier: () => text('What the `code_challenge` was made of (RFC 7636 section 4.1).'),
  refresh_token: () => text('The refresh token of the answer before.'),
  subject_token: () => text('A proof of the platform, or a token of the tenant.'),
  subject_token_type: () =>
    Type.Enum(Object.values(subjectTokenTypes), { description: 'What `subject_token` is.' }),
  subject_issuer: () =>
    text('A hint where a proof comes from: the name, kind or issuer of a provider.'),
  actor_token: () => text('The token of whoever acts for the subject.'),
  actor_token_type: () =>
    Type.Enum(Object.values(tokenTypes), {
      description: 'What `actor_token` is; never without it.',
    }),
  requested_token_type: () =>
    Type.Enum(Object.values(tokenTypes), {
      description: 'What is wanted; either is the same token. Absent: an access token.',
    }),
}

interface GrantForm {
  readonly parameters: readonly GrantParameter[]
  readonly required: readonly GrantParameter[]
  readonly description: string
}

const forms: Readonly<Record<GrantName, GrantForm>> = {
  authorization_code: {
    parameters: authorizationCode.parameters,
    required: ['code', 'redirect_uri'],
    description: 'An authorization code for tokens (RFC 6749 section 4.1.3).',
  },
  client_credentials: {
    parameters: clientCredentials.parameters,
    required: [],
    description: 'The client as itself (RFC 6749 section 4.4.2).',
  },
  refresh_token: {
    parameters: refreshToken.parameters,
    required: ['refresh_token'],
    description: 'A refresh token for a new access token and its successor (RFC 6749 section 6).',
  },
  token_exchange: {
    parameters: tokenExchange.parameters,
    required: ['subject_token', 'subject_token_type'],
    description: 'One token for another (RFC 8693 section 2.1).',
  },
}

/** The request of each grant, by the name of its schema. Names that no specification gives a meaning to are ignored. */
export function grantRequests(): Readonly<Record<string, TSchema>> {
  const names = Object.keys(forms) as GrantName[]
  return Object.fromEntries(names.map((name) => [requestNames[name], grantRequest(name)]))
}

const requestNames: Readonly<Record<GrantName, string>> = {
  authorization_code: 'AuthorizationCodeRequest',
  client_credentials: 'ClientCredentialsRequest',
  refresh_token: 'RefreshTokenRequest',
  token_exchange: 'TokenExchangeRequest',
}

export function grantRequestRefs(): TSchema {
  return Type.Union(Object.values(requestNames).map((name) => Type.Ref(name)))
}

function grantRequest(name: GrantName): TSchema {
  const { parameters, required, description } = forms[name]
  const properties: TProperties = {}
  for (const parameter of parameters) {
    const schema = own[parameter]()
    properties[parameter] = required.includes(parameter) ? schema : Type.Optional(schema)
  }
  return Type.Object(
    {
      grant_type: Type.Literal(grantTypes[name], { description: 'The grant.' }),
      ...properties,
      ...commonFields(),
    },
    { description },
  )
}
