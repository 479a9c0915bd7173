import { KEY_SET_DROPPED_AFTER } from '../key_set_age.ts'
import type { KeptKeySetRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

export function keySets(connection: Connection): Pick<Store, 'keepKeySet' | 'keptKeySet'> {
  const select = connection.prepare<KeptKeySetRecord>(
    `SELECT tenant, name, sealed, fetched_at AS fetchedAt FROM key_sets
     WHERE tenant = ? AND name = ?`,
  )
  const keep = connection.prepare(
    `INSERT INTO key_sets VALUES (?, ?, ?, ?)
     ON CONFLICT (tenant, name) DO UPDATE SET sealed = excluded.sealed, fetched_at = excluded.fetched_at
     WHERE excluded.fetched_at >= fetched_at`,
  )
  const drop = connection.prepare('DELETE FROM key_sets WHERE tenant = ? AND fetched_at < ?')
  return {
    keepKeySet: ({ tenant, name, sealed, fetchedAt }) =>
      connection.write(() => {
        keep.run(tenant, name, sealed, fetchedAt)
        drop.run(tenant, fetchedAt - KEY_SET_DROPPED_AFTER)
      }),
    keptKeySet: (tenant, name) =>
      connection.attempt(() => {
        const row = select.get(tenant, name)
        return row && { ...row }
      }),
  }
}
