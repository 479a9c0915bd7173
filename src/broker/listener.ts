import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { Answers, type Route } from './answers.ts'
import type { Calling, Callers } from './caller/callers.ts'
import { BrokerError, type BrokerErrorCode } from './errors.ts'
import { failedGuard, failedOpenGuard } from './guards.ts'
import { isBelowOpenPath, openRoutes, type OpenRoutesDependencies } from './open_routes.ts'
import type { OpenHandler } from './routes/drop_in.ts'
import { exchangeRoutes, type ExchangeRouteDependencies } from './routes/exchange.ts'
import { identityRoute, type IdentityRouteDependencies } from './routes/identity.ts'
import { sessionRoutes, type SessionRouteDependencies } from './routes/sessions.ts'
import { tokenRoutes, type Handler, type TokenRouteDependencies } from './routes/token.ts'

export interface BrokerListenerDependencies extends Omit<
  TokenRouteDependencies &
    ExchangeRouteDependencies &
    SessionRouteDependencies &
    IdentityRouteDependencies &
    OpenRoutesDependencies,
  'answers'
> {
  readonly callers: Callers
  /** The `Host` values that are served; known once the listener has its ports. */
  readonly hosts: () => ReadonlySet<string>
  readonly log: Log
  readonly metrics: Metrics
}

const BODY_LIMIT = 65_536

/**
 * What a pod meets on localhost. Every route is registered through `guarded`, the handler of unknown routes too, so that
 * none can be reached without the guards. The guards stand in the handler and not in hooks: on this path each hook costs
 * more than all the guards together.
 */
export function brokerListener(dependencies: BrokerListenerDependencies): FastifyInstance {
  const { hosts, callers, log } = dependencies
  const answers = new Answers(dependencies.metrics)
  const closed = ({ raw }: FastifyRequest): BrokerError | undefined => {
    const guard = failedGuard(raw, hosts())
    return guard && new BrokerError(guard)
  }
  const open = ({ raw }: FastifyRequest): BrokerError | undefined => {
    const guard = failedOpenGuard(raw, hosts())
    return guard && new BrokerError(guard)
  }
  let openPaths: ReadonlySet<string> = new Set()
  const guardOf = (request: FastifyRequest): BrokerError | undefined =>
    openPaths.has(request.routeOptions.url ?? '') ? open(request) : closed(request)
  const guarded = (route: Route, handler: Handler): OpenHandler => {
    const serve = (caller: Calling, request: FastifyRequest, reply: FastifyReply) => {
      if (caller instanceof BrokerError) return answers.refuse(reply, route, caller)
      if (caller.rate.take()) return handler(caller, request, reply)
      return answers.refuse(reply, route, new BrokerError('rate_limited', { retryAfterSeconds: 1 }))
    }
    return (request, reply) => {
      const guard = closed(request)
      if (guard) return answers.refuse(reply, route, guard)
      const caller = callers.of(request.raw)
      // Without a promise: this is the hot path.
      if (!(caller instanceof Promise)) return serve(caller, request, reply)
      return caller.then((found) => serve(found, request, reply))
    }
  }
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    // Unreadable URLs arrive here. They have no route, so what stands before the fault says whose guards they pass.
    frameworkErrors: (_error, request, reply) => {
      const guard = isBelowOpenPath(request.raw.url ?? '') ? open(request) : closed(request)
      void answers.refuse(reply, 'none', guard ?? new BrokerError('body_malformed'))
    },
  })
  // Without a body that is read: Fastify would refuse one without a media type for that (RFC 10008 section 2).
  app.addHttpMethod('QUERY', { overrideExisting: true })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  // A body can fail before any handler runs; the guards come first here too.
  app.setErrorHandler((error: { code?: string }, request, reply) =>
    answers.refuse(reply, 'none', guardOf(request) ?? errorOf(error, log)),
  )
  const token = tokenRoutes({ ...dependencies, answers })
  app.get('/v1/token', guarded('token', token.get))
  app.post('/v1/token', guarded('token', token.post))
  app.get('/v1/identity', guarded('identity', identityRoute({ ...dependencies, answers })))
  const exchange = exchangeRoutes({ ...dependencies, answers })
  app.post('/v1/exchange', guarded('exchange', exchange.post))
  app.get('/v1/exchange/:handle', guarded('exchange', exchange.get))
  const sessions = sessionRoutes({ ...dependencies, answers })
  app.post('/v1/sessions', guarded('sessions', sessions.post))
  app.delete('/v1/sessions/:session', guarded('sessions', sessions.end))
  const refuseOthers = (url: string, allowed: readonly string[]): void => {
    const allow = allowed.join(', ')
    const refuse: Handler = (_workload, _request, reply) =>
      answers.refuse(reply.header('allow', allow), 'none', new BrokerError('method_not_allowed'))
    const method = app.supportedMethods.filter((one) => !allowed.includes(one))
    app.route({ method, url, handler: guarded('none', refuse) })
  }
  refuseOthers('/v1/token', ['GET', 'POST'])
  refuseOthers('/v1/identity', ['GET'])
  refuseOthers('/v1/exchange', ['POST'])
  refuseOthers('/v1/exchange/:handle', ['GET'])
  refuseOthers('/v1/sessions', ['POST'])
  refuseOthers('/v1/sessions/:session', ['DELETE'])
  const openly =
    (handler: OpenHandler): OpenHandler =>
    (request, reply) => {
      const guard = open(request)
      return guard ? answers.refuse(reply, 'none', guard) : handler(request, reply)
    }
  openPaths = openRoutes(app, openly, { ...dependencies, answers })
  const unknown = guarded('none', (_workload, _request, reply) =>
    answers.refuse(reply, 'none', new BrokerError('route_unknown')),
  )
  answerUnrouted(app, unknown)
  return app
}

/**
 * Answers what no route takes. Fastify routes nine methods, and Node reads some thirty: the rest come here whatever their
 * path, and are routed again as TRACE, which no path takes and whose body nobody reads. Routes for each of them at each path
 * would take 0.8 MB of every sidecar.
 */
function answerUnrouted(app: FastifyInstance, unknown: OpenHandler): void {
  const routed = new Set(app.supportedMethods)
  app.setNotFoundHandler((request, reply) => {
    const { raw } = request
    if (routed.has(raw.method ?? '')) return unknown(request, reply)
    reply.hijack()
    raw.method = 'TRACE'
    app.routing(raw, reply.raw)
    return reply
  })
}

const bodyErrors: Readonly<Record<string, BrokerErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_malformed',
  // The caller hung up before its body was there.
  ECONNRESET: 'body_malformed',
}

function errorOf(error: { code?: string }, log: Log): BrokerError {
  const code = bodyErrors[error.code ?? '']
  if (code) return new BrokerError(code)
  log.error('a request failed', causeOf(error))
  return new BrokerError('unexpected')
}
