import { OAuthError } from '../oauth/errors.ts'
import type { GrantName } from '../oauth/grant_types.ts'
import type { Audit } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Random } from '../platform/random.ts'
import { StoreFault } from '../store/store.ts'
import { answerOf, type Answer } from './answer.ts'
import { chargeProven, holdBack } from './charges.ts'
import { authenticateClient } from './client/authenticate.ts'
import type { ClientAssertions } from './client/assertion.ts'
import { authorizationCode } from './grants/authorization_code.ts'
import { clientCredentials } from './grants/client_credentials.ts'
import type { Authorization, Caller, Grant } from './grants/grant.ts'
import { refreshToken } from './grants/refresh_token.ts'
import { tokenExchange } from './grants/token_exchange.ts'
import { mint, type Minted } from './issuer.ts'
import type { Limits } from './limits.ts'
import { parseTokenRequest, type RawRequest, type TokenRequest } from './request.ts'
import type { Tenant } from './tenant.ts'
import { eventsOf, isAlarm, isFailure, spendingEvent } from './token_events.ts'

const grants: Readonly<Record<GrantName, Grant>> = {
  authorization_code: authorizationCode,
  client_credentials: clientCredentials,
  refresh_token: refreshToken,
  token_exchange: tokenExchange,
}

export interface TokenEndpointDependencies {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly assertions: ClientAssertions
  readonly limits: Limits
  readonly audit: Audit
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** The token endpoint: a tenant's slug and a request in, an answer out. Never rejects. */
export type TokenEndpoint = (slug: string, raw: RawRequest) => Promise<Answer>

/**
 * The token endpoint as named phases, in order: tenant, parse once, authenticate the client, allowed grant, the grant,
 * target and scope, mint, spend, audit, respond. What every grant needs is in this frame, so that no grant can leave it out.
 */
export function tokenEndpoint(dependencies: TokenEndpointDependencies): TokenEndpoint {
  return async (slug, raw) => {
    const tenant = dependencies.tenants.get(slug)
    if (!tenant) {
      // Counted without its name, which is whatever somebody wrote.
      dependencies.metrics.tally('denials', { tenant: 'none', reason: 'tenant_unknown' }).add()
      return answerOf(new OAuthError('tenant_unknown'))
    }
    const outcome = await serve(tenant, raw, dependencies)
    const { result } = outcome
    report(outcome, tenant, dependencies)
    const nonce = raw.dpop === undefined ? {} : { 'dpop-nonce': tenant.dpop.freshNonce() }
    return answerOf(result instanceof OAuthError ? result : result.response, nonce)
  }
}

/** How a request ended, and how far it came. */
export interface Outcome {
  readonly result: Minted | OAuthError
  readonly request?: TokenRequest
  readonly caller?: Caller
  readonly authorization?: Authorization
}

async function serve(
  tenant: Tenant,
  raw: RawRequest,
  dependencies: TokenEndpointDependencies,
): Promise<Outcome> {
  const { limits, audit } = dependencies
  const outcome = await attempt(tenant, raw, dependencies)
  // Only what fails is held back: whoever shares an address with a bad neighbour is served.
  const over = isFailure(outcome) ? limits.failed(raw.address) : undefined
  const events = eventsOf(outcome, tenant, raw)
  try {
    // A sign of theft is recorded whatever else came from its address: noise must not hide it.
    for (const event of over ? events.filter(isAlarm) : events) await audit.record(event)
    return over ? { ...outcome, result: over } : outcome
  } catch (error) {
    // What is not on record does not exist: the token is thrown away.
    return { ...outcome, result: faultOf(error) }
  }
}

async function attempt(
  tenant: Tenant,
  raw: RawRequest,
  dependencies: TokenEndpointDependencies,
): Promise<Outcome> {
  const request = parseTokenRequest(raw, (grant) => grants[grant].parameters)
  if (request instanceof OAuthError) return { result: request }
  try {
    return { request, ...(await authorizeAndMint(tenant, request, raw, dependencies)) }
  } catch (error) {
    return { request, result: faultOf(error) }
  }
}

async function authorizeAndMint(
  tenant: Tenant,
  request: TokenRequest,
  { address }: RawRequest,
  dependencies: TokenEndpointDependencies,
): Promise<Outcome> {
  const grant = grants[request.grant]
  const held = holdBack(request, address, dependencies.limits)
  if (held) return { result: held }
  const caller = await identify(request, grant, tenant, dependencies)
  if (caller instanceof OAuthError) return { result: caller }
  const authorization = await grant.authorize(request, caller, tenant)
  if (authorization instanceof OAuthError) return { result: authorization, caller }
  const told = { caller, authorization }
  const over = chargeProven(request, caller, authorization, tenant, dependencies.limits)
  if (over) return { result: over, ...told }
  const targets = request.targets.length === 0 ? authorization.targets : request.targets
  const allowed = authorization.ceiling.allow({ targets, scope: request.scope })
  if (typeof allowed === 'string') return { result: new OAuthError(allowed), ...told }
  const minted = await mint(authorization, allowed, caller.dpop?.jkt, tenant, dependencies)
  if (minted instanceof OAuthError || !authorization.spend) return { result: minted, ...told }
  // Written first: were the audit trail out, what is spent now would be gone, and the client's next try a sign of theft.
  await dependencies.audit.record(spendingEvent(authorization, minted, tenant))
  const spent = await authorization.spend(allowed)
  if (spent instanceof OAuthError) return { result: spent, ...told }
  const { refreshToken: refresh_token } = spent
  const response = { ...minted.response, ...(refresh_token !== undefined && { refresh_token }) }
  return { result: { ...minted, response }, ...told }
}

/** Who asks: the phases that authenticate the client, hold it to its grants and its budget, and look at its DPoP proof. */
async function identify(
  request: TokenRequest,
  grant: Grant,
  tenant: Tenant,
  { assertions, limits }: TokenEndpointDependencies,
): Promise<Caller | OAuthError> {
  const { credentials } = request
  const client = credentials
    ? await authenticateClient(credentials, tenant, assertions)
    : await publicClient(request, grant, tenant)
  if (client instanceof OAuthError) return client
  const authenticated = credentials !== undefined
  if (client && !client.grantTypes.includes(request.grant)) {
    return new OAuthError('grant_not_allowed', { detail: `client ${client.id}` })
  }
  if (client && authenticated) {
    const over = limits.spend({ kind: 'client', tenant: tenant.slug, id: client.id })
    if (over) return over
  }
  if (request.dpop === undefined) {
    return client?.dpopBound === true
      ? new OAuthError('dpop_invalid', { reason: 'dpop_missing' })
      : { client, authenticated, dpop: undefined }
  }
  const dpop = await tenant.dpop.verify(request.dpop, {
    tenant: tenant.slug,
    method: 'POST',
    urls: tenant.urls('/oauth/token'),
  })
  return dpop instanceof OAuthError ? dpop : { client, authenticated, dpop }
}

/** A client that has nothing to show names itself, where the grant binds what it asks for to it in another way. */
async function publicClient(
  { clientId }: TokenRequest,
  { clientAuthentication }: Grant,
  tenant: Tenant,
) {
  switch (clientAuthentication) {
    case 'optional':
      return undefined
    case 'required':
      return new OAuthError('client_unproven', { detail: 'no client authentication' })
    case 'identified': {
      const client = clientId === undefined ? undefined : await tenant.clients.find(clientId)
      if (client?.isPublic === true) return client
      return new OAuthError('client_unproven', { detail: 'no client authentication' })
    }
  }
}

function faultOf(error: unknown): OAuthError {
  if (error instanceof StoreFault) {
    return new OAuthError('store_down', { detail: error.message, retryAfterSeconds: 1 })
  }
  return new OAuthError('unexpected', { detail: JSON.stringify(causeOf(error)) })
}

function report(
  { result, request, authorization, caller }: Outcome,
  tenant: Tenant,
  { log, metrics }: TokenEndpointDependencies,
): void {
  const fields = {
    tenant: tenant.slug,
    grant: request?.grant,
    client: authorization?.party.id ?? caller?.client?.id,
    agent: authorization?.party.agent?.name,
  }
  if (!(result instanceof OAuthError)) {
    metrics.tally('tokens', { tenant: tenant.slug, grant: request?.grant ?? 'none' }).add()
    // On record in the audit trail already; a line more for each would cost as much as the signature's bookkeeping.
    log.debug('token issued', fields)
    return
  }
  metrics.tally('denials', { tenant: tenant.slug, reason: result.reason }).add()
  const refusal = {
    ...fields,
    code: result.code,
    reason: result.reason,
    detail: result.detail,
    mismatch: result.proven?.mismatch,
  }
  if (result.explanation.length > 0) {
    log.debug('what the trust policy says to the proof', {
      ...fields,
      rules: result.explanation.join(' | '),
    })
  }
  if (result.status >= 500) log.error('token request not served', refusal)
  else log.warn('token request refused', refusal)
}
