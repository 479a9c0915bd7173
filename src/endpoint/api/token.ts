import Type, { type TSchema } from 'typebox'
import { tokenTypes } from '../../oauth/token_types.ts'
import { bodyOf } from '../../oauth/schemas.ts'
import type { ApiOperation } from '../../platform/api.ts'
import type { TokenResponse } from '../issuer.ts'
import { refusalsAt } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'
import { grantRequestRefs } from './token_request.ts'

/** RFC 6749 section 5.1. A member that the mint knows and this does not, or the other way round, does not compile. */
export function grantAnswer(): TSchema {
  const members: Readonly<Record<keyof TokenResponse, TSchema>> = {
    access_token: Type.String({
      minLength: 1,
      description: 'A JWT of the type at+jwt (RFC 9068).',
    }),
    token_type: Type.Enum(['Bearer', 'DPoP'], {
      description: 'DPoP where the request had a proof (RFC 9449 section 5).',
    }),
    expires_in: Type.Integer({ minimum: 1, description: 'Seconds that it lives.' }),
    scope: Type.String({ description: 'The scopes that it has; may be empty.' }),
    refresh_token: Type.Optional(
      Type.String({ minLength: 1, description: 'For the next one; good once.' }),
    ),
    id_token: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'With the scope `openid` (OpenID Connect Core section 3.1.3.3).',
      }),
    ),
    issued_token_type: Type.Optional(
      Type.Enum(Object.values(tokenTypes), {
        description: 'Of a token exchange, and there always (RFC 8693 section 2.2.1).',
      }),
    ),
  }
  return Type.Object({ ...members }, { additionalProperties: false, description: 'The tokens.' })
}

export function tokenOperations(): readonly ApiOperation[] {
  const content = bodyOf(grantRequestRefs())
  return tenantPrefixes().map(({ prefix, suffix }) => ({
    id: `requestToken${suffix}`,
    method: 'post',
    path: `${prefix}/oauth/token`,
    summary: 'The token endpoint',
    description:
      'Issues tokens by a grant (RFC 6749 section 3.2, RFC 8693). Parameters are in the body, and none in the query string.',
    security: [['clientBasic'], []],
    parameters: [tenantParameter(), dpopParameter()],
    body: {
      description: 'The token request.',
      required: true,
      content,
    },
    answers: {
      200: {
        description: 'Tokens.',
        headers: answerHeaders(),
        content: { 'application/json': Type.Ref('GrantAnswer') },
      },
      ...refusalsAt('token'),
    },
  }))
}

export function dpopParameter() {
  return {
    name: 'DPoP',
    in: 'header',
    required: false,
    description: 'A proof that the caller has a key, for this very request (RFC 9449 section 4).',
    schema: Type.String({ minLength: 1 }),
  } as const
}
