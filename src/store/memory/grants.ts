import { reuseRevocation } from '../reuse.ts'
import { judgeRotation } from '../rotation.ts'
import type {
  CodeRecord,
  Once,
  RefreshFamily,
  RevocationQuestion,
  RevocationRecord,
} from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type Codes = Pick<Store, 'keepCode' | 'code' | 'consumeCode' | 'grantIds'>
type Families = Pick<Store, 'keepFamily' | 'family' | 'rotateRefresh'>
type Revocations = Pick<Store, 'revoke' | 'isRevoked'>
type Expiring = Pick<Store, 'reserve' | 'prune'>

/** What is made of grants, and how it ends. */
export function grants(): Codes & Families & Revocations & Expiring {
  const codes = new Table<CodeRecord>(({ tenant, hash }) => [tenant, hash])
  const families = new Table<RefreshFamily>(({ tenant, id }) => [tenant, id])
  const revocations = new Revoked()
  const reserved = new Table<Once>(({ tenant, owner, jti }) => [tenant, owner, jti])
  return {
    ...codeVerbs(codes),
    ...familyVerbs(families, revocations),
    revoke: (records) => {
      for (const record of records) revocations.write(record)
      return Promise.resolve()
    },
    isRevoked: (question) => Promise.resolve(revocations.reach(question)),
    reserve: (once, now) => {
      const held = reserved.get(once.tenant, once.owner, once.jti)
      if (held && held.expiresAt > now) return Promise.resolve(false)
      reserved.put(once)
      return Promise.resolve(true)
    },
    prune: (now) => {
      for (const table of [codes, families, revocations.table, reserved]) {
        table.removeWhere(({ expiresAt }) => expiresAt <= now)
      }
      return Promise.resolve()
    },
  }
}

function codeVerbs(codes: Table<CodeRecord>): Codes {
  return {
    keepCode: (record) => codes.insert(record),
    code: (tenant, hash) => Promise.resolve(codes.get(tenant, hash)),
    consumeCode: (tenant, hash) => {
      const record = codes.get(tenant, hash)
      if (!record || record.consumed) return Promise.resolve(false)
      codes.put({ ...record, consumed: true })
      return Promise.resolve(true)
    },
    grantIds: (tenant, user, client) =>
      Promise.resolve(
        codes
          .where((code) => code.tenant === tenant && code.sub === user && code.clientId === client)
          .map(({ grantId }) => grantId)
          .toSorted(compare),
      ),
  }
}

function familyVerbs(families: Table<RefreshFamily>, revocations: Revoked): Families {
  return {
    keepFamily: (family) => families.insert(family),
    family: (tenant, id) => Promise.resolve(families.get(tenant, id)),
    rotateRefresh: (rotation) => {
      const family = families.get(rotation.tenant, rotation.family)
      if (!family) return Promise.resolve('unknown')
      const verdict = judgeRotation(family, rotation)
      if (verdict.family) families.put(verdict.family)
      if (verdict.outcome === 'reused') revocations.write(reuseRevocation(family))
      return Promise.resolve(verdict.outcome)
    },
  }
}

class Revoked {
  readonly table = new Table<RevocationRecord>(({ tenant, kind, value }) => [tenant, kind, value])

  write(record: RevocationRecord): void {
    const { tenant, kind, value } = record
    const before = this.table.get(tenant, kind, value) ?? record
    this.table.put({
      ...record,
      notBefore: Math.max(before.notBefore, record.notBefore),
      expiresAt: Math.max(before.expiresAt, record.expiresAt),
    })
  }

  reach({
    tenant,
    jtis,
    grantId,
    subjects,
    clients,
    pairs,
    issuedAt,
  }: RevocationQuestion): boolean {
    const names: readonly (readonly [string, string])[] = [
      ...jtis.map((jti) => ['jti', jti] as const),
      ['grant', grantId],
      ...subjects.map((subject) => ['subject', subject] as const),
      ...clients.map((client) => ['client', client] as const),
      ...pairs.map((pair) => ['pair', pair] as const),
      ['tenant', ''],
    ]
    return names.some(([kind, value]) => {
      const row = this.table.get(tenant, kind, value)
      return row !== undefined && issuedAt <= row.notBefore
    })
  }
}
