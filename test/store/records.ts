import { createHash, randomBytes } from 'node:crypto'
import type { AuditRow } from '../../src/store/audit_rows.ts'
import type { Rotation } from '../../src/store/rotation.ts'
import type {
  Approval,
  ClientRecord,
  CodeRecord,
  KeptKeySetRecord,
  RefreshFamily,
  RevocationQuestion,
  RevocationRecord,
  SigningKeyRecord,
  UserGrant,
} from '../../src/store/records.ts'

/** Unix seconds; what records are made at unless a case says otherwise. */
export const now = 1_795_219_200

export function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export function signingKey(changes: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  return {
    tenant: 'acme-corp',
    kid: 'first',
    algorithm: 'ES256',
    sealedPrivateKey: randomBytes(48),
    createdAt: now,
    signsFrom: now,
    retiredAt: undefined,
    ...changes,
  }
}

export function keySet(changes: Partial<KeptKeySetRecord> = {}): KeptKeySetRecord {
  return {
    tenant: 'acme-corp',
    name: 'prod',
    sealed: randomBytes(48),
    fetchedAt: now,
    ...changes,
  }
}

export function client(changes: Partial<ClientRecord> = {}): ClientRecord {
  return {
    tenant: 'acme-corp',
    id: 'reporter',
    registration: '{"id":"reporter"}',
    secretHashes: [sha256('first')],
    createdAt: now,
    ...changes,
  }
}

export function code(changes: Partial<CodeRecord> = {}): CodeRecord {
  return {
    tenant: 'acme-corp',
    hash: sha256('code'),
    grantId: 'grant-1',
    clientId: 'reporter',
    sub: 'user-1',
    grant: '{"scope":"read"}',
    expiresAt: now + 600,
    consumed: false,
    ...changes,
  }
}

export function family(changes: Partial<RefreshFamily> = {}): RefreshFamily {
  return {
    tenant: 'acme-corp',
    id: 'family-1',
    clientId: 'reporter',
    sub: 'user-1',
    grant: '{"scope":"read"}',
    createdAt: now,
    expiresAt: now + 2_592_000,
    generation: 0,
    currentHash: secretOf(0),
    previousHash: undefined,
    rotatedAt: [],
    ...changes,
  }
}

/** Hash of the secret of a generation. */
export function secretOf(generation: number): Buffer {
  return sha256(`secret ${String(generation)}`)
}

/** Presents the token of a generation, so many milliseconds after the family began. */
export function rotation(
  generation: number,
  afterMs: number,
  changes: Partial<Rotation> = {},
): Rotation {
  return {
    tenant: 'acme-corp',
    family: 'family-1',
    generation,
    presentedHash: secretOf(generation),
    successorHash: secretOf(generation + 1),
    now: now * 1000 + afterMs,
    graceMs: 10_000,
    ...changes,
  }
}

export function revocation(changes: Partial<RevocationRecord> = {}): RevocationRecord {
  return {
    tenant: 'acme-corp',
    kind: 'grant',
    value: 'grant-1',
    notBefore: now,
    expiresAt: now + 86_400,
    ...changes,
  }
}

/** What is known of a delegated token: one subject with an actor, and the clients of both. */
export function question(changes: Partial<RevocationQuestion> = {}): RevocationQuestion {
  return {
    tenant: 'acme-corp',
    jtis: ['jti-1'],
    grantId: 'grant-1',
    subjects: ['user-1', 'agent-1'],
    clients: ['reporter', 'agent-1'],
    pairs: ['user-1 reporter', 'user-1 agent-1'],
    issuedAt: now,
    ...changes,
  }
}

export function userGrant(changes: Partial<UserGrant> = {}): UserGrant {
  return {
    tenant: 'acme-corp',
    user: 'user-1',
    agent: 'agent-1',
    scopes: ['read', 'write'],
    createdAt: now,
    ...changes,
  }
}

export function approval(changes: Partial<Approval> = {}): Approval {
  return {
    tenant: 'acme-corp',
    id: 'approval-1',
    user: 'user-1',
    agent: 'agent-1',
    scopes: ['read', 'write'],
    chain: ['web'],
    status: 'pending',
    createdAt: now,
    expiresAt: now + 600,
    ...changes,
  }
}

/** So many rows that follow on one another, from a place in a segment on. */
export function auditRows(
  count: number,
  changes: Partial<AuditRow> & { readonly from?: number } = {},
): readonly AuditRow[] {
  const { from = 0, segment = 'segment-1', ...others } = changes
  return Array.from({ length: count }, (_, n) => {
    const sequence = from + n
    const text = `{"place":"${segment} ${String(sequence)}"}`
    const at = now * 1000 + sequence
    return { segment, sequence, tenant: 'acme-corp', at, text, hash: sha256(text), ...others }
  })
}

/** A record with its bytes as text, in depth: stores differ in which kind of byte array they answer with. */
export function shown(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, shown(part)]))
}
