import type { UserGrant } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Users = Pick<
  Store,
  | 'userGrants'
  | 'userGrant'
  | 'putUserGrant'
  | 'removeUserGrant'
  | 'disabledUsers'
  | 'isUserDisabled'
  | 'setUserDisabled'
>

/** What users have granted to agents, and which users may nothing any more. */
export function users(connection: Connection): Users {
  return { ...userGrants(connection), ...disabledUsers(connection) }
}

type GrantRow = Omit<UserGrant, 'scopes'> & { readonly scopes: string }

const SELECT = `
  SELECT tenant, user, agent, scopes, created_at AS createdAt FROM user_grants WHERE tenant = ?`

function userGrants(connection: Connection) {
  const selectOne = connection.prepare<GrantRow>(`${SELECT} AND user = ? AND agent = ?`)
  const selectAll = connection.prepare<GrantRow>(`${SELECT} ORDER BY user, agent`)
  const selectOfUser = connection.prepare<GrantRow>(`${SELECT} AND user = ? ORDER BY agent`)
  const put = connection.prepare('INSERT OR REPLACE INTO user_grants VALUES (?, ?, ?, ?, ?)')
  const remove = connection.prepare(
    'DELETE FROM user_grants WHERE tenant = ? AND user = ? AND agent = ?',
  )
  return {
    userGrants: (tenant: string, user?: string) =>
      connection.attempt(() => {
        const rows = user === undefined ? selectAll.all(tenant) : selectOfUser.all(tenant, user)
        return rows.map(userGrantOf)
      }),
    userGrant: (tenant: string, user: string, agent: string) =>
      connection.attempt(() => {
        const row = selectOne.get(tenant, user, agent)
        return row && userGrantOf(row)
      }),
    putUserGrant: ({ tenant, user, agent, scopes, createdAt }: UserGrant) =>
      connection.attempt(() => {
        put.run(tenant, user, agent, JSON.stringify(scopes), createdAt)
      }),
    removeUserGrant: (tenant: string, user: string, agent: string) =>
      connection.attempt(() => remove.run(tenant, user, agent) === 1),
  }
}

function userGrantOf(row: GrantRow): UserGrant {
  return { ...row, scopes: JSON.parse(row.scopes) as readonly string[] }
}

function disabledUsers(connection: Connection) {
  const selectAll = connection.prepare<{ readonly user: string }>(
    'SELECT user FROM disabled_users WHERE tenant = ? ORDER BY user',
  )
  const selectOne = connection.prepare<unknown>(
    'SELECT 1 FROM disabled_users WHERE tenant = ? AND user = ?',
  )
  const disable = connection.prepare('INSERT OR IGNORE INTO disabled_users VALUES (?, ?)')
  const enable = connection.prepare('DELETE FROM disabled_users WHERE tenant = ? AND user = ?')
  return {
    disabledUsers: (tenant: string) =>
      connection.attempt(() => selectAll.all(tenant).map(({ user }) => user)),
    isUserDisabled: (tenant: string, user: string) =>
      connection.attempt(() => selectOne.get(tenant, user) !== undefined),
    setUserDisabled: (tenant: string, user: string, disabled: boolean) =>
      connection.attempt(() => {
        const statement = disabled ? disable : enable
        statement.run(tenant, user)
      }),
  }
}
