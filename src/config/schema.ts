import Type, { type Static } from 'typebox'
import { auditSchema, limitsSchema } from './bounds.ts'
import { clientSchema } from './client.ts'
import { slug } from './forms.ts'
import { MAX_DELEGATION_DEPTH } from './delegation.ts'
import { providerSchema } from './provider/schema.ts'
import { brokerSchema } from './broker_schema.ts'
import { tlsSchema } from './tls.ts'
import { upstreamSchema } from './upstream.ts'
import { userSchema } from './user.ts'
import { webhookSchema } from './webhook.ts'

/**
 * Every setting: its type, its default and one sentence, in the shape in which an operator writes it. `load.ts` turns it
 * into what the program runs on. A member `env` names the environment variable that overrides the setting.
 */
const closed = { additionalProperties: false }
const path = (description: string) => Type.String({ minLength: 1, description })
const url = { minLength: 1, maxLength: 512 }

const tenant = Type.Object(
  {
    slug: Type.String({ ...slug, description: 'The tenant, as in `/t/{slug}`.' }),
    issuer: Type.Enum(['path', 'origin'], {
      default: 'path',
      description:
        'Issuer of its tokens: `{origin}/t/{slug}/api/v1`, or the bare origin, which one tenant may have.',
    }),
    algorithm: Type.Enum(['RS256', 'ES256', 'PS256', 'EdDSA'], {
      default: 'RS256',
      description: 'Signature algorithm of its tokens.',
    }),
    policy: Type.Optional(path('Trust policy: a YAML file, or a folder of them; followed.')),
    providers: Type.Array(providerSchema, {
      default: [],
      maxItems: 200,
      description: 'Who may vouch for workloads.',
    }),
    clients: Type.Array(clientSchema, {
      default: [],
      maxItems: 1_000,
      description: 'Registered clients; more can be added while it runs.',
    }),
    clientFiles: Type.Optional(
      path(
        'More registered clients: a YAML file with a list `clients`, or a folder of them; followed.',
      ),
    ),
    roles: Type.Optional(
      path('Roles and what they permit: a YAML file, or a folder of them; followed.'),
    ),
    users: Type.Array(userSchema, { default: [], maxItems: 10_000, description: 'Users.' }),
    passwords: Type.Boolean({
      default: true,
      description: 'Whether local users sign in with a password.',
    }),
    upstreams: Type.Array(upstreamSchema, {
      default: [],
      maxItems: 20,
      description: 'Other OpenID Providers that sign people in.',
    }),
    trustedOrigins: Type.Array(Type.String({ ...url, description: 'One origin.' }), {
      default: [],
      maxItems: 50,
      uniqueItems: true,
      description:
        'Origins whose pages may sign people in by `login/json`, such as https://app.example.com.',
    }),
    codeLifetime: Type.Integer({
      default: 600,
      minimum: 10,
      maximum: 600,
      description: 'Life of an authorization code in seconds.',
    }),
    maxDelegationDepth: Type.Integer({
      default: MAX_DELEGATION_DEPTH,
      minimum: 1,
      maximum: MAX_DELEGATION_DEPTH,
      description: 'Longest chain of actors in a token.',
    }),
    capabilitiesInTokens: Type.Boolean({
      default: false,
      description: 'Whether the capabilities of an agent stand in its tokens.',
    }),
    workloadRefusal: Type.Enum(['invalid_request', 'workload_identity_failed'], {
      default: 'invalid_request',
      description:
        'How a refused proof is answered: 400 as RFC 8693 section 2.2.2 says, or 401 as LumoAuth documents.',
    }),
    dpopNonce: Type.Enum(['required', 'optional'], {
      default: 'required',
      description: 'Whether a DPoP proof must hold a nonce of ours (RFC 9449 section 8).',
    }),
  },
  closed,
)

const authority = Type.Object(
  {
    listen: Type.String({
      default: '127.0.0.1:9170',
      description: 'Address of the token endpoint.',
    }),
    origin: Type.String({
      ...url,
      description:
        'Its public origin, of which every issuer is made, such as https://auth.example.com.',
    }),
    tls: Type.Optional(tlsSchema),
    store: Type.Object(
      {
        file: Type.Optional(
          path('SQLite file of the state that must survive; made when it is not there.'),
        ),
        postgresUrlFile: Type.Optional(
          path('File with the URL of a PostgreSQL database. Not in this version: it is refused.'),
        ),
      },
      { ...closed, description: 'Where the state lies.' },
    ),
    keyEncryptionFile: Type.Optional(
      path('File with 32 random bytes in base64; signing keys are encrypted with it at rest.'),
    ),
    keyEncryptionSecret: Type.Optional(
      Type.Object(
        {
          namespace: Type.String({ ...slug, description: 'Where it lies.' }),
          name: Type.String({ minLength: 1, maxLength: 253, description: 'Its name.' }),
        },
        {
          ...closed,
          description:
            'The same in the member `key` of a Secret of the cluster, made there at the first start. One of the two must be given.',
        },
      ),
    ),
    clockOffset: Type.Integer({
      default: 0,
      minimum: -86_400,
      maximum: 86_400,
      description: 'Seconds added to the clock, to try what a wrong one does. Leave it at 0.',
    }),
    trustedProxies: Type.Array(
      Type.String({ minLength: 1, maxLength: 64, description: 'An address, or a network.' }),
      {
        default: [],
        maxItems: 50,
        description:
          'Proxies in front of it, such as 10.0.0.0/8: whom their X-Forwarded-For names is taken for the caller, in limits and in the audit trail. Default: of nobody.',
      },
    ),
    drainDelay: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 300,
        description:
          'Seconds in which connections are still accepted after SIGTERM, until nobody sends any. Default: 10, and 0 on loopback.',
      }),
    ),
    limits: limitsSchema,
    audit: auditSchema,
    tenants: Type.Array(tenant, { minItems: 1, maxItems: 100, description: 'The tenants.' }),
  },
  { ...closed, description: 'The token endpoint.' },
)

export const configSchema = Type.Object(
  {
    roles: Type.Array(Type.Enum(['authority', 'broker', 'webhook']), {
      minItems: 1,
      uniqueItems: true,
      description: 'What this process is.',
    }),
    log: Type.Object(
      {
        level: Type.Enum(['debug', 'info', 'warn', 'error'], {
          default: 'info',
          env: 'LUMO_LOG_LEVEL',
          description: 'The least that is logged.',
        }),
        format: Type.Enum(['auto', 'json', 'pretty'], {
          default: 'auto',
          description: 'auto: pretty on a terminal, JSON elsewhere.',
        }),
      },
      { ...closed, default: {}, description: 'The log, on standard output.' },
    ),
    operations: Type.Object(
      {
        listen: Type.String({
          default: '[::]:9190',
          description: 'Address of metrics and probes. No token is ever served there.',
        }),
      },
      { ...closed, default: {}, description: 'For operators.' },
    ),
    authority: Type.Optional(authority),
    broker: Type.Optional(brokerSchema),
    webhook: Type.Optional(webhookSchema),
  },
  { ...closed, title: 'lumo-broker', description: 'Configuration of lumo-broker.' },
)

/** The file as an operator writes it, defaults filled in. */
export type ConfigFile = Static<typeof configSchema>
export type TenantEntry = Static<typeof tenant>
