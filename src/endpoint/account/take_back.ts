import type { Audit, AuditEvent } from '../../platform/audit.ts'
import type { Tenant } from '../tenant.ts'

/** Members of the audit record that are about the request. */
type Told = Pick<AuditEvent, 'tenant' | 'subject' | 'request_id' | 'ip_address'>

/**
 * A user takes back what they allowed an agent. Its tokens end before the grant goes, so that a store that fails between leaves
 * something to take back once more; and after it again, for what was made meanwhile.
 */
export async function endAgent(
  sub: string,
  agent: string,
  told: Told,
  tenant: Tenant,
  audit: Audit,
): Promise<void> {
  if (!(await tenant.userGrant(sub, agent))) return
  await audit.record({
    event: 'user_grant.removed',
    outcome: 'success',
    ...told,
    client_id: agent,
  })
  await tenant.revocations.endPair(sub, agent)
  await tenant.removeUserGrant(sub, agent)
  await tenant.revocations.endPair(sub, agent)
}

/**
 * A user takes back what they agreed to that a client may have: its refresh tokens, its access tokens, and whatever others made
 * of them, for all of it bears the `grant_id`s of its codes.
 */
export async function endClient(
  sub: string,
  client: string,
  told: Told,
  tenant: Tenant,
  audit: Audit,
): Promise<void> {
  if (!(await tenant.consents.has(sub, client))) return
  await audit.record({ event: 'consent.removed', outcome: 'success', ...told, client_id: client })
  await endGrants(sub, client, tenant)
  await tenant.consents.takeBack(sub, client)
  await endGrants(sub, client, tenant)
}

async function endGrants(sub: string, client: string, tenant: Tenant): Promise<void> {
  await tenant.revocations.endPair(sub, client)
  for (const grantId of await tenant.codes.grantsOf(sub, client)) {
    await tenant.revocations.endGrant(grantId)
  }
}
