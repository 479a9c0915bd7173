import type { PushedRequest } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

/** Authorization requests that clients pushed. */
export function pushedRequests(
  connection: Connection,
): Pick<Store, 'keepPushed' | 'pushed' | 'endPushed'> {
  const insert = connection.prepare('INSERT INTO pushed_requests VALUES (?, ?, ?, ?, ?, ?)')
  const select = connection.prepare<PushedRequest>(
    `SELECT tenant, hash, client_id AS clientId, query, created_at AS createdAt,
       expires_at AS expiresAt
     FROM pushed_requests WHERE tenant = ? AND hash = ?`,
  )
  const remove = connection.prepare('DELETE FROM pushed_requests WHERE tenant = ? AND hash = ?')
  return {
    keepPushed: ({ tenant, hash, clientId, query, createdAt, expiresAt }) =>
      connection.attempt(() => {
        insert.run(tenant, hash, clientId, query, createdAt, expiresAt)
      }),
    pushed: (tenant, hash) => connection.attempt(() => select.get(tenant, hash)),
    endPushed: (tenant, hash) => connection.attempt(() => remove.run(tenant, hash) === 1),
  }
}
