import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

export function reservations(connection: Connection): Pick<Store, 'reserve'> {
  const take = connection.prepare(
    `INSERT INTO reservations VALUES (?, ?, ?, ?)
     ON CONFLICT (tenant, owner, jti) DO UPDATE SET expires_at = excluded.expires_at
     WHERE expires_at <= ?`,
  )
  return {
    reserve: ({ tenant, owner, jti, expiresAt }, now) =>
      connection.attempt(() => take.run(tenant, owner, jti, expiresAt, now) === 1),
  }
}
