import type { Audit } from '../../platform/audit.ts'
import type { Tenant } from '../tenant.ts'

/** Puts on record what nobody answered in time. */
export async function recordExpired({ slug, approvals }: Tenant, audit: Audit): Promise<void> {
  for (const { user, agent, scopes } of await approvals.expire()) {
    await audit.record({
      event: 'approval.expired',
      tenant: slug,
      outcome: 'denied',
      subject: user,
      client_id: agent,
      scope_requested: scopes.join(' '),
    })
  }
}
