import type { FastifyInstance } from 'fastify'
import { apiErrorBody, OAuthError } from '../../oauth/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { answerOf } from '../answer.ts'
import { challengeOf } from '../bearer.ts'
import { attempt, rawOf, repeatedHeader, requestIdOf } from '../incoming.ts'
import type { Limits } from '../limits.ts'
import { refused } from '../refused.ts'
import { crossOrigin, otherMethods, preflight, prefixes, write } from '../reply.ts'
import type { Tenant } from '../tenant.ts'
import { approvalStatus } from './approval_status.ts'

export interface ApprovalRoutesDependencies {
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly limits: Limits
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** What agents ask of their approvals. */
export function approvalRoutes(
  app: FastifyInstance,
  dependencies: ApprovalRoutesDependencies,
): void {
  const { tenants, random } = dependencies
  for (const prefix of prefixes) {
    const url = `${prefix}/agents/me/approvals/:approval/status`
    app.route<{ Params: { tenant: string; approval: string } }>({
      method: 'GET',
      url,
      handler: async (request, reply) => {
        const requestId = requestIdOf(request, random)
        reply.headers({ 'x-request-id': requestId, ...crossOrigin })
        const { tenant: slug, approval } = request.params
        const tenant = tenants.get(slug)
        const raw = rawOf(request, requestId)
        const refuse = (refusal: OAuthError, more: Readonly<Record<string, string>> = {}) =>
          write(reply, {
            ...answerOf(refusal, { ...challengeOf(refusal), ...more }),
            body: JSON.stringify(apiErrorBody(refusal)),
          })
        if (!tenant) return refuse(new OAuthError('tenant_unknown'))
        const result =
          repeatedHeader(request) ??
          (await attempt(() => approvalStatus(approval, raw, request.method, tenant)))
        const nonce = raw.dpop === undefined ? {} : { 'dpop-nonce': tenant.dpop.freshNonce() }
        return result instanceof OAuthError
          ? refuse(refused(result, slug, raw.address, dependencies), nonce)
          : write(reply, answerOf(result, nonce))
      },
    })
    const allowed = ['GET', 'HEAD', 'OPTIONS']
    const more = { 'access-control-allow-methods': allowed.join(', '), ...preflight }
    otherMethods(app, url, allowed, more)
  }
}
