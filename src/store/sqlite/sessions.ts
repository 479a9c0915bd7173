import type { SessionRecord, Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Sessions = Pick<Store, 'keepSession' | 'session' | 'endSession' | 'endSessions'>

/** Who is signed in, by the hash of what their browser holds. */
export function sessions(connection: Connection): Sessions {
  const insert = connection.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?)')
  const select = connection.prepare<SessionRecord>(
    `SELECT tenant, hash, user, auth_time AS authTime, expires_at AS expiresAt
     FROM sessions WHERE tenant = ? AND hash = ?`,
  )
  const end = connection.prepare('DELETE FROM sessions WHERE tenant = ? AND hash = ?')
  const endAll = connection.prepare('DELETE FROM sessions WHERE tenant = ? AND user = ?')
  return {
    keepSession: ({ tenant, hash, user, authTime, expiresAt }) =>
      connection.attempt(() => {
        insert.run(tenant, hash, user, authTime, expiresAt)
      }),
    session: (tenant, hash) => connection.attempt(() => select.get(tenant, hash)),
    endSession: (tenant, hash) => connection.attempt(() => end.run(tenant, hash) === 1),
    endSessions: (tenant, user) =>
      connection.attempt(() => {
        endAll.run(tenant, user)
      }),
  }
}
