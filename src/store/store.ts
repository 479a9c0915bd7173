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

/** What a revocation names. `subject` reaches actors of a chain too, `client` the clients of actors. */
export type RevocationKind = 'jti' | 'grant' | 'subject' | 'client' | 'tenant'

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

/** An agent has asked for what a user could allow it, and nobody has answered yet. */
export interface Approval {
  readonly tenant: string
  readonly id: string
  readonly user: string
  /** `client_id` of the agent. */
  readonly agent: string
  readonly scopes: readonly string[]
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

/** Somebody who is signed in. */
export interface SessionRecord {
  readonly tenant: string
  /** SHA-256 of what the browser holds. */
  readonly hash: Uint8Array
  readonly user: string
  /** When they showed who they are; Unix seconds. */
  readonly authTime: number
  readonly expiresAt: number
}

/** What a user agreed to that a client may have. */
export interface ConsentRecord {
  readonly tenant: string
  readonly user: string
  readonly client: string
  readonly scopes: readonly string[]
  readonly targets: readonly string[]
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

  userGrants(tenant: string): Promise<readonly UserGrant[]>
  userGrant(tenant: string, user: string, agent: string): Promise<UserGrant | undefined>
  /** Replaces the one for the same user and agent. */
  putUserGrant(grant: UserGrant): Promise<void>
  removeUserGrant(tenant: string, user: string, agent: string): Promise<boolean>

  /**
   * Keeps an approval, or answers with the one that is open for the same user and agent: asking again opens no second.
   * Open is what has not expired at the moment at which the given one was made.
   */
  openApproval(approval: Approval): Promise<Approval>
  /** Those that have not expired, oldest first. `now` in Unix seconds. */
  approvals(tenant: string, now: number): Promise<readonly Approval[]>

  /** False where the `sub` or the address is taken. */
  addLocalUser(user: LocalUser): Promise<boolean>
  localUser(tenant: string, sub: string): Promise<LocalUser | undefined>
  localUserByEmail(tenant: string, email: string): Promise<LocalUser | undefined>
  /** By address. */
  localUsers(tenant: string): Promise<readonly LocalUser[]>
  /** False where there is no such user. */
  setPassword(tenant: string, sub: string, password: string): Promise<boolean>

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
