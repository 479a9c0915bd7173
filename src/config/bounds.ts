import Type, { type Static } from 'typebox'

/** As many targets of one workload are remembered: a limit above could not be kept. */
export const MAX_AUDIENCES_PER_HOUR = 10_000

/** As many subjects of one workload are known at once: a limit above could not be kept. */
export const MAX_SUBJECTS_AT_ONCE = 100_000

/** The most levels of `act` that a limit can allow. */
export const MAX_ACT_DEPTH = 10

const perMinute = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: 10_000_000, description })

/** How often the token endpoint may be asked; what comes at once may be as much as a whole minute's. */
export const limitsSchema = Type.Object(
  {
    clientPerMinute: perMinute(100, 'Requests of one authenticated client.'),
    introspectionsPerMinute: perMinute(
      6_000,
      'Introspections of one agent with its own token: the brokers of its pods ask every 15 s about each token that is in use on behalf of somebody.',
    ),
    workloadPerMinute: perMinute(
      60,
      'Exchanges of one pod, so that all replicas of an agent can start together.',
    ),
    failuresPerMinute: perMinute(
      60,
      'Failed authentications and refused tokens of one network address.',
    ),
  },
  { additionalProperties: false, default: {}, description: 'Limits of the token endpoint.' },
)

export const auditSchema = Type.Object(
  {
    retentionDays: Type.Integer({
      default: 90,
      minimum: 1,
      maximum: 3_650,
      description: 'Days after which a closed segment of the audit trail is dropped.',
    }),
  },
  { additionalProperties: false, default: {}, description: 'The audit trail.' },
)

export type LimitsConfig = Readonly<Static<typeof limitsSchema>>
export type AuditConfig = Readonly<Static<typeof auditSchema>>
