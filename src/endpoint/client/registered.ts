import type { ClientAuthMethod, ClientConfig } from '../../config/client.ts'
import type { GrantName } from '../../oauth/grant_types.ts'
import { Ceiling, type GrantPair } from '../../policy/ceiling.ts'
import { delegationOf } from '../../policy/compile.ts'
import { compileRule, type ProofRule } from '../../policy/rule.ts'
import { KeySet } from '../../verifier/keys/key_set.ts'
import type { Party } from '../tenant.ts'

/** A client with a registration of its own, ready to be asked. */
export interface RegisteredClient extends Party {
  /** What people are shown. */
  readonly name?: string
  /** It cannot keep a secret (RFC 6749 section 2.1). */
  readonly isPublic: boolean
  /** SHA-256 digests of its secrets. */
  readonly secretHashes: readonly Uint8Array[]
  readonly methods: readonly ClientAuthMethod[]
  /** Keys of its own assertions. */
  readonly keys: KeySet | undefined
  /** Pods whose tokens are its assertions. */
  readonly rule: ProofRule | undefined
  /** Which scopes it may have where. */
  readonly grants: readonly GrantPair[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly grantTypes: readonly GrantName[]
  readonly refreshLifetimeSeconds: number
  readonly refreshIdleSeconds: number | undefined
  readonly mayIntrospect: boolean
  readonly mayCheckUsers: boolean
  /** Subs of the users whose place it may take. */
  readonly impersonates: readonly string[]
  readonly mayAct: string | undefined
  readonly dpopBound: boolean
}

/** @throws KeySetFault when its `jwks` are no keys */
export function registeredClient(config: ClientConfig): RegisteredClient {
  const { grants, delegation, maxTargets } = config
  return {
    id: config.id,
    ...(config.name !== undefined && { name: config.name }),
    sub: config.id,
    agent: undefined,
    ceiling: Ceiling.of(grants, maxTargets),
    delegation: delegationOf({ grants, delegation, maxTargets }),
    lifetimeSeconds: config.lifetimeSeconds,
    audiences: config.audiences,
    isPublic: config.methods.includes('none'),
    secretHashes: config.secretHashes,
    methods: config.methods,
    keys: config.jwks && KeySet.from(config.jwks),
    rule: config.proof && compileRule(config.proof),
    grants,
    redirectUris: config.redirectUris,
    postLogoutRedirectUris: config.postLogoutRedirectUris,
    grantTypes: config.grantTypes,
    refreshLifetimeSeconds: config.refreshLifetimeSeconds,
    refreshIdleSeconds: config.refreshIdleSeconds,
    mayIntrospect: config.mayIntrospect,
    mayCheckUsers: config.mayCheckUsers,
    impersonates: config.impersonation?.users ?? [],
    mayAct: config.mayAct,
    dpopBound: config.dpopBound,
  }
}
