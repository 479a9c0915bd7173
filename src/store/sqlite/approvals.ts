import type { Approval, Store } from '../store.ts'
import type { Connection } from './connection.ts'

type ApprovalRow = Omit<Approval, 'scopes'> & { readonly scopes: string }

const SELECT = `
  SELECT tenant, id, user, agent, scopes, created_at AS createdAt, expires_at AS expiresAt
  FROM approvals WHERE tenant = ?`

/** What agents have asked users for. */
export function approvals(connection: Connection): Pick<Store, 'openApproval' | 'approvals'> {
  const selectOpen = connection.prepare<ApprovalRow>(
    `${SELECT} AND user = ? AND agent = ? AND expires_at > ?`,
  )
  const selectAll = connection.prepare<ApprovalRow>(
    `${SELECT} AND expires_at > ? ORDER BY created_at, id`,
  )
  const put = connection.prepare('INSERT OR REPLACE INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?)')
  return {
    openApproval: (approval) =>
      connection.write(() => {
        const { tenant, id, user, agent, scopes, createdAt, expiresAt } = approval
        const open = selectOpen.get(tenant, user, agent, createdAt)
        if (open) return approvalOf(open)
        put.run(tenant, user, agent, id, JSON.stringify(scopes), createdAt, expiresAt)
        return approval
      }),
    approvals: (tenant, now) =>
      connection.attempt(() => selectAll.all(tenant, now).map(approvalOf)),
  }
}

function approvalOf(row: ApprovalRow): Approval {
  return { ...row, scopes: JSON.parse(row.scopes) as readonly string[] }
}
