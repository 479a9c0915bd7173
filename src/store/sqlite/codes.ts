import type { CodeRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Row = Omit<CodeRecord, 'consumed'> & { readonly consumed: number }

type Codes = Pick<Store, 'keepCode' | 'code' | 'consumeCode' | 'grantIds'>

export function codes(connection: Connection): Codes {
  const insert = connection.prepare('INSERT INTO codes VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
  const select = connection.prepare<Row>(
    `SELECT tenant, hash, grant_id AS grantId, client_id AS clientId, sub, granted AS "grant",
       expires_at AS expiresAt, consumed
     FROM codes WHERE tenant = ? AND hash = ?`,
  )
  const consume = connection.prepare(
    'UPDATE codes SET consumed = 1 WHERE tenant = ? AND hash = ? AND consumed = 0',
  )
  const ofUser = connection.prepare<{ readonly grantId: string }>(
    `SELECT grant_id AS grantId FROM codes
     WHERE tenant = ? AND sub = ? AND client_id = ? ORDER BY grant_id`,
  )
  return {
    keepCode: ({ tenant, hash, grantId, clientId, sub, grant, expiresAt, consumed }) =>
      connection.attempt(() => {
        insert.run(tenant, hash, grantId, clientId, grant, expiresAt, Number(consumed), sub)
      }),
    code: (tenant, hash) =>
      connection.attempt(() => {
        const row = select.get(tenant, hash)
        return row && { ...row, consumed: row.consumed === 1 }
      }),
    consumeCode: (tenant, hash) => connection.attempt(() => consume.run(tenant, hash) === 1),
    grantIds: (...named) =>
      connection.attempt(() => ofUser.all(...named).map(({ grantId }) => grantId)),
  }
}
