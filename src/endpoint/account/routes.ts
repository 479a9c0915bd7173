import type { FastifyInstance } from 'fastify'
import { apiErrorBody, OAuthError } from '../../oauth/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { answerOf } from '../answer.ts'
import { challengeOf } from '../bearer.ts'
import { attempt, rawOf, repeatedHeader, requestIdOf } from '../incoming.ts'
import type { Limits } from '../limits.ts'
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
  { tenants, limits, random, log, metrics }: ApprovalRoutesDependencies,
): void {
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
        const result = tenant
          ? (repeatedHeader(request) ??
            (await attempt(() => approvalStatus(approval, raw, request.method, tenant))))
          : new OAuthError('tenant_unknown')
        const nonce =
          raw.dpop === undefined || !tenant ? {} : { 'dpop-nonce': tenant.dpop.freshNonce() }
        if (!(result instanceof OAuthError)) return write(reply, answerOf(result, nonce))
        const failed = result.status === 401 && result.error !== 'use_dpop_nonce'
        const refusal = (failed ? limits.failed(raw.address) : undefined) ?? result
        metrics.tally('denials', { tenant: tenant?.slug ?? '', reason: refusal.reason }).add()
        const fields = { tenant: tenant?.slug, reason: refusal.reason, detail: refusal.detail }
        if (refusal.status >= 500) log.error('request not served', fields)
        else log.warn('request refused', fields)
        return write(reply, {
          ...answerOf(refusal, { ...challengeOf(refusal), ...nonce }),
          body: JSON.stringify(apiErrorBody(refusal)),
        })
      },
    })
    const allowed = ['GET', 'HEAD', 'OPTIONS']
    const more = { 'access-control-allow-methods': allowed.join(', '), ...preflight }
    otherMethods(app, url, allowed, more)
  }
}
