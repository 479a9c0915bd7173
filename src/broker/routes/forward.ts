import type { FastifyRequest } from 'fastify'
import { LinkFailure, type AuthorityLink, type LinkRequest } from '../../exchange/link.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Answers, PassedAnswer } from '../answers.ts'
import type { Callers } from '../caller/callers.ts'
import type { ClientProof } from '../drop_in/guard.ts'
import { dropRevoked, revocationBody } from '../drop_in/revocation.ts'
import { Slots } from '../slots.ts'
import { BrokerError } from '../errors.ts'
import { headersOfAnswer, headersToPass, isEncoded } from '../forward/headers.ts'
import { forwardableOf, type Forwardable } from '../forward/path.ts'
import type { OpenHandler } from './drop_in.ts'
import { queryOf } from './token.ts'

export interface ForwardRouteDependencies {
  readonly tenant: string
  readonly callers: Callers
  readonly prove: ClientProof
  readonly link: AuthorityLink
  readonly log: Log
  readonly metrics: Metrics
  readonly answers: Answers
}

/** The authority's other paths that clients reach by the one base URL they know. Both prefixes of a tenant mean the same. */
export const forwardedPaths: readonly {
  readonly path: string
  readonly methods: readonly ('GET' | 'POST')[]
}[] = [
  ...['/t/:tenant/api/v1', '/orgs/:tenant/api/v1'].flatMap((prefix) => [
    { path: `${prefix}/oauth/userinfo`, methods: ['GET', 'POST'] as const },
    { path: `${prefix}/oauth/revoke`, methods: ['POST'] as const },
    { path: `${prefix}/agents/*`, methods: ['GET', 'POST'] as const },
    { path: `${prefix}/authz/*`, methods: ['GET', 'POST'] as const },
  ]),
  { path: '/api/v1/authz/*', methods: ['GET', 'POST'] as const },
]

const TOTAL_MS = 10_000
/** Requests of one workload that may be under way. */
const MAX_UNDER_WAY = 64
const MAX_QUERY_LENGTH = 2_048

/**
 * Passes a request on to the authority with the caller's own `Authorization`, and with nothing added. Whoever has none gets
 * nothing here: that is the guard. A broker for many pods passes nothing on, for it could not tell whose request it is.
 */
export function forwardRoute(dependencies: ForwardRouteDependencies): OpenHandler {
  const { callers, answers } = dependencies
  const slots = new Slots(MAX_UNDER_WAY)
  return async (request, reply) => {
    const place = placeOf(request, dependencies)
    if (place instanceof BrokerError) return answers.refuse(reply, 'forwarded', place)
    const workload = await callers.of(request.raw)
    if (workload instanceof BrokerError) return answers.refuse(reply, 'forwarded', workload)
    if (!workload.rate.take()) {
      const limited = new BrokerError('rate_limited', { retryAfterSeconds: 1 })
      return answers.refuse(reply, 'forwarded', limited)
    }
    const result = await (slots.run(workload, () => pass(request, place, dependencies)) ??
      new BrokerError('overloaded'))
    const isRevoked =
      place.kind === 'revoke' && !(result instanceof BrokerError) && result.status === 200
    if (isRevoked && Buffer.isBuffer(request.body)) dropRevoked(workload, request.raw, request.body)
    return result instanceof BrokerError
      ? answers.refuse(reply, 'forwarded', result)
      : answers.pass(reply, result)
  }
}

function placeOf(
  { raw }: FastifyRequest,
  { callers, tenant }: ForwardRouteDependencies,
): Forwardable | BrokerError {
  const place = forwardableOf(raw.url ?? '')
  if (!place) return new BrokerError('route_unknown')
  if (callers.byToken) return new BrokerError('forwarding_elsewhere')
  const isOther = place.tenant !== undefined && place.tenant !== tenant
  return isOther ? new BrokerError('tenant_unknown') : place
}

async function pass(
  request: FastifyRequest,
  place: Forwardable,
  dependencies: ForwardRouteDependencies,
): Promise<PassedAnswer | BrokerError> {
  const { link, metrics, log } = dependencies
  const wanted = await requestOf(request, place, dependencies)
  if (wanted instanceof BrokerError) return wanted
  const answer = await link(wanted)
  const headers = answer instanceof LinkFailure ? undefined : headersOfAnswer(answer)
  if (answer instanceof LinkFailure || !headers) {
    metrics.tally('forwarded', { code: '503' }).add()
    const isOut = answer instanceof LinkFailure && answer.code === 'unavailable'
    log.warn('a request that was passed on brought no usable answer', {
      detail:
        answer instanceof LinkFailure
          ? answer.detail
          : `it answered ${String(answer.status)} with what is not passed on`,
    })
    return new BrokerError(isOut ? 'authority_unavailable' : 'authority_answer_unusable')
  }
  metrics.tally('forwarded', { code: String(answer.status) }).add()
  return { status: answer.status, headers, body: answer.body }
}

async function requestOf(
  request: FastifyRequest,
  { path, kind }: Forwardable,
  { prove }: ForwardRouteDependencies,
): Promise<LinkRequest | BrokerError> {
  const { raw } = request
  const query = queryOf({ url: raw.url ?? '' })
  const takesQuery = kind === 'family' && raw.method === 'GET'
  if (query !== '' && !(takesQuery && isPassable(query))) {
    return new BrokerError('query_not_forwarded')
  }
  if (isEncoded(raw)) return new BrokerError('media_type')
  const body = Buffer.isBuffer(request.body) ? request.body : undefined
  const common = { path, query, totalTimeoutMs: TOTAL_MS }
  if (kind === 'revoke' && body) {
    const revocation = await revocationBody(raw, body, prove)
    if (revocation instanceof BrokerError) return revocation
    if (revocation) return { ...common, method: 'POST', ...revocation }
  }
  const headers = headersToPass(raw)
  if (headers instanceof BrokerError) return headers
  return { ...common, method: raw.method === 'POST' ? 'POST' : 'GET', headers, body }
}

/** What could be read in two ways, or end the target, is not passed on. */
function isPassable(query: string): boolean {
  return query.length <= MAX_QUERY_LENGTH && /^[\x21\x24-\x7e]+$/.test(query)
}
