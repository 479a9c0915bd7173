import type { FastifyInstance, FastifyRequest } from 'fastify'
import { apiErrorBody, OAuthError } from '../../oauth/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import { answerOf, type Answer } from '../answer.ts'
import { challengeOf, presentedToken } from '../bearer.ts'
import { attempt, rawOf, repeatedHeader, requestIdOf } from '../incoming.ts'
import type { Limits } from '../limits.ts'
import { refused } from '../refused.ts'
import { crossOrigin, otherMethods, preflight, prefixes, write } from '../reply.ts'
import type { RawRequest } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import { parseApiKey } from './api_key.ts'
import type { Asker } from './asked.ts'
import { check, checks, permissionsOf } from './check.ts'
import { shownApiKey } from './credential.ts'

export interface AuthzRoutesDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly limits: Limits
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

type Work = (raw: RawRequest, asker: Asker, tenant: Tenant) => Promise<object | OAuthError>

interface Route {
  readonly method: 'GET' | 'POST'
  /** Below the prefix. */
  readonly path: string
  readonly work: Work
}

const routes: readonly Route[] = [
  ...checks.map((which) => ({
    method: 'POST' as const,
    path: `/authz/${which}`,
    work: (...asked: Parameters<Work>) => check(which, ...asked),
  })),
  { method: 'GET', path: '/authz/permissions', work: permissionsOf },
]

/** LumoAuth's SDKs ask at the root, where the token or the key tells the tenant. */
const ROOT = '/api/v1'

/** The `authz` calls, at the root and under both prefixes of a tenant. */
export function authzRoutes(app: FastifyInstance, dependencies: AuthzRoutesDependencies): void {
  for (const prefix of [ROOT, ...prefixes]) {
    for (const route of routes) mount(app, prefix, route, dependencies)
  }
}

function mount(
  app: FastifyInstance,
  prefix: string,
  route: Route,
  dependencies: AuthzRoutesDependencies,
): void {
  const { method, path } = route
  const url = `${prefix}${path}`
  app.route({
    method,
    url,
    handler: async (request, reply) => {
      const requestId = requestIdOf(request, dependencies.random)
      reply.headers({ 'x-request-id': requestId, ...crossOrigin })
      return write(reply, await answer(request, rawOf(request, requestId), route, dependencies))
    },
  })
  const allowed = method === 'GET' ? ['GET', 'HEAD', 'OPTIONS'] : ['POST', 'OPTIONS']
  const more = { 'access-control-allow-methods': allowed.join(', '), ...preflight }
  otherMethods(app, url, allowed, more)
}

async function answer(
  request: FastifyRequest,
  raw: RawRequest,
  { path, work }: Route,
  dependencies: AuthzRoutesDependencies,
): Promise<Answer> {
  const { origin, tenants, limits } = dependencies
  const twice = repeatedHeader(request)
  if (twice) return refusalOf(twice)
  const key = shownApiKey(request)
  if (key instanceof OAuthError) return refusalOf(key)
  const { tenant: slug } = request.params as { readonly tenant?: string }
  const tenant = tenants.get(slug ?? (key === undefined ? ofToken(raw, tenants) : ofKey(key)))
  if (!tenant) {
    const refusal = withoutTenant(slug, raw, key)
    // A key of a tenant that is not there is refused as often as one of a tenant that is, or it would tell which are.
    const over = refusal.code === 'api_key_invalid' ? limits.failed(raw.address) : undefined
    return refusalOf(over ?? refusal)
  }
  const urls = [...tenant.urls(path), `${origin}${ROOT}${path}`]
  const place = { method: request.method, urls }
  const result = await attempt(async () => {
    const asker = await (key === undefined
      ? presentedToken(raw, place, tenant)
      : tenant.apiKeys.read(key))
    return asker instanceof OAuthError ? asker : work(raw, asker, tenant)
  })
  const nonce = raw.dpop === undefined ? {} : { 'dpop-nonce': tenant.dpop.freshNonce() }
  if (!(result instanceof OAuthError)) return answerOf(result, nonce)
  return refusalOf(refused(result, tenant.slug, raw.address, dependencies), nonce)
}

function refusalOf(refusal: OAuthError, more: Readonly<Record<string, string>> = {}): Answer {
  return {
    ...answerOf(refusal, { ...challengeOf(refusal), ...challengeOfKey(refusal), ...more }),
    body: JSON.stringify(apiErrorBody(refusal)),
  }
}

/** No scheme is registered for keys, and a 401 must name one (RFC 9110 section 15.5.2): they are taken as bearer tokens, too. */
function challengeOfKey({ code, error }: OAuthError): Readonly<Record<string, string>> {
  return code === 'api_key_invalid' ? { 'www-authenticate': `Bearer error="${error}"` } : {}
}

function withoutTenant(
  slug: string | undefined,
  { authorization }: RawRequest,
  key: string | undefined,
): OAuthError {
  if (slug !== undefined) return new OAuthError('tenant_unknown')
  if (key !== undefined) return new OAuthError('api_key_invalid')
  return new OAuthError(authorization === undefined ? 'bearer_missing' : 'bearer_invalid')
}

/** Whose key it says that it is, which is believed of nothing but where to look it up. Empty: no tenant's. */
function ofKey(key: string): string {
  return parseApiKey(key)?.tenant ?? ''
}

/** Whose token it says that it is, which is believed of nothing but where to verify it. Empty: no tenant's. */
function ofToken({ authorization = '' }: RawRequest, tenants: ReadonlyMap<string, Tenant>): string {
  const jws = parseCompactJws(authorization.replace(/^[a-z]+ +/i, ''))
  if (typeof jws === 'string') return ''
  return tenants.values().find(({ issuer }) => issuer === jws.payload['iss'])?.slug ?? ''
}
