import type { ApiKeyRecord, PushedRequest, UpstreamUser, UpstreamVisit } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type SignIns = Pick<
  Store,
  | 'putUpstreamUser'
  | 'upstreamUser'
  | 'upstreamUserOf'
  | 'upstreamUsers'
  | 'keepUpstreamVisit'
  | 'takeUpstreamVisit'
  | 'keepPushed'
  | 'pushed'
  | 'endPushed'
  | 'addApiKey'
  | 'apiKey'
  | 'apiKeys'
  | 'removeApiKey'
> & { readonly pruneSignIns: (now: number) => void }

/** What comes before anybody is signed in, and what signs in without a person. */
export function signIns(): SignIns {
  const visits = new Table<UpstreamVisit>(({ tenant, hash }) => [tenant, hash])
  const pushed = new Table<PushedRequest>(({ tenant, hash }) => [tenant, hash])
  return {
    ...upstreamUsers(),
    ...apiKeys(),
    keepUpstreamVisit: (visit) => visits.insert(visit),
    takeUpstreamVisit: (tenant, hash) => {
      const visit = visits.get(tenant, hash)
      visits.remove(tenant, hash)
      return Promise.resolve(visit)
    },
    keepPushed: (request) => pushed.insert(request),
    pushed: (tenant, hash) => Promise.resolve(pushed.get(tenant, hash)),
    endPushed: (tenant, hash) => Promise.resolve(pushed.remove(tenant, hash)),
    pruneSignIns: (now) => {
      for (const table of [visits, pushed]) table.removeWhere(({ expiresAt }) => expiresAt <= now)
    },
  }
}

function upstreamUsers() {
  const users = new Table<UpstreamUser>(({ tenant, issuer, subject }) => [tenant, issuer, subject])
  return {
    putUpstreamUser: (user: UpstreamUser) => {
      const known = users.get(user.tenant, user.issuer, user.subject)
      const kept = known ? { ...user, sub: known.sub, createdAt: known.createdAt } : user
      users.put(kept)
      return Promise.resolve(kept)
    },
    upstreamUser: (tenant: string, sub: string) =>
      Promise.resolve(users.where((user) => user.tenant === tenant && user.sub === sub)[0]),
    upstreamUserOf: (tenant: string, issuer: string, subject: string) =>
      Promise.resolve(users.get(tenant, issuer, subject)),
    upstreamUsers: (tenant: string) =>
      Promise.resolve(
        users
          .where((user) => user.tenant === tenant)
          .toSorted((one, other) => compare(one.sub, other.sub)),
      ),
  }
}

function apiKeys() {
  const keys = new Table<ApiKeyRecord>(({ tenant, id }) => [tenant, id])
  return {
    addApiKey: (key: ApiKeyRecord) => keys.insert(key),
    apiKey: (tenant: string, id: string) => Promise.resolve(keys.get(tenant, id)),
    apiKeys: (tenant: string) =>
      Promise.resolve(
        keys
          .where((key) => key.tenant === tenant)
          .toSorted((one, other) => one.createdAt - other.createdAt || compare(one.id, other.id)),
      ),
    removeApiKey: (tenant: string, id: string) => Promise.resolve(keys.remove(tenant, id)),
  }
}
