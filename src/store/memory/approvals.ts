import { APPROVAL_KEPT_SECONDS, type Approval, type UserGrant } from '../records.ts'
import type { Store } from '../store.ts'
import { compare, Table } from './table.ts'

type Approvals = Pick<
  Store,
  | 'openApproval'
  | 'approval'
  | 'approvals'
  | 'decideApproval'
  | 'expireApprovals'
  | 'removeApprovalsBy'
> & { readonly pruneApprovals: (now: number) => void }

/** What agents have asked users for, and what became of it. `grants`: where goes what is approved. */
export function approvals(grants: Table<UserGrant>): Approvals {
  const table = new Table<Approval>(({ tenant, user, agent }) => [tenant, user, agent])
  const byId = (tenant: string, id: string) =>
    table.where((approval) => approval.tenant === tenant && approval.id === id)[0]
  const isOpen = ({ status, expiresAt }: Approval, now: number) =>
    status === 'pending' && expiresAt > now
  return {
    openApproval: (approval) => {
      const { tenant, user, agent, createdAt } = approval
      const before = table.get(tenant, user, agent)
      // Whatever is asked for: by varying that, an agent could else take a question away from whoever is about to deny it, or put another after a denial.
      const stands = before?.status === 'pending' || before?.status === 'denied'
      if (stands && before.expiresAt > createdAt) return Promise.resolve(before)
      table.put(approval)
      return Promise.resolve(approval)
    },
    approval: (tenant, id) => Promise.resolve(byId(tenant, id)),
    approvals: (tenant, now, user) =>
      Promise.resolve(
        table
          .where((approval) => approval.tenant === tenant && isOpen(approval, now))
          .filter((approval) => user === undefined || approval.user === user)
          .toSorted((one, other) => one.createdAt - other.createdAt || compare(one.id, other.id)),
      ),
    decideApproval: (tenant, user, id, status, now) => {
      const approval = byId(tenant, id)
      if (approval?.user !== user || !isOpen(approval, now)) return Promise.resolve(undefined)
      const decided = { ...approval, status }
      table.put(decided)
      if (status === 'approved') {
        const { agent } = approval
        const before = grants.get(tenant, user, agent)?.scopes ?? []
        const scopes = [...new Set([...before, ...approval.scopes])]
        grants.put({ tenant, user, agent, scopes, createdAt: now })
      }
      return Promise.resolve(decided)
    },
    expireApprovals: (tenant, now) => {
      const ended = table
        .where((each) => each.tenant === tenant && each.status === 'pending')
        .filter(({ expiresAt }) => expiresAt <= now)
        .map((approval) => ({ ...approval, status: 'expired' as const }))
      for (const approval of ended) table.put(approval)
      return Promise.resolve(ended)
    },
    removeApprovalsBy: (tenant, agent) => {
      table.removeWhere((approval) => approval.tenant === tenant && approval.agent === agent)
      return Promise.resolve()
    },
    pruneApprovals: (now) => {
      table.removeWhere(({ expiresAt }) => expiresAt <= now - APPROVAL_KEPT_SECONDS)
    },
  }
}
