import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { Answers, type Route } from './answers.ts'
import { BrokerError, type BrokerErrorCode } from './errors.ts'
import { failedGuard } from './guards.ts'
import type { RateLimit } from './rate_limit.ts'
import { identityRoute, tokenRoutes, type Handler, type RoutesDependencies } from './routes.ts'

export interface BrokerListenerDependencies extends Omit<RoutesDependencies, 'answers'> {
  /** The `Host` values that are served; known once the listener has its ports. */
  readonly hosts: () => ReadonlySet<string>
  readonly rateLimit: RateLimit
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
  const { hosts, rateLimit, log } = dependencies
  const answers = new Answers(dependencies.metrics)
  const guardOf = ({ raw }: FastifyRequest): BrokerError | undefined => {
    const guard = failedGuard(raw, hosts())
    return guard && new BrokerError(guard)
  }
  const guarded =
    (route: Route, handler: Handler): Handler =>
    (request, reply) => {
      const guard = guardOf(request)
      if (guard) return answers.refuse(reply, route, guard)
      if (rateLimit.take()) return handler(request, reply)
      return answers.refuse(reply, route, new BrokerError('rate_limited', { retryAfterSeconds: 1 }))
    }
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    // Unreadable URLs arrive here.
    frameworkErrors: (_error, request, reply) => {
      void answers.refuse(reply, 'none', guardOf(request) ?? new BrokerError('body_malformed'))
    },
  })
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
  const refuseMethods = (url: string, allow: string, methods: readonly string[]): void => {
    const refuse: Handler = (_request, reply) =>
      answers.refuse(reply.header('allow', allow), 'none', new BrokerError('method_not_allowed'))
    app.route({ method: [...methods], url, handler: guarded('none', refuse) })
  }
  refuseMethods('/v1/token', 'GET, POST', otherMethods)
  refuseMethods('/v1/identity', 'GET', [...otherMethods, 'POST'])
  app.setNotFoundHandler(
    guarded('none', (_request, reply) =>
      answers.refuse(reply, 'none', new BrokerError('route_unknown')),
    ),
  )
  return app
}

const otherMethods = ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']

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
