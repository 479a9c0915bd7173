import Type, { type Static } from 'typebox'
import { MAX_ACT_DEPTH, MAX_AUDIENCES_PER_HOUR, MAX_SUBJECTS_AT_ONCE } from '../../config/bounds.ts'
import { accountPattern, identifier, namespacePattern } from '../../config/forms.ts'

const closed = { additionalProperties: false }

/** Of a file, and of all files together: a reload judges them in one go, while requests wait. */
export const MAX_WORKLOADS = 2_000

const allowSchema = Type.Object(
  {
    audience: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description:
          'The audience or resource, `*` for any text without `/` and `:`, `**` at the end for anything. Absent: requests that name none.',
      }),
    ),
    scopes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
        maxItems: 100,
        description: 'Scopes that may be had there. Absent: any.',
      }),
    ),
  },
  closed,
)

const defaultsSchema = Type.Object(
  {
    audience: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'The target of requests that name none. `allow` has to allow it.',
      }),
    ),
    agent: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Client id of the agent of requests that name none.',
      }),
    ),
  },
  { ...closed, description: 'What requests mean that leave it out.' },
)

const delegationSchema = Type.Object(
  {
    maxDepth: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_ACT_DEPTH,
        description:
          'The most actors that a token may name, one in the other. 0: it may act for nobody.',
      }),
    ),
    subjects: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SUBJECTS_AT_ONCE,
        description: 'For how many different users, or others, one workload may act at once.',
      }),
    ),
    exchangesPerMinute: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'How many exchanges one workload gets in a minute for each of them.',
      }),
    ),
  },
  { ...closed, description: 'How it may act for others.' },
)

const workloadSchema = Type.Object(
  {
    name: Type.String({
      ...identifier,
      description: 'What the log calls the rule; no two have the same.',
    }),
    namespace: Type.Optional(
      Type.String({
        ...namespacePattern,
        description: 'Namespace of the pod, `*` for any text. Absent: any.',
      }),
    ),
    serviceAccount: Type.Optional(
      Type.String({
        ...accountPattern,
        description: 'Service account of the pod, `*` for any text. Absent: any.',
      }),
    ),
    allow: Type.Optional(
      Type.Array(allowSchema, {
        maxItems: 200,
        description:
          'Pairs of an audience and the scopes that may be asked for there. Absent: whatever the authority allows.',
      }),
    ),
    defaults: Type.Optional(defaultsSchema),
    exchangesPerMinute: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000,
        description: 'How many exchanges one workload gets in a minute.',
      }),
    ),
    audiencesPerHour: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_AUDIENCES_PER_HOUR,
        description: 'How many different audiences one workload may name in an hour.',
      }),
    ),
    delegation: Type.Optional(delegationSchema),
  },
  closed,
)

/** A local policy file: what a broker asks for on behalf of a workload, whatever the authority would grant. */
export const localPolicySchema = Type.Object(
  {
    workloads: Type.Array(workloadSchema, {
      maxItems: MAX_WORKLOADS,
      description:
        'The rules. The first that fits a workload counts; one that none fits is denied.',
    }),
  },
  { ...closed, description: 'Local policy: what a broker asks for, and how often.' },
)

export type WorkloadEntry = Static<typeof workloadSchema>
export type AllowEntry = Static<typeof allowSchema>
