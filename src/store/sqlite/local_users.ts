import type { LocalUser } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type LocalUsers = Pick<
  Store,
  'addLocalUser' | 'localUser' | 'localUserByEmail' | 'localUsers' | 'setPassword'
>

type Row = Omit<LocalUser, 'name'> & { readonly name: string | null }

const SELECT = `
  SELECT tenant, sub, email, name, password, created_at AS createdAt FROM local_users WHERE tenant = ?`

/** Users that this store itself knows, with their passwords. */
export function localUsers(connection: Connection): LocalUsers {
  const insert = connection.prepare('INSERT OR IGNORE INTO local_users VALUES (?, ?, ?, ?, ?, ?)')
  const bySub = connection.prepare<Row>(`${SELECT} AND sub = ?`)
  const byEmail = connection.prepare<Row>(`${SELECT} AND email = ?`)
  const all = connection.prepare<Row>(`${SELECT} ORDER BY email`)
  const update = connection.prepare(
    'UPDATE local_users SET password = ? WHERE tenant = ? AND sub = ?',
  )
  return {
    addLocalUser: ({ tenant, sub, email, name, password, createdAt }) =>
      connection.attempt(
        () => insert.run(tenant, sub, email, name ?? null, password, createdAt) === 1,
      ),
    localUser: (tenant, sub) =>
      connection.attempt(() => {
        const row = bySub.get(tenant, sub)
        return row && userOf(row)
      }),
    localUserByEmail: (tenant, email) =>
      connection.attempt(() => {
        const row = byEmail.get(tenant, email)
        return row && userOf(row)
      }),
    localUsers: (tenant) => connection.attempt(() => all.all(tenant).map(userOf)),
    setPassword: (tenant, sub, password) =>
      connection.attempt(() => update.run(password, tenant, sub) === 1),
  }
}

function userOf({ name, ...row }: Row): LocalUser {
  return { ...row, name: name ?? undefined }
}
