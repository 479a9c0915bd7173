import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import type { AuditEvent } from '../platform/audit.ts'
import type { AuditHead } from '../store/audit_rows.ts'

/**
 * What the signature of a head says.
 * - `closed`: the process that wrote the rows closed the segment after the last of them.
 * - `found`: the process ended without that, and these rows were what was there later. Signed apart, for else whoever can
 *   write to the store could leave rows of their own and have them signed as if they were ours.
 */
export type HeadKind = 'closed' | 'found'

/** Where a segment ends. */
export type SegmentEnd = Omit<AuditHead, 'signature'>

export interface AuditKeys {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** The start of every Ed25519 key in PKCS#8 (RFC 8410 section 7); the 32 bytes of the seed follow. */
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * The text of an event, which is kept and hashed. The members stand in one order, whatever order the event has them in, and
 * one that is added to the event has to be given its place here.
 */
export function eventText(event: AuditEvent, at: number): string {
  return JSON.stringify({
    at: new Date(at).toISOString(),
    event: event.event,
    tenant: event.tenant,
    outcome: event.outcome,
    severity: event.severity,
    grant: event.grant,
    client_id: event.client_id,
    subject: event.subject,
    actor_chain: event.actor_chain,
    audience: event.audience,
    scope_requested: event.scope_requested,
    scope_granted: event.scope_granted,
    rule: event.rule,
    reason: event.reason,
    mismatch: event.mismatch,
    token_sha256: event.token_sha256,
    jti: event.jti,
    grant_id: event.grant_id,
    expires_at: event.expires_at,
    provider: event.provider,
    subject_proof: event.subject_proof,
    request_id: event.request_id,
    trace_id: event.trace_id,
    ip_address: event.ip_address,
  } satisfies { at: string } & Record<keyof AuditEvent, unknown>)
}

/** What the first row of a segment follows on. It binds the rows to their segment: no row fits at the start of another. */
export function firstHash(segment: string): Buffer {
  return createHash('sha256').update(`lumo-broker audit segment ${segment}`).digest()
}

/** Hash of a row. The hash before it has a fixed length, so the two can be told apart. */
export function rowHash(previous: Uint8Array, text: string): Buffer {
  return createHash('sha256').update(previous).update(text).digest()
}

/** The text that is signed at the end of a segment. */
export function headText({ segment, rows, hash, closedAt }: SegmentEnd, kind: HeadKind): string {
  const end = Buffer.from(hash).toString('base64url')
  return JSON.stringify([`lumo-broker audit head, ${kind}`, segment, rows, end, closedAt])
}

/**
 * The keys that heads are signed and verified with. They follow from the seed alone, so every process with the same key file
 * has the same ones.
 */
export function auditKeys(seed: Uint8Array): AuditKeys {
  if (seed.length !== 32) throw new RangeError('the seed of the audit key must have 32 bytes')
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, seed]),
    format: 'der',
    type: 'pkcs8',
  })
  return { privateKey, publicKey: createPublicKey(privateKey) }
}

export function signHead(end: SegmentEnd, kind: HeadKind, privateKey: KeyObject): AuditHead {
  return { ...end, signature: sign(null, Buffer.from(headText(end, kind)), privateKey) }
}

/** What the signature of a head says; undefined where it is not ours. */
export function headKind(head: AuditHead, publicKey: KeyObject): HeadKind | undefined {
  const kinds: readonly HeadKind[] = ['closed', 'found']
  return kinds.find((kind) =>
    verify(null, Buffer.from(headText(head, kind)), publicKey, head.signature),
  )
}
