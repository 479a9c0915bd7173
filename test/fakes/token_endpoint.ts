import { ClientAssertions } from '../../src/endpoint/client/assertion.ts'
import { Limits } from '../../src/endpoint/limits.ts'
import type { Tenant } from '../../src/endpoint/tenant.ts'
import { tokenEndpoint, type TokenEndpoint } from '../../src/endpoint/token.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import type { Audit, AuditEvent } from '../../src/platform/audit.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { StoreFault } from '../../src/store/store.ts'
import { FakeLog } from './log.ts'

/** An audit trail in memory, which can be out. */
export class FakeAudit implements Audit {
  readonly events: AuditEvent[] = []
  out = false

  record(event: AuditEvent): Promise<void> {
    if (this.out) return Promise.reject(new StoreFault('the disk is full'))
    this.events.push(event)
    return Promise.resolve()
  }
}

const plenty = {
  clientPerMinute: 1e6,
  introspectionsPerMinute: 1e6,
  workloadPerMinute: 1e6,
  failuresPerMinute: 1e6,
}

/** The token endpoint over one tenant, and what it tells the operator. */
export function endpointOver(
  tenant: Tenant,
  clock: Clock,
  limits: Partial<typeof plenty> = {},
): {
  readonly endpoint: TokenEndpoint
  readonly audit: FakeAudit
  readonly log: FakeLog
  readonly metrics: PrometheusMetrics
} {
  const audit = new FakeAudit()
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const endpoint = tokenEndpoint({
    tenants: new Map([[tenant.slug, tenant]]),
    assertions: new ClientAssertions({ store: { reserve: () => Promise.resolve(true) }, clock }),
    limits: new Limits({ ...plenty, ...limits }, clock),
    audit,
    clock,
    random: systemRandom,
    log,
    metrics,
  })
  return { endpoint, audit, log, metrics }
}
