import { OperatorFault } from '../platform/operator_fault.ts'
import type { AuditHead, AuditRow } from './audit_rows.ts'
import type { Rotation, RotationOutcome } from './rotation.ts'
import type {
  ApiKeyRecord,
  Approval,
  ClientRecord,
  CodeRecord,
  ConsentRecord,
  KeptKeySetRecord,
  LocalUser,
  Once,
  PushedRequest,
  RefreshFamily,
  RevocationQuestion,
  RevocationRecord,
  SessionRecord,
  SigningKeyRecord,
  UpstreamUser,
  UpstreamVisit,
  UserGrant,
} from './records.ts'

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
   * Keeps an approval, or answers with the one that the same user and agent have, if it is pending or denied and has not expired
   * at the moment at which the given one was made, whatever scopes either is of. One that is pending stands, so that what a user
   * has read is what they answer; one that was denied stands, so that they are not asked at once again. One that was approved is
   * replaced: more than that is a new question.
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
