import Type, { type Static } from 'typebox'
import { grantTypes, type GrantName } from '../oauth/grant_types.ts'
import { isRegistrableRedirectUri } from '../oauth/redirect_uri.ts'
import { delegationSchema, type DelegationEntry } from './delegation.ts'
import type { Fault } from './document.ts'
import { identifier } from './forms.ts'
import { grantFaults, grantsSchema, type GrantEntries } from './grants.ts'
import { proofRuleSchema, type ProofRuleEntry } from './proof_rule.ts'

/**
 * How a client may show who it is. `federated_jwt` is a Kubernetes service-account token as client assertion; `none` is a
 * public client, which cannot keep a secret.
 */
export const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'federated_jwt',
  'none',
] as const

export type ClientAuthMethod = (typeof clientAuthMethods)[number]

const closed = { additionalProperties: false }
const DAY = 86_400

const registration = {
  name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'What people are shown when it asks for their consent. Default: its id.',
    }),
  ),
  methods: Type.Array(Type.Enum([...clientAuthMethods]), {
    default: ['client_secret_basic', 'client_secret_post'],
    minItems: 1,
    uniqueItems: true,
    description: 'How it may authenticate; `none` alone makes it a public client.',
  }),
  jwks: Type.Optional(
    Type.Object(
      {
        keys: Type.Array(Type.Record(Type.String(), Type.Unknown()), {
          minItems: 1,
          maxItems: 20,
          description: 'Public keys as JWKs, each with a `kid`.',
        }),
      },
      { ...closed, description: 'Keys of `private_key_jwt`.' },
    ),
  ),
  proof: Type.Optional(proofRuleSchema),
  redirectUris: Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
    default: [],
    maxItems: 50,
    description: 'Where authorization codes may be sent, compared character by character.',
  }),
  postLogoutRedirectUris: Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
    default: [],
    maxItems: 50,
    description: 'Where people may be sent after they signed out, compared character by character.',
  }),
  grantTypes: Type.Array(Type.Enum(Object.keys(grantTypes) as [GrantName, ...GrantName[]]), {
    default: ['client_credentials'],
    minItems: 1,
    uniqueItems: true,
    description: 'Grants that it may use.',
  }),
  grants: grantsSchema,
  maxTargets: Type.Integer({
    default: 1,
    minimum: 1,
    maximum: 5,
    description: 'How many audiences and resources one token may have.',
  }),
  lifetime: Type.Integer({
    default: 3_600,
    minimum: 60,
    maximum: DAY,
    description: 'Life of its access tokens in seconds.',
  }),
  refreshLifetime: Type.Integer({
    default: 30 * DAY,
    minimum: 60,
    maximum: 365 * DAY,
    description: 'Life of a family of refresh tokens in seconds, however often it is rotated.',
  }),
  refreshIdle: Type.Optional(
    Type.Integer({
      minimum: 60,
      maximum: 365 * DAY,
      description: 'Seconds after which a refresh token that was not used is no longer good.',
    }),
  ),
  audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
    default: [],
    maxItems: 20,
    description:
      'Targets that this client is itself: tokens for them count as made for it, at introspection and as subject tokens.',
  }),
  mayIntrospect: Type.Boolean({
    default: false,
    description: 'May introspect tokens that were neither issued to it nor made for it.',
  }),
  mayCheckUsers: Type.Boolean({
    default: false,
    description: 'May ask what users are permitted, by `user_id`, with a token of its own.',
  }),
  delegation: Type.Optional(delegationSchema),
  impersonation: Type.Optional(
    Type.Object(
      {
        users: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
          minItems: 1,
          maxItems: 1_000,
          description: 'The users, by `sub`.',
        }),
      },
      {
        ...closed,
        description: 'Whose place it may take without being seen in the token. Absent: of nobody.',
      },
    ),
  ),
  mayAct: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'The `sub` that `may_act` in tokens of its users names (RFC 8693 section 4.4).',
    }),
  ),
  dpopBound: Type.Boolean({
    default: false,
    description: 'Refuses it tokens that are not bound to a DPoP key (RFC 9449 section 5.2).',
  }),
}

/** A registered client as an operator writes it. */
export const clientSchema = Type.Object(
  {
    id: Type.String({ ...identifier, description: 'Its client_id.' }),
    secretHashes: Type.Array(
      Type.String({
        pattern: '^sha256:[A-Za-z0-9_-]{43}$',
        form: '`sha256:` and 43 characters of base64url',
      }),
      {
        default: [],
        maxItems: 2,
        description:
          'SHA-256 of its secret, as `sha256:` and base64url; two while the secret is replaced.',
      },
    ),
    ...registration,
  },
  closed,
)

/** The same for one that is registered at run time: its id and its secrets are the program's to make. */
export const registrationSchema = Type.Object(registration, {
  ...closed,
  description: 'Registration of a client.',
})

export type ClientEntry = Static<typeof clientSchema>
export type RegistrationEntry = Static<typeof registrationSchema>

export interface ClientConfig {
  readonly id: string
  readonly name?: string
  /** SHA-256 digests. */
  readonly secretHashes: readonly Buffer[]
  readonly methods: readonly ClientAuthMethod[]
  readonly jwks: { readonly keys: readonly unknown[] } | undefined
  readonly proof: ProofRuleEntry | undefined
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly grantTypes: readonly GrantName[]
  readonly grants: GrantEntries
  readonly maxTargets: number
  readonly lifetimeSeconds: number
  readonly refreshLifetimeSeconds: number
  readonly refreshIdleSeconds: number | undefined
  readonly audiences: readonly string[]
  readonly mayIntrospect: boolean
  readonly mayCheckUsers: boolean
  readonly delegation: DelegationEntry | undefined
  readonly impersonation: { readonly users: readonly string[] } | undefined
  readonly mayAct: string | undefined
  readonly dpopBound: boolean
}

/** Turns an entry that has the shape of the schema into what the program runs on. */
export function clientOf(entry: ClientEntry): ClientConfig {
  return {
    id: entry.id,
    ...(entry.name !== undefined && { name: entry.name }),
    secretHashes: entry.secretHashes.map((hash) =>
      Buffer.from(hash.slice('sha256:'.length), 'base64url'),
    ),
    methods: entry.methods,
    jwks: entry.jwks,
    proof: entry.proof,
    redirectUris: entry.redirectUris,
    postLogoutRedirectUris: entry.postLogoutRedirectUris,
    grantTypes: entry.grantTypes,
    grants: entry.grants,
    maxTargets: entry.maxTargets,
    lifetimeSeconds: entry.lifetime,
    refreshLifetimeSeconds: entry.refreshLifetime,
    refreshIdleSeconds: entry.refreshIdle,
    audiences: entry.audiences,
    mayIntrospect: entry.mayIntrospect,
    mayCheckUsers: entry.mayCheckUsers,
    delegation: entry.delegation,
    impersonation: entry.impersonation,
    mayAct: entry.mayAct,
    dpopBound: entry.dpopBound,
  }
}

/** What the schema cannot say of a registration: settings that contradict one another. `hasSecret`: one is there or will be made. */
export function registrationFaults(
  entry: RegistrationEntry,
  path: string,
  hasSecret: boolean,
): readonly Fault[] {
  const faults: Fault[] = [...grantFaults(entry.grants, at(path, 'grants'))]
  const fault = (member: string, message: string): void => {
    faults.push({ path: at(path, member), message })
  }
  const uses = (method: ClientAuthMethod): boolean => entry.methods.includes(method)
  const byKeys = uses('private_key_jwt')
  if (byKeys !== (entry.jwks !== undefined)) {
    fault('jwks', 'must be given with the method private_key_jwt, and only then')
  }
  if (uses('federated_jwt') !== (entry.proof !== undefined)) {
    fault('proof', 'must be given with the method federated_jwt, and only then')
  }
  if ((uses('client_secret_basic') || uses('client_secret_post')) !== hasSecret) {
    fault(
      'secretHashes',
      'must be given with the methods client_secret_basic and client_secret_post, and only then',
    )
  }
  publicFaults(entry, fault)
  redirectFaults(entry, fault)
  return faults
}

/** A public client has nothing to show, so it may have nothing that rests on knowing who it is. */
function publicFaults(
  { methods, grantTypes: wanted, impersonation, mayIntrospect, mayCheckUsers }: RegistrationEntry,
  fault: (member: string, message: string) => void,
): void {
  if (!methods.includes('none')) return
  if (methods.length > 1) fault('methods', 'none stands alone: a client is public or it is not')
  if (wanted.includes('client_credentials')) {
    fault('grantTypes', 'a public client cannot have client_credentials')
  }
  if (impersonation) fault('impersonation', 'is for clients that authenticate')
  if (mayIntrospect) fault('mayIntrospect', 'is for clients that authenticate')
  if (mayCheckUsers) fault('mayCheckUsers', 'is for clients that authenticate')
}

const REDIRECT_FORM =
  'must be https, http on the loopback, or a private scheme with a dot, without a fragment'

function redirectFaults(
  { redirectUris, postLogoutRedirectUris, grantTypes: wanted }: RegistrationEntry,
  fault: (member: string, message: string) => void,
): void {
  for (const [member, uris] of Object.entries({ redirectUris, postLogoutRedirectUris })) {
    uris.forEach((uri, index) => {
      if (!isRegistrableRedirectUri(uri)) fault(`${member}[${String(index)}]`, REDIRECT_FORM)
    })
  }
  if (wanted.includes('authorization_code') && redirectUris.length === 0) {
    fault('redirectUris', 'must be given with the grant authorization_code')
  }
}

function at(path: string, member: string): string {
  return path === '' ? member : `${path}.${member}`
}
