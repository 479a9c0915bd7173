import { METHODS } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { OAuthError } from '../oauth/errors.ts'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { approvalRoutes } from './account/routes.ts'
import { browserRoutes, type BrowserRoutesDependencies } from './browser/routes.ts'
import { loginJsonRoute, type LoginJsonDependencies } from './sign_in/login_json_route.ts'
import { answerOf } from './answer.ts'
import { authzRoutes } from './authz/routes.ts'
import { discoveryRoutes } from './discovery_routes.ts'
import { oauthRoutes, type OAuthRoutesDependencies } from './oauth_routes.ts'
import { write } from './reply.ts'

export interface AuthorityListenerDependencies
  extends OAuthRoutesDependencies, BrowserRoutesDependencies, LoginJsonDependencies {
  readonly origin: string
  /** Addresses and networks of proxies that are believed when they say for whom they ask. */
  readonly trustedProxies: readonly string[]
  readonly log: Log
  readonly metrics: Metrics
}

const BODY_LIMIT = 65_536

/** The authority over HTTP. */
export function authorityListener(dependencies: AuthorityListenerDependencies): FastifyInstance {
  const { trustedProxies, log, metrics } = dependencies
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    frameworkErrors: (_error, _request, reply) => {
      // Only unreadable URLs arrive here.
      void write(reply, answerOf(new OAuthError('body_malformed')))
    },
  })
  // The rest of what Node reads, so that whoever asks with it is told what is taken.
  for (const method of METHODS) {
    const taken = app.supportedMethods.includes(method) || method === 'CONNECT'
    if (!taken) app.addHttpMethod(method)
  }
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler((error: { code?: string }, _request, reply) =>
    write(reply, answerOf(errorOf(error, log))),
  )
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(notFound))
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    metrics
      .tally('requests', { listener: 'authority', route, code: String(reply.statusCode) })
      .add()
    done()
  })
  oauthRoutes(app, dependencies)
  browserRoutes(app, dependencies)
  loginJsonRoute(app, dependencies)
  approvalRoutes(app, dependencies)
  authzRoutes(app, dependencies)
  discoveryRoutes(app, dependencies)
  return app
}

function errorOf(error: { code?: string }, log: Log): OAuthError {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new OAuthError('body_too_large')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
    case 'FST_ERR_ROUTE_MISSING_CONTENT_TYPE':
      return new OAuthError('media_type')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'ECONNRESET':
      return new OAuthError('body_malformed')
    default:
      log.error('a request failed', causeOf(error))
      return new OAuthError('unexpected')
  }
}

const notFound = { error: 'not_found', error_description: 'There is nothing here.' }
