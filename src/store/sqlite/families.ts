import { reuseRevocation } from '../reuse.ts'
import { judgeRotation } from '../rotation.ts'
import type { RefreshFamily, RevocationRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Families = Pick<Store, 'keepFamily' | 'family' | 'rotateRefresh'>

type Row = Omit<RefreshFamily, 'previousHash' | 'rotatedAt'> & {
  readonly previousHash: Uint8Array | null
  readonly rotatedAt: string
}

/** `revoke` is called inside the transaction of the rotation. */
export function families(
  connection: Connection,
  revoke: (record: RevocationRecord) => void,
): Families {
  const insert = connection.prepare(
    'INSERT INTO refresh_families VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  )
  const select = connection.prepare<Row>(
    `SELECT tenant, id, client_id AS clientId, sub, granted AS "grant", created_at AS createdAt,
       expires_at AS expiresAt, generation, current_hash AS currentHash,
       previous_hash AS previousHash, rotated_at AS rotatedAt
     FROM refresh_families WHERE tenant = ? AND id = ?`,
  )
  const update = connection.prepare(
    `UPDATE refresh_families SET generation = ?, current_hash = ?, previous_hash = ?, rotated_at = ?
     WHERE tenant = ? AND id = ?`,
  )
  const familyOf = (tenant: string, id: string): RefreshFamily | undefined => {
    const row = select.get(tenant, id)
    return row && readRow(row)
  }
  const rotated = ({ tenant, id, ...family }: RefreshFamily): void => {
    const { generation, currentHash, previousHash, rotatedAt } = family
    const times = JSON.stringify(rotatedAt)
    update.run(generation, currentHash, previousHash ?? null, times, tenant, id)
  }
  return {
    keepFamily: (family) =>
      connection.attempt(() => {
        insert.run(
          family.tenant,
          family.id,
          family.clientId,
          family.sub,
          family.grant,
          family.createdAt,
          family.expiresAt,
          family.generation,
          family.currentHash,
          family.previousHash ?? null,
          JSON.stringify(family.rotatedAt),
        )
      }),
    family: (tenant, id) => connection.attempt(() => familyOf(tenant, id)),
    rotateRefresh: (rotation) =>
      connection.write(() => {
        const family = familyOf(rotation.tenant, rotation.family)
        if (!family) return 'unknown'
        const verdict = judgeRotation(family, rotation)
        if (verdict.family) rotated(verdict.family)
        if (verdict.outcome === 'reused') revoke(reuseRevocation(family))
        return verdict.outcome
      }),
  }
}

function readRow(row: Row): RefreshFamily {
  return {
    ...row,
    previousHash: row.previousHash ?? undefined,
    rotatedAt: JSON.parse(row.rotatedAt) as readonly number[],
  }
}
