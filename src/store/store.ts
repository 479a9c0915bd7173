import { OperatorFault } from '../platform/operator_fault.ts'
import type { AuditHead, AuditRow } from './audit_rows.ts'
import type { Rotation, RotationOutcome } from './rotation.ts'

/** A signing key as it lies in the store. The private part is sealed; the store never sees it open. Times in Unix seconds. */
export interface SigningKeyRecord {
  readonly tenant: string
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  readonly algorithm: string
  readonly sealedPrivateKey: Uint8Array
  readonly createdAt: number
  /** Published from the start; signs from here on, once nobody can hold a key set without it. */
  readonly signsFrom: number
  /** Signs no more from here on; published until the last token that it signed has expired. */
  readonly retiredAt: number | undefined
}

/** A client that was registered at run time. */
export interface ClientRecord {
  readonly tenant: string
  readonly id: string
  /** Its registration as JSON, in the shape of the configuration, without secrets. */
  readonly registration: string
  /** SHA-256 of its secrets, the newest first; at most two. */
  readonly secretHashes: readonly Uint8Array[]
  readonly createdAt: number
}

/** An authorization code, by its hash. */
export interface CodeRecord {
  readonly tenant: string
  /** SHA-256 of the code. */
  readonly hash: Uint8Array
  /** Of everything that will be made of it. */
  readonly grantId: string
  readonly clientId: string
  /** Whose it is. */
  readonly sub: string
  /** What it was issued for, as JSON. */
  readonly grant: string
  readonly expiresAt: number
  readonly consumed: boolean
}

/**
 * A family of refresh tokens: all that followed on one another since one grant. One row, however often it is rotated: old
 * tokens are known by their own form, not by a memory of each.
 */
export interface RefreshFamily {
  readonly tenant: string
  /** Also the `grant_id` of its access tokens. */
  readonly id: string
  readonly clientId: string
  readonly sub: string
  /** What was granted, as JSON. */
  readonly grant: string
  readonly createdAt: number
  readonly expiresAt: number
  /** Counts rotations, from 0. */
  readonly generation: number
  /** SHA-256 of the secret that can be rotated now. */
  readonly currentHash: Uint8Array
  /** SHA-256 of the one before it. */
  readonly previousHash: Uint8Array | undefined
  /** When the last rotations were, oldest first, in Unix milliseconds. */
  readonly rotatedAt: readonly number[]
}

/**
 * What a revocation names. `subject` reaches actors of a chain too, `client` the clients of actors; `pair` is what a client has
 * of a subject, itself or as an actor.
 */
export type RevocationKind = 'jti' | 'grant' | 'subject' | 'client' | 'pair' | 'tenant'

/** Tokens that were issued up to a moment are no longer good. Times in Unix seconds. */
export interface RevocationRecord {
  readonly tenant: string
  readonly kind: RevocationKind
  /** Empty for a whole tenant. */
  readonly value: string
  /** What was issued at this second or before is revoked. */
  readonly notBefore: number
  /** When the last token that it can touch has expired. */
  readonly expiresAt: number
}

/** What is known of a token or a family, to look its revocation up. */
export interface RevocationQuestion {
  readonly tenant: string
  readonly jti: string | undefined
  readonly grantId: string
  readonly subjects: readonly string[]
  readonly clients: readonly string[]
  /** Of the subject with each of the clients. */
  readonly pairs: readonly string[]
  /** Unix seconds. */
  readonly issuedAt: number
}

/** A user has allowed an agent to act for them. */
export interface UserGrant {
  readonly tenant: string
  readonly user: string
  /** `client_id` of the agent. */
  readonly agent: string
  readonly scopes: readonly string[]
  readonly createdAt: number
}

/** So long after it could have been answered an approval is still known: whoever waits for it is told what became of it. */
export const APPROVAL_KEPT_SECONDS = 3_600

/** `expired`: nobody answered in time. */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired'

/** An agent has asked for what a user could allow it. */
export interface Approval {
  readonly tenant: string
  readonly id: string
  readonly user: string
  /** `client_id` of the agent. */
  readonly agent: string
  readonly scopes: readonly string[]
  /** Clients through whose hands the user's token came to the agent, the first one first. */
  readonly chain: readonly string[]
  readonly status: ApprovalStatus
  readonly createdAt: number
  readonly expiresAt: number
}

/** A user whom this authority itself signs in. */
export interface LocalUser {
  readonly tenant: string
  readonly sub: string
  /** In small letters; each once in a tenant. */
  readonly email: string
  readonly name: string | undefined
  /** A PHC string. */
  readonly password: string
  readonly createdAt: number
}

/** A user whom another OpenID Provider signs in. */
export interface UpstreamUser {
  readonly tenant: string
  /** Issuer of that provider. */
  readonly issuer: string
  /** `sub` there. */
  readonly subject: string
  /** `sub` here. */
  readonly sub: string
  readonly email: string | undefined
  /** Whether the provider says so. */
  readonly emailVerified: boolean
  readonly name: string | undefined
  readonly createdAt: number
}

/** Somebody who was sent to another OpenID Provider, and has not come back. */
export interface UpstreamVisit {
  readonly tenant: string
  /** SHA-256 of `state`. */
  readonly hash: Uint8Array
  /** Name of the provider. */
  readonly upstream: string
  /** SHA-256 of what the browser holds. */
  readonly browser: Uint8Array
  /** Where they go on from there. */
  readonly next: string
  readonly expiresAt: number
}

/** An authorization request that a client pushed (RFC 9126). */
export interface PushedRequest {
  readonly tenant: string
  /** SHA-256 of the random part of its `request_uri`. */
  readonly hash: Uint8Array
  readonly clientId: string
  /** Its parameters, form-encoded. */
  readonly query: string
  readonly createdAt: number
  readonly expiresAt: number
}

/** A key by which a client asks for permissions. */
export interface ApiKeyRecord {
  readonly tenant: string
  readonly id: string
  readonly clientId: string
  /** SHA-256 of the key. */
  readonly hash: Uint8Array
  /** What the operator calls it. */
  readonly name: string
  readonly createdAt: number
  /** Undefined: it does not expire. */
  readonly expiresAt: number | undefined
}

/** Somebody who is signed in. */
export interface SessionRecord {
  readonly tenant: string
  /** SHA-256 of what the browser holds. */
  readonly hash: Uint8Array
  readonly user: string
  /** When they showed who they are; Unix seconds. */
  readonly authTime: number
  /** Hash of the pushed request for which they did, if it was for one. */
  readonly request: Uint8Array | undefined
  readonly expiresAt: number
}

/** What a user agreed to that a client may have. */
export interface ConsentRecord {
  readonly tenant: string
  readonly user: string
  readonly client: string
  /**
   * Scopes by target. What was agreed to at one is not agreed to at another; what was agreed to at none in particular, under the
   * empty name, is good wherever the client may use it.
   */
  readonly given: Readonly<Record<string, readonly string[]>>
  readonly createdAt: number
}

/** Something that may be shown once: the `jti` of a client assertion or of a DPoP proof. */
export interface Once {
  readonly tenant: string
  /** Whose: `assertion` and a client, `dpop` and a key. */
  readonly owner: string
  readonly jti: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** The last good key set of an issuer, for when it cannot be reached after a restart. */
export interface KeptKeySetRecord {
  readonly tenant: string
  /** Whose it is, and where it was fetched. */
  readonly name: string
  /** The set. Its keys are public, but whoever could plant one would be believed: the store never sees it open. */
  readonly sealed: Uint8Array
  /** Unix seconds. */
  readonly fetchedAt: number
}

/** Whether what is wanted is part of what there is. */
export function isCovered(wanted: readonly string[], there: readonly string[]): boolean {
  return wanted.every((each) => there.includes(each))
}

/** The store did not answer. Nothing was written. */
export class StoreFault extends OperatorFault {}

/**
 * What must survive. Verbs are atomic, each a whole decision, so that no two processes can each do half of one.
 * Every verb rejects with StoreFault when the store is out. Times are the caller's.
 */
export interface Store {
  /** The keys of a tenant, oldest first. */
  signingKeys(tenant: string): Promise<readonly SigningKeyRecord[]>
  /**
   * Keeps a first signing key where the tenant has none, and answers with the keys that it then has: of two processes that
   * start at once one is the first, and both sign with its key.
   */
  keepFirstSigningKey(record: SigningKeyRecord): Promise<readonly SigningKeyRecord[]>
  addSigningKey(record: SigningKeyRecord): Promise<void>
  /**
   * Retires a key, unless no other is left that signs at that moment.
   * `last`: it is the only one that signs. `unknown`: there is no such key, or it is retired already.
   */
  retireSigningKey(tenant: string, kid: string, at: number): Promise<'retired' | 'last' | 'unknown'>

  /**
   * Replaces the one of the same tenant and name, unless that was fetched later. What the tenant has under other names is
   * dropped where it was fetched more than thirty days before: no configuration uses it any more.
   */
  keepKeySet(record: KeptKeySetRecord): Promise<void>
  keptKeySet(tenant: string, name: string): Promise<KeptKeySetRecord | undefined>

  client(tenant: string, id: string): Promise<ClientRecord | undefined>
  /** By id. */
  clients(tenant: string): Promise<readonly ClientRecord[]>
  /** False where the id is taken; nothing is written then. */
  addClient(record: ClientRecord): Promise<boolean>
  /** Puts a secret before the newest one, and forgets all but these two. False where there is no such client. */
  rotateClientSecret(tenant: string, id: string, hash: Uint8Array): Promise<boolean>
  removeClient(tenant: string, id: string): Promise<boolean>

  keepCode(record: CodeRecord): Promise<void>
  code(tenant: string, hash: Uint8Array): Promise<CodeRecord | undefined>
  /** True for the one caller that consumes it; false for every other, and where there is no such code. */
  consumeCode(tenant: string, hash: Uint8Array): Promise<boolean>
  /** `grant_id`s of the codes that a client was given for a user, and of which something may still live. */
  grantIds(tenant: string, user: string, client: string): Promise<readonly string[]>

  keepFamily(family: RefreshFamily): Promise<void>
  family(tenant: string, id: string): Promise<RefreshFamily | undefined>
  /**
   * Decides over one presented refresh token by `judgeRotation` and writes what it says, in one step. `reused` also writes
   * the revocation of the family's grant.
   */
  rotateRefresh(rotation: Rotation): Promise<RotationOutcome>

  /** A later moment replaces an earlier one for the same kind and value; never the other way round. */
  revoke(records: readonly RevocationRecord[]): Promise<void>
  isRevoked(question: RevocationQuestion): Promise<boolean>

  /** True the first time, until it expires. `now` in Unix seconds. */
  reserve(once: Once, now: number): Promise<boolean>

  /** Of one user where one is given. */
  userGrants(tenant: string, user?: string): Promise<readonly UserGrant[]>
  userGrant(tenant: string, user: string, agent: string): Promise<UserGrant | undefined>
  /** Replaces the one for the same user and agent. */
  putUserGrant(grant: UserGrant): Promise<void>
  removeUserGrant(tenant: string, user: string, agent: string): Promise<boolean>

  /**
   * Keeps an approval, or answers with the one that the same user and agent have, if it is of no fewer scopes, is pending or denied
   * and has not expired at the moment at which the given one was made: asking again opens no second, and whoever said no is not
   * asked at once again. One that is of fewer scopes is gone: what the user then reads is what they answer.
   */
  openApproval(approval: Approval): Promise<Approval>
  /** Until an hour after it expired. */
  approval(tenant: string, id: string): Promise<Approval | undefined>
  /** Those that are pending and have not expired, oldest first; of one user where one is given. `now` in Unix seconds. */
  approvals(tenant: string, now: number, user?: string): Promise<readonly Approval[]>
  /**
   * A user answers one of their own. What they approve is granted in the same step, beside what was before. Undefined: it is not
   * theirs, or not pending any more.
   */
  decideApproval(
    tenant: string,
    user: string,
    id: string,
    decision: 'approved' | 'denied',
    now: number,
  ): Promise<Approval | undefined>
  /** Drops all of an agent. */
  removeApprovalsBy(tenant: string, agent: string): Promise<void>
  /** Marks those that nobody answered in time, and answers with them: each is told of once. */
  expireApprovals(tenant: string, now: number): Promise<readonly Approval[]>

  /** False where the `sub` or the address is taken. */
  addLocalUser(user: LocalUser): Promise<boolean>
  localUser(tenant: string, sub: string): Promise<LocalUser | undefined>
  localUserByEmail(tenant: string, email: string): Promise<LocalUser | undefined>
  /** By address. */
  localUsers(tenant: string): Promise<readonly LocalUser[]>
  /** False where there is no such user. */
  setPassword(tenant: string, sub: string, password: string): Promise<boolean>

  /** Keeps a user of another provider, or what is new of one who is known; answers with what is kept: a known one keeps their `sub`. */
  putUpstreamUser(user: UpstreamUser): Promise<UpstreamUser>
  upstreamUser(tenant: string, sub: string): Promise<UpstreamUser | undefined>
  upstreamUserOf(tenant: string, issuer: string, subject: string): Promise<UpstreamUser | undefined>
  /** By `sub`. */
  upstreamUsers(tenant: string): Promise<readonly UpstreamUser[]>
  keepUpstreamVisit(visit: UpstreamVisit): Promise<void>
  /** It is gone then: one answer of the provider is taken once. */
  takeUpstreamVisit(tenant: string, hash: Uint8Array): Promise<UpstreamVisit | undefined>

  keepPushed(request: PushedRequest): Promise<void>
  pushed(tenant: string, hash: Uint8Array): Promise<PushedRequest | undefined>
  /** True for the one that takes it away. */
  endPushed(tenant: string, hash: Uint8Array): Promise<boolean>

  addApiKey(key: ApiKeyRecord): Promise<void>
  apiKey(tenant: string, id: string): Promise<ApiKeyRecord | undefined>
  /** Oldest first. */
  apiKeys(tenant: string): Promise<readonly ApiKeyRecord[]>
  removeApiKey(tenant: string, id: string): Promise<boolean>

  keepSession(session: SessionRecord): Promise<void>
  session(tenant: string, hash: Uint8Array): Promise<SessionRecord | undefined>
  endSession(tenant: string, hash: Uint8Array): Promise<boolean>
  /** All of a user. */
  endSessions(tenant: string, user: string): Promise<void>

  consent(tenant: string, user: string, client: string): Promise<ConsentRecord | undefined>
  /** By client. */
  consents(tenant: string, user: string): Promise<readonly ConsentRecord[]>
  /** Replaces the one for the same user and client. */
  putConsent(consent: ConsentRecord): Promise<void>
  removeConsent(tenant: string, user: string, client: string): Promise<boolean>
  /** Of all users to one client. */
  removeConsentsTo(tenant: string, client: string): Promise<void>

  disabledUsers(tenant: string): Promise<readonly string[]>
  isUserDisabled(tenant: string, user: string): Promise<boolean>
  setUserDisabled(tenant: string, user: string, disabled: boolean): Promise<void>

  /** Appends rows, all or none. */
  appendAudit(rows: readonly AuditRow[]): Promise<void>
  /** The newest rows, oldest of them first; of one tenant where one is given. */
  auditTail(tenant: string | undefined, count: number): Promise<readonly AuditRow[]>
  /** Every row of a segment in order. */
  auditSegment(segment: string): Promise<readonly AuditRow[]>
  /** Segments that have rows here, with the time of their newest row in Unix milliseconds. */
  auditSegments(): Promise<readonly { readonly segment: string; readonly lastAt: number }[]>
  /** Keeps the signed end of a segment. */
  closeAuditSegment(head: AuditHead): Promise<void>
  /** In the order in which they were closed. */
  auditHeads(): Promise<readonly AuditHead[]>
  /** Drops the rows of closed segments whose newest row is older than `before` (Unix milliseconds); their heads stay. Answers how many segments. */
  dropAuditSegments(before: number): Promise<number>

  /** Drops codes, sessions, families, revocations, reservations and approvals that have expired. `now` in Unix seconds. */
  prune(now: number): Promise<void>
  close(): Promise<void>
}
