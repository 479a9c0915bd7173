import { shownOf } from '../sign_in/next.ts'
import type { Tenant } from '../tenant.ts'

/** What a person reads of an agent that waits for their answer. */
export interface ApprovalView {
  readonly id: string
  readonly agent: string
  readonly agentId: string
  readonly scopes: readonly string[]
  /** Through whom it came by the person's token, the first one first. */
  readonly chain: readonly string[]
  readonly minutesLeft: number
}

/** What a person has allowed somebody. */
export interface AllowedView {
  readonly id: string
  readonly name: string
  readonly at: readonly { readonly target: string; readonly scopes: readonly string[] }[]
  /** Day, as ISO 8601 writes it. */
  readonly since: string
}

export interface AccountView {
  readonly approvals: readonly ApprovalView[]
  readonly agents: readonly AllowedView[]
  readonly clients: readonly AllowedView[]
}

/** All that acts for a user or asks to. */
export async function viewOf(sub: string, now: number, tenant: Tenant): Promise<AccountView> {
  const nameOf = (clientId: string): Promise<string> => nameIn(tenant, clientId)
  const approvals = (await tenant.approvals.pendingOf(sub)).map(async (approval) => ({
    id: approval.id,
    agent: await nameOf(approval.agent),
    agentId: approval.agent,
    scopes: approval.scopes,
    chain: await Promise.all(approval.chain.map(nameOf)),
    minutesLeft: Math.max(1, Math.floor((approval.expiresAt - now) / 60)),
  }))
  const agents = (await tenant.userGrants(sub)).map(async ({ agent, scopes, createdAt }) => ({
    id: agent,
    name: await nameOf(agent),
    at: [{ target: '', scopes }],
    since: dayOf(createdAt),
  }))
  const clients = (await tenant.consents.of(sub)).map(async ({ client, given, createdAt }) => ({
    id: client,
    name: await nameOf(client),
    at: Object.entries(given).map(([target, scopes]) => ({
      target,
      // It says that they signed in, and nothing that could be done.
      scopes: scopes.filter((scope) => scope !== 'openid'),
    })),
    since: dayOf(createdAt),
  }))
  return {
    approvals: await Promise.all(approvals),
    agents: await Promise.all(agents),
    clients: await Promise.all(clients),
  }
}

/** An agent is called as the trust policy calls it. */
async function nameIn({ policy, clients }: Tenant, clientId: string): Promise<string> {
  const agent = policy().ofClient(clientId)
  if (agent) return agent.name
  const client = await clients.find(clientId)
  return client ? shownOf(client) : clientId
}

function dayOf(unix: number): string {
  return new Date(unix * 1000).toISOString().slice(0, 10)
}
