import { createHash } from 'node:crypto'
import { actorChain } from '../oauth/act.ts'
import { OAuthError, type OAuthErrorCode } from '../oauth/errors.ts'
import { showScope } from '../oauth/scope.ts'
import type { AuditEvent } from '../platform/audit.ts'
import type { Minted } from './issuer.ts'
import type { RawRequest } from './request.ts'
import type { Tenant } from './tenant.ts'
import type { Outcome } from './token.ts'

/** Refusals that may be somebody trying what is not theirs. */
const failures: ReadonlySet<OAuthErrorCode> = new Set<OAuthErrorCode>([
  'client_unproven',
  'proof_refused',
  'workload_identity_failed',
  'token_refused',
  'grant_invalid',
  'dpop_invalid',
])

export function isFailure(result: Minted | OAuthError): boolean {
  return result instanceof OAuthError && failures.has(result.code)
}

/** Refusals by which a thief or a broken client gives itself away: an event of their own, by the names LumoAuth gives them. */
const alarms: Readonly<Record<string, AuditEvent['event']>> = {
  code_reused: 'oauth.security.code_reuse_detected',
  refresh_reused: 'oauth.security.refresh_reuse_detected',
}

/** What goes on record of a request: one event, and another where a grant was ended because it came back. */
export function eventsOf(outcome: Outcome, tenant: Tenant, raw: RawRequest): readonly AuditEvent[] {
  const { result, request, caller, authorization } = outcome
  const common = {
    tenant: tenant.slug,
    grant: request?.grant,
    client_id: authorization?.party.id ?? caller?.client?.id,
    subject: authorization?.sub,
    actor_chain: authorization?.act && actorChain(authorization.act),
    rule: authorization?.party.agent?.name,
    provider: authorization?.proof?.provider,
    subject_proof: authorization?.proof?.subject,
    // What somebody unproven wrote there could be anything, a misplaced secret too.
    scope_requested: authorization && request?.scope && showScope(request.scope),
    request_id: raw.requestId,
    trace_id: raw.traceId,
    ip_address: raw.address,
  }
  if (result instanceof OAuthError) {
    const { reason, status } = result
    const alarm = alarms[reason]
    const refused: AuditEvent = {
      ...common,
      event: 'token.refused',
      outcome: status >= 500 ? 'failure' : 'denied',
      reason,
      audience: authorization && request?.targets,
    }
    return alarm === undefined
      ? [refused]
      : [refused, { ...common, event: alarm, outcome: 'denied', severity: 'high', reason }]
  }
  return [{ ...common, ...issued(result) }]
}

/** The token itself is only there as its hash, by which a token that turns up somewhere can be found. */
function issued({ response, jti, grantId, audiences, expiresAt }: Minted) {
  return {
    event: 'token.issued',
    outcome: 'success',
    audience: audiences,
    scope_granted: response.scope,
    token_sha256: createHash('sha256').update(response.access_token).digest('base64url'),
    jti,
    grant_id: grantId,
    expires_at: expiresAt,
  } as const
}
