import Type, { type TSchema } from 'typebox'
import type { ApiAnswers, ApiBody, ApiOperation, ApiParameter } from '../../platform/api.ts'
import { checks, type Check } from '../authz/check.ts'
import { refusalsAt } from './errors.ts'
import { answerHeaders } from './headers.ts'
import { tenantParameter, tenantPrefixes } from './paths.ts'
import { dpopParameter } from './token.ts'

const closed = { additionalProperties: false }
const slug = Type.String({ minLength: 1, maxLength: 256, description: 'A permission.' })
const slugs = Type.Array(slug, { minItems: 1, maxItems: 100, description: 'Permissions.' })
const context = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Sent back as it came; roles do not look at it.',
})
const asked = {
  context: Type.Optional(context),
  user_id: Type.Optional(
    Type.Union([Type.String({ minLength: 1, maxLength: 255 }), Type.Integer()], {
      description: 'Another user, for clients that are registered with `mayCheckUsers`.',
    }),
  ),
}
const said = {
  context: Type.Optional(context),
  user_id: Type.Optional(Type.String({ description: 'The user, where it is about one.' })),
}
const allowed = Type.Boolean({ description: 'Whether it is allowed.' })

function answerOf(which: Check): TSchema {
  switch (which) {
    case 'check':
      return Type.Object({ allowed, permission: slug, ...said }, closed)
    case 'check-bulk':
      return Type.Object(
        {
          results: Type.Record(Type.String(), Type.Boolean(), {
            description: 'Whether each is allowed, by permission.',
          }),
          ...said,
        },
        closed,
      )
    case 'check-any':
    case 'check-all':
      return Type.Object({ allowed, permissions: slugs, ...said }, closed)
  }
}

function bodyOf(which: Check): ApiBody {
  const wanted = which === 'check' ? { permission: slug } : { permissions: slugs }
  return {
    description: 'What is asked. Members that are not here are passed over.',
    required: true,
    content: { 'application/json': Type.Object({ ...wanted, ...asked }) },
  }
}

const listed = Type.Object(
  {
    user_id: said.user_id,
    permissions: Type.Array(
      Type.Object(
        {
          slug,
          description: Type.String({ description: 'What it means; empty where nobody said.' }),
          source: Type.String({ description: 'What gives it, such as `role:Editor`.' }),
        },
        closed,
      ),
      { description: 'All that the subject of the token may do, by `slug`.' },
    ),
    count: Type.Integer({ minimum: 0, description: 'How many they are.' }),
  },
  closed,
)

const summaries: Readonly<Record<Check, string>> = {
  check: 'Whether one thing is allowed',
  'check-bulk': 'Which of several things are allowed',
  'check-any': 'Whether any of several things is allowed',
  'check-all': 'Whether all of several things are allowed',
}

interface Where {
  readonly prefix: string
  readonly suffix: string
  readonly parameters: readonly ApiParameter[]
}

/** LumoAuth's permission checks, at the root and under the prefixes of a tenant. */
export function authzOperations(): readonly ApiOperation[] {
  const places: readonly Where[] = [
    { prefix: '/api/v1', suffix: 'AtRoot', parameters: [] },
    ...tenantPrefixes().map((place) => ({ ...place, parameters: [tenantParameter()] })),
  ]
  return places.flatMap((where) => [
    ...checks.map((which) => checkAt(which, where)),
    permissionsAt(where),
  ])
}

function checkAt(which: Check, { prefix, suffix, parameters }: Where): ApiOperation {
  return {
    id: `${which.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())}${suffix}`,
    method: 'post',
    path: `${prefix}/authz/${which}`,
    summary: summaries[which],
    description:
      'About the subject of the token in `Authorization`, or the client whose API key stands there or in `X-API-Key`. Where somebody acts for it, all of them need the permission. That something is not allowed is an answer, and no refusal.',
    security: [['bearerToken'], ['dpopToken'], ['apiKey']],
    parameters: [...parameters, dpopParameter()],
    body: bodyOf(which),
    answers: answersWith(answerOf(which), which === 'check' ? 'check' : 'checkMany'),
  }
}

function permissionsAt({ prefix, suffix, parameters }: Where): ApiOperation {
  return {
    id: `permissions${suffix}`,
    method: 'get',
    path: `${prefix}/authz/permissions`,
    summary: 'All that is allowed',
    description:
      'Of the subject of the token in `Authorization`, to its own holder, or of the client whose API key stands there or in `X-API-Key`.',
    security: [['bearerToken'], ['dpopToken'], ['apiKey']],
    parameters: [...parameters, dpopParameter()],
    answers: answersWith(listed, 'permissions'),
  }
}

function answersWith(schema: TSchema, place: Parameters<typeof refusalsAt>[0]): ApiAnswers {
  return {
    200: {
      description: 'The answer.',
      headers: answerHeaders(),
      content: { 'application/json': schema },
    },
    ...refusalsAt(place),
  }
}
