import type { UpstreamUser, UpstreamVisit } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Users = Pick<Store, 'putUpstreamUser' | 'upstreamUser' | 'upstreamUserOf' | 'upstreamUsers'>
type Visits = Pick<Store, 'keepUpstreamVisit' | 'takeUpstreamVisit'>

type UserRow = Omit<UpstreamUser, 'emailVerified' | 'email' | 'name'> & {
  readonly email: string | null
  readonly emailVerified: number
  readonly name: string | null
}

const COLUMNS = `tenant, issuer, subject, sub, email, email_verified AS emailVerified, name,
  created_at AS createdAt`

/** Users whom other OpenID Providers sign in. */
export function upstreamUsers(connection: Connection): Users {
  const select = `SELECT ${COLUMNS} FROM upstream_users WHERE tenant = ?`
  const put = connection.prepare<UserRow>(
    `INSERT INTO upstream_users VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (tenant, issuer, subject) DO UPDATE SET
       email = excluded.email, email_verified = excluded.email_verified, name = excluded.name
     RETURNING ${COLUMNS}`,
  )
  const bySub = connection.prepare<UserRow>(`${select} AND sub = ?`)
  const bySubject = connection.prepare<UserRow>(`${select} AND issuer = ? AND subject = ?`)
  const all = connection.prepare<UserRow>(`${select} ORDER BY sub`)
  return {
    putUpstreamUser: (user) =>
      connection.write(() => {
        const { tenant, issuer, subject, sub, email, emailVerified, name, createdAt } = user
        const row = put.get(
          tenant,
          issuer,
          subject,
          sub,
          email ?? null,
          Number(emailVerified),
          name ?? null,
          createdAt,
        )
        return row ? userOf(row) : user
      }),
    upstreamUser: (tenant, sub) =>
      connection.attempt(() => {
        const row = bySub.get(tenant, sub)
        return row && userOf(row)
      }),
    upstreamUserOf: (tenant, issuer, subject) =>
      connection.attempt(() => {
        const row = bySubject.get(tenant, issuer, subject)
        return row && userOf(row)
      }),
    upstreamUsers: (tenant) => connection.attempt(() => all.all(tenant).map(userOf)),
  }
}

/** Who was sent to another provider. */
export function upstreamVisits(connection: Connection): Visits {
  const insert = connection.prepare('INSERT INTO upstream_visits VALUES (?, ?, ?, ?, ?, ?)')
  const take = connection.prepare<UpstreamVisit>(
    `DELETE FROM upstream_visits WHERE tenant = ? AND hash = ?
     RETURNING tenant, hash, upstream, browser, next, expires_at AS expiresAt`,
  )
  return {
    keepUpstreamVisit: ({ tenant, hash, upstream, browser, next, expiresAt }) =>
      connection.attempt(() => {
        insert.run(tenant, hash, upstream, browser, next, expiresAt)
      }),
    takeUpstreamVisit: (tenant, hash) => connection.write(() => take.get(tenant, hash)),
  }
}

function userOf({ email, emailVerified, name, ...row }: UserRow): UpstreamUser {
  return {
    ...row,
    email: email ?? undefined,
    emailVerified: emailVerified === 1,
    name: name ?? undefined,
  }
}
