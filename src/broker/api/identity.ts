import Type, { type TSchema } from 'typebox'
import type { ApiOperation } from '../../platform/api.ts'
import { noStore, type Refusals } from './errors.ts'

const closed = { additionalProperties: false }

export function identityAnswer(): TSchema {
  return Type.Object(
    {
      proof: Type.Object(
        {
          issuer: Type.String({ description: 'Its `iss`.' }),
          subject: Type.String({ description: 'Its `sub`.' }),
          pod_uid: Type.Optional(
            Type.String({ description: 'Uid of the pod that it is bound to, where it says one.' }),
          ),
          expires_in: Type.Integer({
            minimum: 0,
            description: 'Seconds that are left of it, as far as it is known.',
          }),
        },
        { ...closed, description: 'What the proof of the platform says of this workload.' },
      ),
      agent: Type.Union(
        [
          Type.Object(
            {
              sub: Type.String({ description: 'Its `sub` in tokens.' }),
              client_id: Type.String({ description: 'Its client id.' }),
            },
            closed,
          ),
          Type.Null(),
        ],
        { description: 'The agent that the last token was for; null before the first.' },
      ),
      allow: Type.Union([Type.Array(allowance()), Type.Null()], {
        description:
          'What the local policy allows; null: whatever the authority allows. Where it is empty, nothing.',
      }),
      limits: Type.Object(
        {
          exchanges_per_minute: Type.Integer({
            minimum: 1,
            description: 'New tokens that may be asked for in a minute.',
          }),
          audiences_per_hour: Type.Integer({
            minimum: 1,
            description: 'Different targets that may be asked for in an hour.',
          }),
          act_depth: Type.Integer({
            minimum: 0,
            description:
              'The most actors that a token for somebody else may name; 0: it may act for nobody.',
          }),
          subjects_at_once: Type.Integer({
            minimum: 1,
            description: 'Different subjects that it may act for at once.',
          }),
          exchanges_per_subject_per_minute: Type.Integer({
            minimum: 1,
            description: 'New tokens that may be asked for in a minute for each of them.',
          }),
        },
        { ...closed, description: 'How much may be asked for here.' },
      ),
    },
    { ...closed, description: 'Who the workload is.' },
  )
}

function allowance(): TSchema {
  return Type.Object(
    {
      audience: Type.Optional(
        Type.String({
          description:
            'Audience or resource, `*` for any text without `/` and `:`, `**` at the end for anything. Absent: requests that name none.',
        }),
      ),
      scopes: Type.Optional(
        Type.Array(Type.String(), {
          description: 'Scopes that may be had there. Absent: any.',
        }),
      ),
    },
    closed,
  )
}

export function identityOperation(
  common: Pick<ApiOperation, 'parameters' | 'security'>,
  refusalsAt: Refusals,
): ApiOperation {
  return {
    ...common,
    id: 'getIdentity',
    method: 'get',
    path: '/v1/identity',
    summary: 'Who the workload is, for people who ask',
    answers: {
      200: {
        description: 'What the proof says, and the agent where it is known.',
        headers: noStore(),
        content: { 'application/json': Type.Ref('IdentityAnswer') },
      },
      ...refusalsAt('identity'),
    },
  }
}
