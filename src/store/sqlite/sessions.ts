import type { SessionRecord } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Sessions = Pick<Store, 'keepSession' | 'session' | 'endSession' | 'endSessions'>

type Row = Omit<SessionRecord, 'request'> & { readonly request: Uint8Array | null }

/** Who is signed in, by the hash of what their browser holds. */
export function sessions(connection: Connection): Sessions {
  const insert = connection.prepare('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)')
  const select = connection.prepare<Row>(
    `SELECT tenant, hash, user, auth_time AS authTime, request, expires_at AS expiresAt
     FROM sessions WHERE tenant = ? AND hash = ?`,
  )
  const end = connection.prepare('DELETE FROM sessions WHERE tenant = ? AND hash = ?')
  const endAll = connection.prepare('DELETE FROM sessions WHERE tenant = ? AND user = ?')
  return {
    keepSession: ({ tenant, hash, user, authTime, request, expiresAt }) =>
      connection.attempt(() => {
        insert.run(tenant, hash, user, authTime, expiresAt, request ?? null)
      }),
    session: (tenant, hash) =>
      connection.attempt(() => {
        const row = select.get(tenant, hash)
        return row && { ...row, request: row.request ?? undefined }
      }),
    endSession: (tenant, hash) => connection.attempt(() => end.run(tenant, hash) === 1),
    endSessions: (tenant, user) =>
      connection.attempt(() => {
        endAll.run(tenant, user)
      }),
  }
}
