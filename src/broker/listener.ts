import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics, Tally } from '../platform/metrics.ts'
import { BrokerError, type BrokerErrorCode } from './errors.ts'
import type { GetToken, Served } from './get_token.ts'
import { failedGuard } from './guards.ts'
import type { ProofSource } from './proof.ts'
import type { RateLimit } from './rate_limit.ts'
import { bodyOf } from './servable.ts'
import { rememberingWishes, wishOfBody, type Wish } from './wish.ts'

export interface BrokerListenerDependencies {
  readonly getToken: GetToken
  readonly proofs: ProofSource
  /** The `Host` values that are served; known once the listener has its ports. */
  readonly hosts: () => ReadonlySet<string>
  readonly rateLimit: RateLimit
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

const BODY_LIMIT = 65_536

type Route = 'token' | 'identity' | 'none'
type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>

/**
 * What a pod meets on localhost. Every route is registered through `guarded`, the handler of unknown routes too, so that
 * none can be reached without the guards. The guards stand in the handler and not in hooks: on this path each hook costs
 * more than all the guards together.
 */
export function brokerListener(dependencies: BrokerListenerDependencies): FastifyInstance {
  const { log } = dependencies
  const answered = answerTally(dependencies.metrics)
  const guarded = guardedBy(dependencies, answered)
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    frameworkErrors: (_error, request, reply) => {
      const guard = failedGuard(request.raw, dependencies.hosts())
      void refuse(reply, 'none', new BrokerError(guard ?? 'body_malformed'), answered)
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler((error: { code?: string; message?: string }, request, reply) => {
    // A body can fail before any handler runs; the guards come first here too.
    const guard = failedGuard(request.raw, dependencies.hosts())
    return refuse(reply, 'none', guard ? new BrokerError(guard) : errorOf(error, log), answered)
  })
  const { token, identity } = routesOf(dependencies, answered)
  app.get('/v1/token', guarded('token', token.get))
  app.post('/v1/token', guarded('token', token.post))
  app.get('/v1/identity', guarded('identity', identity))
  for (const url of ['/v1/token', '/v1/identity']) {
    app.route({
      method: [
        'HEAD',
        'PUT',
        'DELETE',
        'PATCH',
        'OPTIONS',
        ...(url === '/v1/identity' ? ['POST'] : []),
      ],
      url,
      handler: guarded('none', (_request, reply) =>
        refuse(
          reply.header('allow', url === '/v1/identity' ? 'GET' : 'GET, POST'),
          'none',
          new BrokerError('method_not_allowed'),
          answered,
        ),
      ),
    })
  }
  app.setNotFoundHandler(
    guarded('none', (_request, reply) =>
      refuse(reply, 'none', new BrokerError('route_unknown'), answered),
    ),
  )
  return app
}

function routesOf(dependencies: BrokerListenerDependencies, answered: AnswerTally) {
  const { getToken, proofs, clock } = dependencies
  const serve = (reply: FastifyReply, { servable, expiresIn }: Served): FastifyReply => {
    answered('token', 200)
    return reply.headers(answerHeaders).send(bodyOf(servable, expiresIn))
  }
  const wishOfQuery = rememberingWishes()
  const answer = (wish: Wish | BrokerError, reply: FastifyReply) => {
    if (wish instanceof BrokerError) return refuse(reply, 'token', wish, answered)
    const cached = getToken.fromCache(wish)
    if (cached) return serve(reply, cached)
    return getToken
      .byExchange(wish)
      .then((result) =>
        result instanceof BrokerError
          ? refuse(reply, 'token', result, answered)
          : serve(reply, result),
      )
  }
  const get: Handler = (request, reply) => answer(wishOfQuery(queryOf(request.url)), reply)
  const post: Handler = (request, reply) => {
    if (queryOf(request.url) !== '') {
      return refuse(reply, 'token', new BrokerError('query_refused'), answered)
    }
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    return answer(wishOfBody(request.headers['content-type'], body), reply)
  }
  const identity: Handler = async (_request, reply) => {
    const proof = proofs.last() ?? (await proofs.read())
    if (!('subject' in proof))
      return refuse(reply, 'identity', new BrokerError(proof.code), answered)
    const { subject, expiresAt } = proof
    answered('identity', 200)
    return reply.headers(answerHeaders).send(
      JSON.stringify({
        proof: {
          issuer: subject.issuer,
          subject: subject.sub,
          ...(subject.instance !== '' && { pod_uid: subject.instance }),
          expires_in: Math.max(0, expiresAt - unixSeconds(clock)),
        },
        // Known from the first token on; what it may ask for is for the authority to say.
        agent: getToken.agent ?? null,
      }),
    )
  }
  return { token: { get, post }, identity }
}

const answerHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
} as const

function guardedBy(
  { hosts, rateLimit }: BrokerListenerDependencies,
  answered: AnswerTally,
): (route: Route, handler: Handler) => Handler {
  return (route, handler) => (request, reply) => {
    const guard = failedGuard(request.raw, hosts())
    if (guard) return refuse(reply, route, new BrokerError(guard), answered)
    if (!rateLimit.take()) {
      return refuse(
        reply,
        route,
        new BrokerError('rate_limited', { retryAfterSeconds: 1 }),
        answered,
      )
    }
    return handler(request, reply)
  }
}

/** The one writer of refusals. */
function refuse(
  reply: FastifyReply,
  route: Route,
  error: BrokerError,
  answered: AnswerTally,
): FastifyReply {
  answered(route, error.status)
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
  return reply.code(error.status).headers(answerHeaders).send(error.body())
}

type AnswerTally = (route: Route, status: number) => void

/** Series found once per route and code, so that counting on the hot path is one addition. */
function answerTally(metrics: Metrics): AnswerTally {
  const tallies: Record<Route, Map<number, Tally>> = {
    token: new Map(),
    identity: new Map(),
    none: new Map(),
  }
  return (route, status) => {
    const known = tallies[route].get(status)
    if (known) {
      known.add()
      return
    }
    const tally = metrics.tally('requests', {
      listener: 'broker',
      route,
      code: String(status),
    })
    tallies[route].set(status, tally)
    tally.add()
  }
}

function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}

function errorOf(error: { code?: string; message?: string }, log: Log): BrokerError {
  const known: Readonly<Record<string, BrokerErrorCode>> = {
    FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
    FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type',
    FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_malformed',
    // The caller hung up before its body was there.
    ECONNRESET: 'body_malformed',
  }
  const code = known[error.code ?? '']
  if (code) return new BrokerError(code)
  log.error('a request failed', { code: error.code, reason: error.message })
  return new BrokerError('unexpected')
}
