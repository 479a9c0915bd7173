import type { FastifyInstance } from 'fastify'
import { apiErrorBody, OAuthError } from '../../oauth/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Random } from '../../platform/random.ts'
import { answerOf } from '../answer.ts'
import { baseOf, browserRequest } from '../browser/routes.ts'
import { attempt, requestIdOf } from '../incoming.ts'
import { otherMethods, prefixes, write, type TenantParams } from '../reply.ts'
import type { Tenant } from '../tenant.ts'
import { loginJson, type SignedIn } from './login_json.ts'
import type { PasswordSignIn } from './password_sign_in.ts'

export interface LoginJsonDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly passwords: PasswordSignIn
  readonly random: Random
  readonly log: Log
}

const PATH = '/oauth/login/json'

/** Sign-in for pages of other origins of the same operator. Cookies go with it, so no origin but those named may read it. */
export function loginJsonRoute(app: FastifyInstance, dependencies: LoginJsonDependencies): void {
  const { origin: own, tenants, random, log, passwords } = dependencies
  for (const prefix of prefixes) {
    const url = `${prefix}${PATH}`
    app.route<TenantParams>({
      method: ['POST', 'OPTIONS'],
      url,
      handler: async (request, reply) => {
        const requestId = requestIdOf(request, random)
        reply.headers({ 'x-request-id': requestId, vary: 'Origin' })
        const refuse = (refusal: OAuthError) =>
          write(reply, { ...answerOf(refusal), body: JSON.stringify(apiErrorBody(refusal)) })
        const tenant = tenants.get(request.params.tenant)
        if (!tenant) return refuse(new OAuthError('tenant_not_found'))
        const { origin: from } = request.headers
        if (from === undefined || (from !== own && !tenant.trustedOrigins.has(from))) {
          return refuse(new OAuthError('origin_untrusted'))
        }
        reply.headers(crossOriginTo(from))
        if (request.method === 'OPTIONS') return reply.code(204).headers(preflight).send()
        const base = baseOf(own, prefix, tenant.slug)
        const browser = browserRequest(request, requestId, base)
        const contentType = request.headers['content-type']
        const result = await attempt(() => loginJson(browser, contentType, tenant, passwords))
        if (result instanceof OAuthError) {
          if (result.status >= 500) log.error('request not served', { reason: result.reason })
          return refuse(result)
        }
        reply.header('set-cookie', (result as SignedIn).setCookie)
        return write(reply, answerOf({ status: 'complete' }))
      },
    })
    otherMethods(app, url, ['POST'], {}, { ownOptions: true })
  }
}

function crossOriginTo(origin: string): Readonly<Record<string, string>> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Retry-After, X-Request-Id',
  }
}

const preflight = {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'Content-Type',
  'access-control-max-age': '600',
}
