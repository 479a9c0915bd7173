import Type, { type TSchema } from 'typebox'
import type { ApiOperation } from '../../platform/api.ts'
import { refusalsAt } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'
import { dpopParameter } from './token.ts'

const closed = { additionalProperties: false }
const text = (description: string) => Type.String({ minLength: 1, description })

/** OpenID Connect Core section 5.3.2. */
export function userinfoAnswer(): TSchema {
  const common = { sub: text('Its `sub`.'), tenant: text('The tenant.') }
  return Type.Union(
    [
      Type.Object(
        {
          ...common,
          name: text('Its name.'),
          agent_id: text('Its id.'),
          identity_type: Type.Literal('agent', { description: 'It is no user.' }),
          capabilities: Type.Array(text('A capability.'), {
            description: 'What it may do beside scopes.',
          }),
          workload_identity: text('The provider that proves its workloads.'),
        },
        { ...closed, description: 'An agent.' },
      ),
      Type.Object(
        {
          ...common,
          name: Type.Optional(text('Full name; scope `profile`.')),
          given_name: Type.Optional(text('Given name; scope `profile`.')),
          family_name: Type.Optional(text('Family name; scope `profile`.')),
          picture: Type.Optional(text('URL of a picture; scope `profile`.')),
          email: Type.Optional(text('Email address; scope `email`.')),
          email_verified: Type.Optional(
            Type.Boolean({ description: 'Whether that was verified; scope `email`.' }),
          ),
          roles: Type.Array(text('A role.'), { description: 'Names of its roles.' }),
        },
        { ...closed, description: 'A user, as far as the scope of the token goes.' },
      ),
    ],
    { description: 'Who the subject of an access token is.' },
  )
}

export function userinfoOperations(): readonly ApiOperation[] {
  return tenantPrefixes().flatMap(({ prefix, suffix }) =>
    (['get', 'post'] as const).map((method) => ({
      id: `${method}Userinfo${suffix}`,
      method,
      path: `${prefix}/oauth/userinfo`,
      summary: 'Who the subject of an access token is',
      description: 'OpenID Connect Core section 5.3. The token is in the `Authorization` header.',
      security: [['bearerToken'], ['dpopToken']],
      parameters: [tenantParameter(), dpopParameter()],
      answers: {
        200: {
          description: 'The subject.',
          headers: answerHeaders(),
          content: { 'application/json': Type.Ref('UserinfoAnswer') },
        },
        ...refusalsAt(method === 'get' ? 'getUserinfo' : 'postUserinfo'),
      },
    })),
  )
}
