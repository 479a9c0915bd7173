import { createHash } from 'node:crypto'
import { actorChain } from '../oauth/act.ts'
import { OAuthError } from '../oauth/errors.ts'
import { showScope } from '../oauth/scope.ts'
import type { AuditEvent } from '../platform/audit.ts'
import type { Authorization } from './grants/grant.ts'
import type { Minted } from './issuer.ts'
import type { RawRequest } from './request.ts'
import type { Tenant } from './tenant.ts'
import type { Outcome } from './token.ts'

/**
 * Whether a refusal is charged to the address that it came from: nobody else is known who could be. Being told the nonce of
 * a DPoP proof is the way every first request goes.
 */
export function isFailure({ result, caller, authorization }: Outcome): boolean {
  if (!(result instanceof OAuthError) || result.status >= 500) return false
  const proven = caller?.authenticated === true || authorization !== undefined
  return !proven && result.code !== 'dpop_nonce_needed' && result.code !== 'too_many_requests'
}

/** What anybody can have as often as they like, and says nothing of anybody: a nonce, a wait, an outage of ours. */
function isOffTheRecord({ code, status }: OAuthError, { caller, authorization }: Outcome): boolean {
  if (code === 'too_many_requests' || code === 'dpop_nonce_needed') return true
  return status >= 500 && caller?.authenticated !== true && authorization === undefined
}

/** A code or a refresh token is about to be spent for a token that is made but not given yet. */
export function spendingEvent(
  { party, sub }: Authorization,
  { jti, grantId }: Minted,
  { slug }: Tenant,
): AuditEvent {
  return {
    event: 'grant.spent',
    tenant: slug,
    outcome: 'success',
    client_id: party.id,
    subject: sub,
    jti,
    grant_id: grantId,
  }
}

/** Refusals by which a thief or a broken client gives itself away: an event of their own, by the names LumoAuth gives them. */
const alarms: Readonly<Record<string, AuditEvent['event']>> = {
  code_reused: 'oauth.security.code_reuse_detected',
  refresh_reused: 'oauth.security.refresh_reuse_detected',
}

export function isAlarm({ event }: AuditEvent): boolean {
  return Object.values(alarms).includes(event)
}

/**
 * What goes on record of a request: one event, and another where a grant was ended because it came back. What could not be
 * read as a request, and what came after too many, is counted and no more: else anybody could fill the store.
 */
export function eventsOf(outcome: Outcome, tenant: Tenant, raw: RawRequest): readonly AuditEvent[] {
  const { result, request, caller, authorization } = outcome
  if (!request || (result instanceof OAuthError && isOffTheRecord(result, outcome))) return []
  const common = {
    tenant: tenant.slug,
    grant: request.grant,
    client_id: authorization?.party.id ?? caller?.client?.id,
    subject: authorization?.sub,
    actor_chain: authorization?.act && actorChain(authorization.act),
    rule: authorization?.party.agent?.name,
    provider: authorization?.proof?.provider,
    subject_proof: authorization?.proof?.subject,
    // What somebody unproven wrote there could be anything, a misplaced secret too.
    scope_requested: authorization && request.scope && showScope(request.scope),
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
      provider: common.provider ?? result.proven?.provider,
      subject_proof: common.subject_proof ?? result.proven?.subject,
      mismatch: result.proven?.mismatch,
      audience: authorization && request.targets,
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
