import type { ConsentRecord, LocalUser, SessionRecord } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type People = Pick<
  Store,
  | 'addLocalUser'
  | 'localUser'
  | 'localUserByEmail'
  | 'localUsers'
  | 'setPassword'
  | 'keepSession'
  | 'session'
  | 'endSession'
  | 'endSessions'
  | 'consent'
  | 'consents'
  | 'putConsent'
  | 'removeConsent'
  | 'removeConsentsTo'
> & { readonly pruneSessions: (now: number) => void }

/** Local users, who is signed in, and what users agreed to. */
export function people(): People {
  const users = new Table<LocalUser>(({ tenant, sub }) => [tenant, sub])
  const sessions = new Table<SessionRecord>(({ tenant, hash }) => [tenant, hash])
  const consents = new Table<ConsentRecord>(({ tenant, user, client }) => [tenant, user, client])
  const byEmail = (tenant: string, email: string) =>
    users.where((user) => user.tenant === tenant && user.email === email)[0]
  return {
    addLocalUser: (user) =>
      Promise.resolve(byEmail(user.tenant, user.email) === undefined && users.add(user)),
    localUser: (tenant, sub) => Promise.resolve(users.get(tenant, sub)),
    localUserByEmail: (tenant, email) => Promise.resolve(byEmail(tenant, email)),
    localUsers: (tenant) =>
      Promise.resolve(
        users
          .where((user) => user.tenant === tenant)
          .toSorted((one, other) => compare(one.email, other.email)),
      ),
    setPassword: (tenant, sub, password) => {
      const user = users.get(tenant, sub)
      if (user) users.put({ ...user, password })
      return Promise.resolve(user !== undefined)
    },
    keepSession: (session) => sessions.insert(session),
    session: (tenant, hash) => Promise.resolve(sessions.get(tenant, hash)),
    endSession: (tenant, hash) => Promise.resolve(sessions.remove(tenant, hash)),
    endSessions: (tenant, user) => {
      sessions.removeWhere((session) => session.tenant === tenant && session.user === user)
      return Promise.resolve()
    },
    consent: (tenant, user, client) => Promise.resolve(consents.get(tenant, user, client)),
    consents: (tenant, user) =>
      Promise.resolve(
        consents
          .where((consent) => consent.tenant === tenant && consent.user === user)
          .toSorted((one, other) => compare(one.client, other.client)),
      ),
    putConsent: (consent) => {
      consents.put(consent)
      return Promise.resolve()
    },
    removeConsent: (tenant, user, client) => Promise.resolve(consents.remove(tenant, user, client)),
    removeConsentsTo: (tenant, client) => {
      consents.removeWhere((consent) => consent.tenant === tenant && consent.client === client)
      return Promise.resolve()
    },
    pruneSessions: (now) => {
      sessions.removeWhere(({ expiresAt }) => expiresAt <= now)
    },
  }
}
