import type { Ceiling } from '../policy/ceiling.ts'
import type { Consents } from './authorize/consents.ts'
import type { PushedRequests } from './authorize/pushed.ts'
import type { Sessions } from './browser/session.ts'
import type { PermissionEngine } from '../policy/permissions/engine.ts'
import type { Agent, Delegation, Policy } from '../policy/policy.ts'
import type { LocalUser, UserGrant } from '../store/records.ts'
import type { Verifier } from '../verifier/verifier.ts'
import type { Approvals } from './approvals.ts'
import type { Clients } from './client/registry.ts'
import type { AccessTokens } from './access_token.ts'
import type { ApiKeys } from './authz/api_keys.ts'
import type { Codes } from './code.ts'
import type { DpopVerifier } from './dpop/proof.ts'
import type { RefreshTokens } from './refresh_token.ts'
import type { Revocations } from './revocations.ts'
import type { Signer } from './signer.ts'
import type { Upstreams } from './sign_in/upstream/upstreams.ts'
import type { Users } from './users.ts'

/** Whom a token can be issued to: a registered client, or an agent of the trust policy. */
export interface Party {
  /** Its `client_id`. */
  readonly id: string
  /** Its `sub` in tokens of its own. */
  readonly sub: string
  /** What the trust policy says of it, if it is an agent. */
  readonly agent: Agent | undefined
  readonly ceiling: Ceiling
  /** Undefined: it may not act for others. */
  readonly delegation: Delegation | undefined
  readonly lifetimeSeconds: number
  /** Targets that it is itself, beside its own id. */
  readonly audiences: readonly string[]
}

export interface TenantSettings {
  /** Whether local users sign in with a password. */
  readonly passwords: boolean
  readonly maxDelegationDepth: number
  readonly capabilitiesInTokens: boolean
  readonly workloadRefusal: 'invalid_request' | 'workload_identity_failed'
}

/** All that one tenant has. Tenants share nothing but the process. */
export interface Tenant {
  readonly slug: string
  /** The one string that is `iss`, the name in discovery, and by default the audience of proofs. */
  readonly issuer: string
  /** Its discovery is served at the root as well. */
  readonly atOrigin: boolean
  readonly settings: TenantSettings
  readonly clients: Clients
  readonly users: Users
  readonly sessions: Sessions
  /** Other providers that sign people in. */
  readonly upstreams: Upstreams
  /** Besides our own: their pages may sign people in. */
  readonly trustedOrigins: ReadonlySet<string>
  readonly consents: Consents
  readonly pushed: PushedRequests
  /** A local user, by address in small letters; nobody where passwords are off. */
  readonly localUser: (email: string) => Promise<LocalUser | undefined>
  readonly signer: Signer
  readonly verifier: Verifier
  /** Reads tokens that this tenant issued. */
  readonly accessTokens: AccessTokens
  /** Reads keys by which its clients ask for permissions. */
  readonly apiKeys: ApiKeys
  readonly codes: Codes
  readonly refreshTokens: RefreshTokens
  readonly revocations: Revocations
  readonly dpop: DpopVerifier
  /** Public URLs of a path of this tenant, under either prefix. */
  readonly urls: (path: string) => readonly string[]
  /** Whether a moment, in Unix seconds, has passed. */
  readonly isPast: (moment: number) => boolean
  readonly approvals: Approvals
  /** What a user allowed an agent, by its `client_id`. */
  readonly userGrant: (user: string, agent: string) => Promise<UserGrant | undefined>
  /** All of a user, by agent. */
  readonly userGrants: (user: string) => Promise<readonly UserGrant[]>
  /** False where there is none. */
  readonly removeUserGrant: (user: string, agent: string) => Promise<boolean>
  /** Who may do what. */
  readonly permissions: PermissionEngine
  /** The trust policy as it is now. */
  readonly policy: () => Policy
}

/** Whether a token for these audiences was made for a party. */
export function isMadeFor(party: Party, audiences: readonly string[]): boolean {
  return audiences.some((audience) => audience === party.id || party.audiences.includes(audience))
}

/**
 * Whether a token is its party's own to use with us: made for that party or for our issuer, and for nobody besides. Each
 * further audience holds the token too, and could else use it as its own.
 */
export function isOwn(
  party: Pick<Party, 'id'>,
  issuer: string,
  audiences: readonly string[],
): boolean {
  return audiences.every((audience) => audience === party.id || audience === issuer)
}

/** An agent of the trust policy as the party that it is. */
export function partyOfAgent(agent: Agent): Party {
  return {
    id: agent.clientId,
    sub: agent.sub,
    agent,
    ceiling: agent.ceiling,
    delegation: agent.delegation,
    lifetimeSeconds: agent.lifetimeSeconds,
    audiences: [],
  }
}
