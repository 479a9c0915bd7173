import Type, { type TProperties, type TSchema } from 'typebox'
import { bodyOf } from '../../oauth/schemas.ts'
import type { ApiOperation } from '../../platform/api.ts'
import { refusalsAt } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'
import { dpopParameter } from './token.ts'
import { credentialFields } from './token_request.ts'

const closed = { additionalProperties: false }
const text = (description: string) => Type.String({ minLength: 1, description })
const seconds = (description: string) => Type.Integer({ minimum: 0, description })

/** RFC 7662 section 2.1. A client may prove itself in the body. Other names are ignored. */
export function introspectionRequest(): TSchema {
  return Type.Object(
    { token: text('The access token or refresh token.'), ...credentialFields() },
    { description: 'Which token is meant.' },
  )
}

/** RFC 7009 section 2.1. */
export function revocationRequest(): TSchema {
  return Type.Object(
    {
      token: text('The access token or refresh token.'),
      token_type_hint: Type.Optional(
        Type.Enum(['access_token', 'refresh_token'], { description: 'What it is. Not needed.' }),
      ),
      ...credentialFields(),
    },
    { description: 'Which token is to end.' },
  )
}

/** RFC 7662 section 2.2. */
export function introspectionAnswer(): TSchema {
  const common = {
    active: Type.Literal(true, { description: 'The token is good now.' }),
    client_id: text('Whom it was issued to.'),
    sub: text('Whom it is about.'),
    iss: text('The issuer of the tenant.'),
    iat: seconds('When it was issued, in Unix seconds.'),
    exp: seconds('When it ends, in Unix seconds.'),
    grant_id: text('What it, and whatever is derived of it, was granted with.'),
    tenant: text('The tenant.'),
  }
  return Type.Union(
    [
      Type.Object(
        { active: Type.Literal(false, { description: 'It says no more.' }) },
        {
          ...closed,
          description: 'The token is not good now, or nothing that the caller may see.',
        },
      ),
      Type.Object(
        { ...common, ...accessTokenFields() },
        { ...closed, description: 'An access token.' },
      ),
      Type.Object(
        {
          ...common,
          token_type: Type.Literal('refresh_token', { description: 'What it is.' }),
          scope: Type.String({ description: 'What was granted.' }),
        },
        { ...closed, description: "A refresh token of the caller's." },
      ),
    ],
    { description: 'What a token is worth.' },
  )
}

function accessTokenFields(): TProperties {
  return {
    token_type: Type.Enum(['Bearer', 'DPoP'], { description: 'How it is used.' }),
    scope: Type.Optional(text('Its scopes; absent where it has none.')),
    username: Type.Optional(text("The user's email address, where the caller may know it.")),
    aud: Type.Union(
      [text('The one audience.'), Type.Array(text('An audience.'), { minItems: 2 })],
      {
        description: 'Whom it is for.',
      },
    ),
    nbf: seconds('When it began, in Unix seconds.'),
    jti: text('Its own id.'),
    auth_time: Type.Optional(seconds('When the user signed in, in Unix seconds.')),
    identity_type: Type.Optional(
      Type.Literal('agent', { description: 'The subject is an agent.' }),
    ),
    agent_id: Type.Optional(text('Id of that agent.')),
    act: Type.Optional(Type.Ref('Actor')),
    actor_chain: Type.Optional(
      Type.Array(text('A `sub`.'), {
        minItems: 1,
        description: 'The actors in the order in which they came, the current one last.',
      }),
    ),
    may_act: Type.Optional(
      Type.Object(
        { sub: text('Its `sub`.'), iss: text('Its issuer.') },
        { ...closed, description: 'Who may act for the subject (RFC 8693 section 4.4).' },
      ),
    ),
    cnf: Type.Optional(
      Type.Object(
        { jkt: text('Thumbprint of the key (RFC 9449 section 6.1).') },
        { ...closed, description: 'The key that it is bound to.' },
      ),
    ),
  }
}

/** RFC 8693 section 4.1. */
export function actor(): TSchema {
  return Type.Object(
    {
      sub: text('Its `sub`.'),
      iss: text('Its issuer.'),
      client_id: text('Its client id.'),
      act: Type.Optional(Type.Ref('Actor')),
    },
    { ...closed, description: 'Who acts, and inside it who acted before.' },
  )
}

export function introspectionOperations(): readonly ApiOperation[] {
  const body = shown(bodyOf(Type.Ref('IntrospectionRequest')))
  return tenantPrefixes().map(({ prefix, suffix }) => ({
    id: `introspect${suffix}`,
    method: 'post',
    path: `${prefix}/oauth/introspect`,
    summary: 'What a token is worth now',
    description:
      'RFC 7662. For the client of a token, for whom it is made for, and for clients that may look at all of them; to others every token is inactive.',
    security: [['clientBasic'], ['bearerToken'], ['dpopToken'], []],
    parameters: [tenantParameter(), dpopParameter()],
    body,
    answers: {
      200: {
        description: 'What the token is worth to the caller.',
        headers: answerHeaders(),
        content: { 'application/json': Type.Ref('IntrospectionAnswer') },
      },
      ...refusalsAt('introspect'),
    },
  }))
}

export function revocationOperations(): readonly ApiOperation[] {
  const body = shown(bodyOf(Type.Ref('RevocationRequest')))
  return tenantPrefixes().map(({ prefix, suffix }) => ({
    id: `revoke${suffix}`,
    method: 'post',
    path: `${prefix}/oauth/revoke`,
    summary: 'Ends a token',
    description:
      'RFC 7009. A refresh token takes every token of its grant with it, an access token only itself. An agent or a public client needs to show nothing else.',
    security: [['clientBasic'], []],
    parameters: [tenantParameter()],
    body,
    answers: {
      200: {
        description: 'It has ended, or was nothing here.',
        headers: answerHeaders(),
        content: { 'application/json': Type.Ref('Nothing') },
      },
      ...refusalsAt('revoke'),
    },
  }))
}

function shown(content: ReturnType<typeof bodyOf>) {
  return {
    description: 'The token, and where it is not in a header what proves the client.',
    required: true,
    content,
  }
}
