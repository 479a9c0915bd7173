import { errorBody, OAuthError } from '../oauth/errors.ts'
import type { GrantName } from '../oauth/grant_types.ts'
import type { Clock } from '../platform/clock.ts'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Random } from '../platform/random.ts'
import { StoreFault } from '../store/store.ts'
import { authenticateClient } from './client_auth.ts'
import { clientCredentials } from './grants/client_credentials.ts'
import type { Authorization, Grant } from './grants/grant.ts'
import { tokenExchange } from './grants/token_exchange.ts'
import { mint, type TokenResponse } from './issuer.ts'
import { parseTokenRequest, type RawTokenRequest, type TokenRequest } from './request.ts'
import type { Tenant } from './tenant.ts'

const grants: Readonly<Record<GrantName, Grant>> = {
  client_credentials: clientCredentials,
  token_exchange: tokenExchange,
}

export interface TokenEndpointDependencies {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** An answer of the token endpoint, ready for whatever carries it. */
export interface TokenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The token endpoint: a tenant's slug and a request in, an answer out. Never rejects. */
export type TokenEndpoint = (slug: string, raw: RawTokenRequest) => Promise<TokenAnswer>

/**
 * The token endpoint as named phases, in order: tenant, parse once, authenticate the client, allowed grant, the grant,
 * target and scope, mint, respond. What every grant needs is in this frame, so that no grant can leave it out.
 */
export function tokenEndpoint(dependencies: TokenEndpointDependencies): TokenEndpoint {
  return async (slug, raw) => {
    const tenant = dependencies.tenants.get(slug)
    if (!tenant) {
      // Counted without its name, which is whatever somebody wrote.
      dependencies.metrics.tally('denials', { tenant: 'none', reason: 'tenant_unknown' }).add()
      return respond(new OAuthError('tenant_unknown'))
    }
    const outcome = await serve(tenant, raw, dependencies)
    report(outcome, tenant, dependencies)
    return respond(outcome.result)
  }
}

interface Outcome {
  readonly result: TokenResponse | OAuthError
  /** How far the request came, for the report. */
  readonly grant?: GrantName
  readonly authorization?: Authorization
}

async function serve(
  tenant: Tenant,
  raw: RawTokenRequest,
  dependencies: TokenEndpointDependencies,
): Promise<Outcome> {
  const request = parseTokenRequest(raw, (grant) => grants[grant].parameters)
  if (request instanceof OAuthError) return { result: request }
  try {
    return { grant: request.grant, ...(await authorizeAndMint(tenant, request, dependencies)) }
  } catch (error) {
    return { grant: request.grant, result: faultOf(error) }
  }
}

async function authorizeAndMint(
  tenant: Tenant,
  request: TokenRequest,
  dependencies: TokenEndpointDependencies,
): Promise<Outcome> {
  const grant = grants[request.grant]
  const client = authenticateClient(request, tenant, grant.clientAuthentication)
  if (client instanceof OAuthError) return { result: client }
  if (client && !client.grantTypes.includes(request.grant)) {
    return { result: new OAuthError('grant_not_allowed', { detail: `client ${client.id}` }) }
  }
  const authorization = await grant.authorize(request, client, tenant)
  if (authorization instanceof OAuthError) return { result: authorization }
  const allowed = authorization.ceiling.allow(request)
  if (typeof allowed === 'string') return { result: new OAuthError(allowed), authorization }
  return { result: await mint(authorization, allowed, tenant, dependencies), authorization }
}

function faultOf(error: unknown): OAuthError {
  if (error instanceof StoreFault) {
    return new OAuthError('store_down', { detail: error.message, retryAfterSeconds: 1 })
  }
  return new OAuthError('unexpected', { detail: JSON.stringify(causeOf(error)) })
}

function report(
  { result, grant, authorization }: Outcome,
  tenant: Tenant,
  { log, metrics }: TokenEndpointDependencies,
): void {
  const fields = {
    tenant: tenant.slug,
    grant,
    client: authorization?.clientId,
    agent: authorization?.agent,
  }
  if (!(result instanceof OAuthError)) {
    metrics.tally('tokens', { tenant: tenant.slug, grant: grant ?? 'none' }).add()
    log.info('token issued', fields)
    return
  }
  metrics.tally('denials', { tenant: tenant.slug, reason: result.reason }).add()
  const refusal = { ...fields, code: result.code, reason: result.reason, detail: result.detail }
  if (result.status >= 500) log.error('token request not served', refusal)
  else log.warn('token request refused', refusal)
}

/** The one place that speaks HTTP for every grant and every refusal (RFC 6749 sections 5.1 and 5.2). */
export function respond(result: TokenResponse | OAuthError): TokenAnswer {
  const failed = result instanceof OAuthError
  return {
    status: failed ? result.status : 200,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      pragma: 'no-cache',
      ...(failed &&
        result.basicChallenge && { 'www-authenticate': 'Basic realm="token", charset="UTF-8"' }),
      ...(failed &&
        result.retryAfterSeconds !== undefined && {
          'retry-after': String(result.retryAfterSeconds),
        }),
    },
    body: JSON.stringify(failed ? errorBody(result) : result),
  }
}
