import { APPROVAL_KEPT_SECONDS } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

const EXPIRING = [
  'codes',
  'sessions',
  'refresh_families',
  'revocations',
  'reservations',
  'upstream_visits',
  'pushed_requests',
]

export function pruning(connection: Connection): Pick<Store, 'prune'> {
  const statements = EXPIRING.map((table) =>
    connection.prepare(`DELETE FROM ${table} WHERE expires_at <= ?`),
  )
  const approvals = connection.prepare('DELETE FROM approvals WHERE expires_at <= ?')
  return {
    prune: (now) =>
      connection.write(() => {
        for (const statement of statements) statement.run(now)
        approvals.run(now - APPROVAL_KEPT_SECONDS)
      }),
  }
}
