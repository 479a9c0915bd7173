import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../oauth/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Random } from '../platform/random.ts'
import { push } from './authorize/par.ts'
import { answerOf, type Answer } from './answer.ts'
import { challengeOf } from './bearer.ts'
import { attempt, rawOf, repeatedHeader, requestIdOf } from './incoming.ts'
import { introspect } from './introspect.ts'
import { refused } from './refused.ts'
import {
  crossOrigin,
  otherMethods,
  preflight,
  prefixes,
  write,
  type TenantParams,
} from './reply.ts'
import type { RawRequest } from './request.ts'
import { revoke, type RevokeDependencies } from './revoke.ts'
import type { Tenant } from './tenant.ts'
import type { TokenEndpoint } from './token.ts'
import { userinfo } from './userinfo.ts'

export interface OAuthRoutesDependencies extends RevokeDependencies {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly token: TokenEndpoint
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

type Serve = (slug: string, raw: RawRequest, method: string) => Promise<Answer>

interface Route {
  readonly path: string
  readonly methods: readonly ('GET' | 'POST')[]
  /** Whether programs in browsers call it. */
  readonly fromBrowsers: boolean
  readonly serve: Serve
}

/** The endpoints that take credentials or tokens, under both prefixes. */
export function oauthRoutes(app: FastifyInstance, dependencies: OAuthRoutesDependencies): void {
  const { token } = dependencies
  const routes: readonly Route[] = [
    { path: '/oauth/token', methods: ['POST'], fromBrowsers: true, serve: token },
    {
      path: '/oauth/introspect',
      methods: ['POST'],
      fromBrowsers: false,
      serve: beside((tenant, raw) => introspect(raw, tenant, dependencies), dependencies),
    },
    {
      path: '/oauth/revoke',
      methods: ['POST'],
      fromBrowsers: true,
      serve: beside((tenant, raw) => revoke(raw, tenant, dependencies), dependencies),
    },
    {
      path: '/oauth/userinfo',
      methods: ['GET', 'POST'],
      fromBrowsers: true,
      serve: beside((tenant, raw, method) => userinfo(method, raw, tenant), dependencies),
    },
    {
      path: '/oauth/par',
      methods: ['POST'],
      fromBrowsers: true,
      serve: beside((tenant, raw) => push(raw, tenant, dependencies), dependencies, 201),
    },
  ]
  for (const prefix of prefixes) for (const route of routes) mount(app, prefix, route, dependencies)
}

function mount(
  app: FastifyInstance,
  prefix: string,
  { path, methods, fromBrowsers, serve }: Route,
  { random }: OAuthRoutesDependencies,
): void {
  const url = `${prefix}${path}`
  app.route<TenantParams>({
    method: [...methods],
    url,
    handler: async (request, reply) => {
      const requestId = requestIdOf(request, random)
      reply.headers({ 'x-request-id': requestId, ...(fromBrowsers && crossOrigin) })
      const twice = repeatedHeader(request)
      if (twice) return write(reply, answerOf(twice))
      return write(
        reply,
        await serve(request.params.tenant, rawOf(request, requestId), request.method),
      )
    },
  })
  const allowed = methods.includes('GET') ? ['GET', 'HEAD', 'POST', 'OPTIONS'] : ['POST', 'OPTIONS']
  const more = { 'access-control-allow-methods': allowed.join(', '), ...preflight }
  otherMethods(app, url, allowed, fromBrowsers ? more : {})
}

type Work = (tenant: Tenant, raw: RawRequest, method: string) => Promise<object | OAuthError>

/** What the endpoints beside the token endpoint have in common: the tenant, the bounds, and what becomes of a fault. */
function beside(
  work: Work,
  dependencies: OAuthRoutesDependencies,
  status = 200,
): (slug: string, raw: RawRequest, method: string) => Promise<Answer> {
  return async (slug, raw, method) => {
    const tenant = dependencies.tenants.get(slug)
    if (!tenant) return answerOf(new OAuthError('tenant_unknown'))
    const result = await attempt(() => work(tenant, raw, method))
    const nonce = raw.dpop === undefined ? {} : { 'dpop-nonce': tenant.dpop.freshNonce() }
    if (!(result instanceof OAuthError)) return { ...answerOf(result, nonce), status }
    const refusal = refused(result, slug, raw.address, dependencies)
    return answerOf(refusal, { ...challengeOf(refusal), ...nonce })
  }
}
