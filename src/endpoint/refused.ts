import type { OAuthError } from '../oauth/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Limits } from './limits.ts'

interface RefusedDependencies {
  readonly limits: Pick<Limits, 'failed'>
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * Counts and logs a refusal at an endpoint beside the token endpoint. Of a proven caller only its own budget is used up, and being
 * told a nonce is no failure; whoever is not proven is charged by address. Answers with what the caller is told.
 */
export function refused(
  result: OAuthError,
  tenant: string,
  address: string | undefined,
  { limits, log, metrics }: RefusedDependencies,
): OAuthError {
  const isFailure = result.status === 401 && result.error !== 'use_dpop_nonce'
  const refusal = (isFailure ? limits.failed(address) : undefined) ?? result
  metrics.tally('denials', { tenant, reason: refusal.reason }).add()
  const fields = { tenant, reason: refusal.reason, detail: refusal.detail }
  if (refusal.status >= 500) log.error('request not served', fields)
  else log.warn('request refused', fields)
  return refusal
}
