import { approvals } from './approvals.ts'
import type { UserGrant } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

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

interface DisabledUser {
  readonly tenant: string
  readonly user: string
}

/** What users have granted to agents, and which users may nothing any more. */
export function users(): Users & ReturnType<typeof approvals> {
  const grants = new Table<UserGrant>(({ tenant, user, agent }) => [tenant, user, agent])
  const disabledUsers = new Table<DisabledUser>(({ tenant, user }) => [tenant, user])
  return {
    ...approvals(grants),
    userGrants: (tenant, user) =>
      Promise.resolve(
        grants
          .where((grant) => grant.tenant === tenant && (user ?? grant.user) === grant.user)
          .toSorted(
            (one, other) => compare(one.user, other.user) || compare(one.agent, other.agent),
          ),
      ),
    userGrant: (tenant, user, agent) => Promise.resolve(grants.get(tenant, user, agent)),
    putUserGrant: (grant) => {
      grants.put(grant)
      return Promise.resolve()
    },
    removeUserGrant: (tenant, user, agent) => Promise.resolve(grants.remove(tenant, user, agent)),
    disabledUsers: (tenant) =>
      Promise.resolve(
        disabledUsers
          .where((row) => row.tenant === tenant)
          .map(({ user }) => user)
          .toSorted(compare),
      ),
    isUserDisabled: (tenant, user) =>
      Promise.resolve(disabledUsers.get(tenant, user) !== undefined),
    setUserDisabled: (tenant, user, disabled) => {
      if (disabled) disabledUsers.put({ tenant, user })
      else disabledUsers.remove(tenant, user)
      return Promise.resolve()
    },
  }
}
