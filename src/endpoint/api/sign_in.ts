import Type, { type TSchema } from 'typebox'
import { bodyOf } from '../../oauth/schemas.ts'
import type { ApiOperation } from '../../platform/api.ts'
import { refusalsAt } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'
import { dpopParameter } from './token.ts'
import { credentialFields } from './token_request.ts'

const closed = { additionalProperties: false }
const text = (description: string) => Type.String({ minLength: 1, description })

/** RFC 9126 section 2.1: the parameters of an authorization request, and what proves the client. */
export function pushRequest(): TSchema {
  return Type.Object(
    {
      ...credentialFields(),
      redirect_uri: text('One that the client has registered, to the character.'),
      response_type: Type.Literal('code', { description: 'Nothing else is served.' }),
      scope: Type.Optional(text('Absent: all that the client may have.')),
      state: Type.Optional(text('Sent back as it came.')),
      code_challenge: Type.Optional(text('RFC 7636; a public client needs one.')),
      code_challenge_method: Type.Optional(text('`S256`.')),
      nonce: Type.Optional(text('For the ID token.')),
      prompt: Type.Optional(text('`none`, `login`, `consent`, `select_account`.')),
      dpop_jkt: Type.Optional(text('RFC 9449 section 10; a proof in `DPoP` says it too.')),
    },
    { description: 'What a client asks of a person.' },
  )
}

/** RFC 9126 section 2.2. */
export function pushAnswer(): TSchema {
  return Type.Object(
    {
      request_uri: text('Goes to the authorization endpoint with `client_id`. Good for one code.'),
      expires_in: Type.Integer({ minimum: 1, description: 'Seconds.' }),
    },
    { ...closed, description: 'Where the request lies now.' },
  )
}

/** What clients and pages of other origins do of sign-in, without a page of ours. */
export function signInOperations(): readonly ApiOperation[] {
  return tenantPrefixes().flatMap(({ prefix, suffix }): ApiOperation[] => [
    {
      id: `push${suffix}`,
      method: 'post',
      path: `${prefix}/oauth/par`,
      summary: 'Push an authorization request',
      description: 'RFC 9126. What would be refused in the browser is refused here.',
      security: [['clientBasic'], []],
      parameters: [tenantParameter(), dpopParameter()],
      body: {
        description: 'The request, and where it is not in a header what proves the client.',
        required: true,
        content: bodyOf(Type.Ref('PushRequest')),
      },
      answers: {
        201: {
          description: 'It is kept for ten minutes.',
          headers: answerHeaders(),
          content: { 'application/json': Type.Ref('PushAnswer') },
        },
        ...refusalsAt('par'),
      },
    },
    {
      id: `loginJson${suffix}`,
      method: 'post',
      path: `${prefix}/oauth/login/json`,
      summary: 'Sign a person in from a page of a trusted origin',
      description:
        'Makes a session in the browser, and no token. `Origin` has to be one of `trustedOrigins` or our own.',
      security: [[]],
      parameters: [tenantParameter()],
      body: {
        description: 'Who it is.',
        required: true,
        content: {
          'application/json': Type.Object({
            email: text('Their address.'),
            password: text('Their password.'),
          }),
        },
      },
      answers: {
        200: {
          description: 'They are signed in.',
          headers: {
            ...answerHeaders(),
            'Set-Cookie': { description: 'The session.', schema: Type.String() },
          },
          content: {
            'application/json': Type.Object(
              { status: Type.Literal('complete', { description: 'No more is asked.' }) },
              closed,
            ),
          },
        },
        ...refusalsAt('loginJson'),
      },
    },
    {
      id: `approvalStatus${suffix}`,
      method: 'get',
      path: `${prefix}/agents/me/approvals/{approval}/status`,
      summary: 'What became of what an agent asked a user for',
      description: 'To the agent itself, by a token of its own.',
      security: [['bearerToken'], ['dpopToken']],
      parameters: [
        tenantParameter(),
        {
          name: 'approval',
          in: 'path',
          required: true,
          description: 'As a refusal of the token endpoint named it.',
          schema: text('An approval.'),
        },
        dpopParameter(),
      ],
      answers: {
        200: {
          description: 'How it stands.',
          headers: answerHeaders(),
          content: { 'application/json': Type.Ref('ApprovalAnswer') },
        },
        ...refusalsAt('approval'),
      },
    },
  ])
}

export function approvalAnswer(): TSchema {
  return Type.Object(
    {
      approval: text('The approval.'),
      status: Type.Enum(['pending', 'approved', 'denied', 'expired'], {
        description: 'Once it is not pending it stays as it is.',
      }),
      scope: Type.String({ description: 'What was asked for.' }),
      expires_at: Type.Integer({ description: 'Until when it can be answered, in Unix seconds.' }),
      expires_in: Type.Optional(
        Type.Integer({ minimum: 0, description: 'Seconds left, while it is pending.' }),
      ),
    },
    { ...closed, description: 'What a user said to an agent.' },
  )
}
