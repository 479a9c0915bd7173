import Type, { type Static } from 'typebox'
import { authorizationSchema } from './authorization.ts'
import { tlsSchema } from './tls.ts'
import { callersSchema } from './callers.ts'
import { MAX_ACT_DEPTH, MAX_AUDIENCES_PER_HOUR, MAX_SUBJECTS_AT_ONCE } from './bounds.ts'
import { absoluteFile, slug } from './forms.ts'
import { proxySchema } from './proxy.ts'
import { proofSchema } from './proof.ts'
import { sinkSchema } from './sink.ts'

const closed = { additionalProperties: false }
const path = (description: string) => Type.String({ minLength: 1, description })
const url = { minLength: 1, maxLength: 512 }
const count = (description: string, byDefault: number, maximum: number) =>
  Type.Integer({ default: byDefault, minimum: 1, maximum, description })

const authority = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        ...url,
        env: 'LUMOAUTH_URL',
        description: 'Origin of the authority. Must be absent with shape all-in-one.',
      }),
    ),
    tenant: Type.String({ ...slug, env: 'LUMOAUTH_TENANT', description: 'The tenant there.' }),
    pathStyle: Type.Enum(['t', 'orgs'], {
      default: 't',
      description: 'Which of its two equal path prefixes to use.',
    }),
    caFile: Type.Optional(
      path('PEM certificates to trust for it instead of the system; followed.'),
    ),
    ca: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 65_536,
        description: 'The same as text, instead of `caFile`.',
      }),
    ),
    connectTimeout: Type.Number({
      default: 2,
      minimum: 0.05,
      maximum: 60,
      description: 'Seconds for a connection.',
    }),
    timeout: Type.Number({
      default: 5,
      minimum: 0.1,
      maximum: 120,
      description: 'Seconds for an exchange in all.',
    }),
  },
  { ...closed, description: 'Who exchanges the proof.' },
)

const dropIn = Type.Object(
  {
    guard: Type.Enum(['secret', 'none'], {
      default: 'secret',
      description:
        "What stands for the client secret on the drop-in token routes. secret: the guard value, and without one the routes are off. none: nothing, so that whoever can send a form to localhost gets tokens. Where callers prove themselves it is the caller's own token, whatever stands here.",
    }),
    secret: Type.Optional(
      Type.String({
        minLength: 22,
        maxLength: 512,
        env: 'LUMO_GUARD_SECRET',
        description: 'The guard value: 32 random bytes in base64url, worth nothing elsewhere.',
      }),
    ),
    secretFile: Type.Optional(path('File with the guard value, instead of `secret`; followed.')),
  },
  {
    ...closed,
    default: {},
    description: "Token routes with the authority's own paths, for clients that know no broker.",
  },
)

const shutdown = Type.Object(
  {
    drainDelay: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 300,
        description:
          'Seconds in which connections are still accepted after SIGTERM, until nobody sends any. Default: 10 where callers come from other pods, 0 otherwise.',
      }),
    ),
    grace: Type.Integer({
      default: 15,
      minimum: 0,
      maximum: 300,
      description:
        'Seconds for what runs to finish after that. Both must fit into terminationGracePeriodSeconds, with 5 s more for `revoke`.',
    }),
    revoke: Type.Boolean({
      default: false,
      description: 'Whether the tokens that are still good are revoked at the authority then.',
    }),
  },
  { ...closed, default: {}, description: 'What happens after SIGTERM.' },
)

export const brokerSchema = Type.Object(
  {
    shape: Type.Enum(['sidecar', 'node', 'all-in-one'], {
      default: 'sidecar',
      description:
        'sidecar: in the pod, with an authority elsewhere. node: one for the pods of a node, which show their own tokens. all-in-one: with the authority in the same process.',
    }),
    listen: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
        minItems: 1,
        maxItems: 4,
        description:
          'Where tokens are served: addresses such as 127.0.0.1:9180, or one Unix socket such as unix:/run/lumo/broker.sock. Default: port 9180 of both loopbacks; where callers prove themselves, [::]:9180.',
      }),
    ),
    tls: Type.Optional(tlsSchema),
    hosts: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      default: [],
      maxItems: 16,
      description: 'More `Host` values that callers may use, beside the addresses and localhost.',
    }),
    podIp: Type.Optional(
      Type.String({ maxLength: 64, env: 'POD_IP', description: "The pod's address." }),
    ),
    hostIp: Type.Optional(
      Type.String({
        maxLength: 64,
        env: 'HOST_IP',
        description: "The node's address. A sidecar of a pod with that address does not start.",
      }),
    ),
    authority,
    proof: proofSchema,
    callers: Type.Optional(callersSchema),
    dropIn,
    policy: Type.Optional(
      path(
        'What workloads may ask for here, on top of the trust policy of the authority: a YAML file, or a folder of them; followed.',
      ),
    ),
    policyDocument: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'The content of such a file, instead of `policy`.',
      }),
    ),
    limits: Type.Object(
      {
        exchangesPerMinute: count('Exchanges that one workload may cause in a minute.', 600, 1e6),
        audiencesPerHour: count(
          'Different targets that it may ask for in an hour.',
          1_000,
          MAX_AUDIENCES_PER_HOUR,
        ),
        actDepth: count(
          'The most actors that a token for somebody else may name, one in the other.',
          3,
          MAX_ACT_DEPTH,
        ),
        subjectsAtOnce: count(
          'Different users, or others, that it may act for at once.',
          1_000,
          MAX_SUBJECTS_AT_ONCE,
        ),
        exchangesPerSubjectPerMinute: count(
          'Exchanges that it may cause in a minute for each of them.',
          60,
          100_000,
        ),
      },
      { ...closed, default: {}, description: 'For each workload, unless the policy says another.' },
    ),
    sinks: Type.Array(sinkSchema, {
      default: [],
      maxItems: 32,
      description: 'Tokens that are kept in files, for programs that read files.',
    }),
    authorization: Type.Optional(authorizationSchema),
    proxy: Type.Optional(proxySchema),
    rateLimit: Type.Object(
      {
        perSecond: count('Steady rate.', 1_000, 1_000_000),
        burst: count('What may come at once.', 2_000, 1_000_000),
      },
      { ...closed, default: {}, description: 'Requests that a caller may make.' },
    ),
    delegation: Type.Object(
      {
        sessionIdle: count(
          'Seconds without use after which a session ends. It ends with its subject token at the latest.',
          900,
          86_400,
        ),
        maxSessions: count(
          'Sessions that one workload may have at once; as many subject tokens are remembered without one.',
          1_000,
          100_000,
        ),
      },
      { ...closed, default: {}, description: 'Acting for users and other workloads.' },
    ),
    shutdown,
    terminationMessageFile: Type.String({
      ...absoluteFile,
      default: '/dev/termination-log',
      description:
        'Where a sidecar that gives up leaves its last sentence, if the file is there: the kubelet shows it.',
    }),
    maxEntries: count('How many different tokens are kept.', 10_000, 1_000_000),
  },
  { ...closed, description: 'Where the pod gets its tokens.' },
)

export type BrokerSection = Static<typeof brokerSchema>
