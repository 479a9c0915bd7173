import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  auditKeys,
  eventText,
  firstHash,
  headKind,
  headText,
  rowHash,
  signHead,
  type HeadKind,
} from '../../src/audit/chain.ts'
import type { AuditEvent } from '../../src/platform/audit.ts'
import type { AuditHead } from '../../src/store/audit_rows.ts'

const at = Date.UTC(2026, 10, 21, 8, 30, 0, 7)

/** Every member there is, in no order of ours. */
const full: Required<AuditEvent> = {
  ip_address: '10.0.0.1',
  trace_id: 'trace',
  request_id: 'request',
  subject_proof: 'system:serviceaccount:research:doc-analyst',
  provider: 'production',
  expires_at: 1_795_219_200,
  grant_id: 'grant',
  jti: 'jti',
  token_sha256: 'hash',
  mismatch: 'namespace',
  reason: 'reason',
  rule: 'doc-analyst',
  scope_granted: 'docs.read',
  scope_requested: 'docs.read docs.write',
  audience: ['https://docs.example.com', 'https://mail.example.com'],
  actor_chain: ['first', 'second'],
  subject: 'user',
  client_id: 'agent',
  grant: 'token_exchange',
  severity: 'info',
  outcome: 'success',
  tenant: 'acme-corp',
  event: 'token.issued',
}

describe('the text of an event', () => {
  test('is one line of JSON with the time first and every member in one order', () => {
    expect(eventText(full, at)).toBe(
      '{"at":"2026-11-21T08:30:00.007Z","event":"token.issued","tenant":"acme-corp",' +
        '"outcome":"success","severity":"info","grant":"token_exchange","client_id":"agent",' +
        '"subject":"user","actor_chain":["first","second"],' +
        '"audience":["https://docs.example.com","https://mail.example.com"],' +
        '"scope_requested":"docs.read docs.write","scope_granted":"docs.read",' +
        '"rule":"doc-analyst","reason":"reason","mismatch":"namespace","token_sha256":"hash","jti":"jti",' +
        '"grant_id":"grant","expires_at":1795219200,"provider":"production",' +
        '"subject_proof":"system:serviceaccount:research:doc-analyst",' +
        '"request_id":"request","trace_id":"trace","ip_address":"10.0.0.1"}',
    )
  })

  test('does not depend on the order of the members of the event', () => {
    const reversed = Object.fromEntries(Object.entries(full).toReversed())
    expect(eventText(reversed as unknown as AuditEvent, at)).toBe(eventText(full, at))
  })

  test('leaves out what is undefined', () => {
    const event: AuditEvent = {
      event: 'token.refused',
      tenant: 'acme-corp',
      outcome: 'denied',
      subject: undefined,
      actor_chain: undefined,
    }
    expect(eventText(event, at)).toBe(
      '{"at":"2026-11-21T08:30:00.007Z","event":"token.refused","tenant":"acme-corp","outcome":"denied"}',
    )
  })

  test('holds no member that the event type does not know', () => {
    const more = { ...full, access_token: 'misplaced' } as AuditEvent
    expect(eventText(more, at)).toBe(eventText(full, at))
  })
})

describe('hashes', () => {
  const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }

  test('the first row follows on the name of its segment', () => {
    expect(firstHash('one').toString('hex')).toBe(sha256('lumo-broker audit segment one'))
  })

  test('a row follows on the bytes of the hash before it', () => {
    const hash = rowHash(firstHash('one'), 'é')
    expect(hash.toString('hex')).toBe(sha256(firstHash('one'), Buffer.from('é')))
  })
})

describe('the end of a segment', () => {
  const keys = auditKeys(Buffer.alloc(32, 1))
  const end = { segment: 'one', rows: 3, hash: firstHash('one'), closedAt: at }

  test('the same seed makes the same keys, in every process', () => {
    // RFC 8032 section 7.1, test 1.
    const seed = Buffer.from(
      '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      'hex',
    )
    const { publicKey } = auditKeys(seed)
    expect(publicKey.export({ format: 'jwk' })['x']).toBe(
      Buffer.from(
        'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
        'hex',
      ).toString('base64url'),
    )
  })

  test.each([31, 33, 64])('a seed of %i bytes makes none', (length) => {
    expect(() => auditKeys(Buffer.alloc(length))).toThrow('32 bytes')
  })

  test.each<HeadKind>(['closed', 'found'])('a signature says that it was %s', (kind) => {
    expect(headKind(signHead(end, kind, keys.privateKey), keys.publicKey)).toBe(kind)
  })

  test('is signed with a text that tells its kind and all that it says', () => {
    expect(headText(end, 'closed')).toBe(
      `["lumo-broker audit head, closed","one",3,"${end.hash.toString('base64url')}",${String(at)}]`,
    )
  })

  const changes: readonly { readonly name: string; readonly change: Partial<AuditHead> }[] = [
    { name: 'segment', change: { segment: 'two' } },
    { name: 'rows', change: { rows: 2 } },
    { name: 'hash', change: { hash: firstHash('two') } },
    { name: 'time', change: { closedAt: at + 1 } },
    { name: 'signature', change: { signature: Buffer.alloc(64) } },
    { name: 'length of the signature', change: { signature: Buffer.alloc(0) } },
  ]
  test.each(changes)('with another $name it is not ours', ({ change }) => {
    const head = signHead(end, 'closed', keys.privateKey)
    expect(headKind({ ...head, ...change }, keys.publicKey)).toBeUndefined()
  })

  test('with the key of another it is not ours', () => {
    const other = auditKeys(Buffer.alloc(32, 2))
    expect(headKind(signHead(end, 'closed', other.privateKey), keys.publicKey)).toBeUndefined()
  })
})
