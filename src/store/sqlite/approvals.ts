import type { Approval } from '../records.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'

type Approvals = Pick<
  Store,
  | 'openApproval'
  | 'approval'
  | 'approvals'
  | 'decideApproval'
  | 'expireApprovals'
  | 'removeApprovalsBy'
>

type ApprovalRow = Omit<Approval, 'scopes' | 'chain'> & {
  readonly scopes: string
  readonly chain: string
}

const COLUMNS = `tenant, id, user, agent, scopes, chain, status, created_at AS createdAt,
  expires_at AS expiresAt`
const SELECT = `SELECT ${COLUMNS} FROM approvals WHERE tenant = ?`
const OPEN = `status = 'pending' AND expires_at > ?`

/** What agents have asked users for, and what became of it. */
export function approvals(connection: Connection): Approvals {
  return { ...opened(connection), ...ended(connection) }
}

function opened(
  connection: Connection,
): Pick<Approvals, 'openApproval' | 'approval' | 'approvals'> {
  const selectUnended = connection.prepare<ApprovalRow>(
    `${SELECT} AND user = ? AND agent = ? AND status IN ('pending', 'denied') AND expires_at > ?`,
  )
  const selectOne = connection.prepare<ApprovalRow>(`${SELECT} AND id = ?`)
  const selectAll = connection.prepare<ApprovalRow>(`${SELECT} AND ${OPEN} ORDER BY created_at, id`)
  const selectOfUser = connection.prepare<ApprovalRow>(
    `${SELECT} AND ${OPEN} AND user = ? ORDER BY created_at, id`,
  )
  const put = connection.prepare(
    `INSERT OR REPLACE INTO approvals
       (tenant, user, agent, id, scopes, created_at, expires_at, chain, status)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  return {
    openApproval: (approval) =>
      connection.write(() => {
        const { tenant, id, user, agent, scopes, chain, status, createdAt, expiresAt } = approval
        // Whatever is asked for: by varying that, an agent could else take a question away from whoever is about to deny it, or put another after a denial.
        const before = selectUnended.get(tenant, user, agent, createdAt)
        if (before) return approvalOf(before)
        const lists = [JSON.stringify(scopes), JSON.stringify(chain)] as const
        put.run(tenant, user, agent, id, lists[0], createdAt, expiresAt, lists[1], status)
        return approval
      }),
    approval: (tenant, id) =>
      connection.attempt(() => {
        const row = selectOne.get(tenant, id)
        return row && approvalOf(row)
      }),
    approvals: (tenant, now, user) =>
      connection.attempt(() => {
        const rows =
          user === undefined ? selectAll.all(tenant, now) : selectOfUser.all(tenant, now, user)
        return rows.map(approvalOf)
      }),
  }
}

function ended(connection: Connection): Omit<Approvals, 'openApproval' | 'approval' | 'approvals'> {
  const decide = connection.prepare<ApprovalRow>(
    `UPDATE approvals SET status = ? WHERE tenant = ? AND user = ? AND id = ? AND ${OPEN}
     RETURNING ${COLUMNS}`,
  )
  const expire = connection.prepare<ApprovalRow>(
    `UPDATE approvals SET status = 'expired'
     WHERE tenant = ? AND status = 'pending' AND expires_at <= ? RETURNING ${COLUMNS}`,
  )
  const expired = connection.prepare<unknown>(
    `SELECT 1 FROM approvals WHERE tenant = ? AND status = 'pending' AND expires_at <= ? LIMIT 1`,
  )
  const granted = connection.prepare<{ readonly scopes: string }>(
    'SELECT scopes FROM user_grants WHERE tenant = ? AND user = ? AND agent = ?',
  )
  const removeAll = connection.prepare('DELETE FROM approvals WHERE tenant = ? AND agent = ?')
  const grant = connection.prepare('INSERT OR REPLACE INTO user_grants VALUES (?, ?, ?, ?, ?)')
  return {
    decideApproval: (tenant, user, id, decision, now) =>
      connection.write(() => {
        const row = decide.get(decision, tenant, user, id, now)
        if (!row) return undefined
        const approval = approvalOf(row)
        if (decision === 'approved') {
          const { agent } = approval
          const before = listOf(granted.get(tenant, user, agent)?.scopes ?? '[]')
          const scopes = [...new Set([...before, ...approval.scopes])]
          grant.run(tenant, user, agent, JSON.stringify(scopes), now)
        }
        return approval
      }),
    removeApprovalsBy: (tenant, agent) =>
      connection.attempt(() => {
        removeAll.run(tenant, agent)
      }),
    // Looked for first: this is asked every second, and writing waits for whoever writes.
    expireApprovals: (tenant, now) =>
      expired.get(tenant, now) === undefined
        ? Promise.resolve([])
        : connection.write(() => expire.all(tenant, now).map(approvalOf)),
  }
}

function listOf(json: string): readonly string[] {
  return JSON.parse(json) as readonly string[]
}

function approvalOf(row: ApprovalRow): Approval {
  return { ...row, scopes: listOf(row.scopes), chain: listOf(row.chain) }
}
