import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { OAuthError } from '../oauth/errors.ts'
import { causeOf, type Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { metadataOf } from './metadata.ts'
import type { Tenant } from './tenant.ts'
import { respond, type TokenAnswer, type TokenEndpoint } from './token.ts'

export interface AuthorityListenerDependencies {
  readonly origin: string
  readonly tenants: ReadonlyMap<string, Tenant>
  readonly token: TokenEndpoint
  readonly log: Log
  readonly metrics: Metrics
}

const BODY_LIMIT = 65_536
/** Both prefixes mean the same and are served alike: clients lose the body of a POST that is redirected. */
const prefixes = ['/t/:tenant/api/v1', '/orgs/:tenant/api/v1'] as const
const documents = ['openid-configuration', 'oauth-authorization-server'] as const

type TenantParams = { Params: { tenant: string } }

/** The authority over HTTP. */
export function authorityListener(dependencies: AuthorityListenerDependencies): FastifyInstance {
  const { log, metrics } = dependencies
  const app = Fastify({
    bodyLimit: BODY_LIMIT,
    frameworkErrors: (_error, _request, reply) => {
      // Only unreadable URLs arrive here.
      void write(reply, respond(new OAuthError('body_malformed')))
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler((error: { code?: string }, _request, reply) =>
    write(reply, respond(errorOf(error, log))),
  )
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(notFound))
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'none'
    metrics
      .tally('requests', { listener: 'authority', route, code: String(reply.statusCode) })
      .add()
    done()
  })
  tokenRoutes(app, dependencies)
  discoveryRoutes(app, dependencies)
  return app
}

function tokenRoutes(app: FastifyInstance, { token }: AuthorityListenerDependencies): void {
  for (const prefix of prefixes) {
    app.post<TenantParams>(`${prefix}/oauth/token`, async (request, reply) => {
      const { body, headers, params } = request
      const twice = repeatedHeader(request)
      if (twice) return write(reply, respond(twice))
      const answer = await token(params.tenant, {
        contentType: headers['content-type'],
        body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
        query: queryOf(request),
        authorization: headers.authorization,
        dpop: typeof headers['dpop'] === 'string' ? headers['dpop'] : undefined,
      })
      return write(reply, answer)
    })
    app.route({
      method: ['GET', 'PUT', 'DELETE', 'PATCH'],
      url: `${prefix}/oauth/token`,
      handler: (_request, reply) =>
        reply
          .code(405)
          .headers({ allow: 'POST', 'cache-control': 'no-store' })
          .send(methodNotAllowed),
    })
  }
}

/**
 * Discovery and keys, at every place where a client computes them: under the issuer, at the forms that RFC 8414 section 3.1
 * inserts before the path, under the other prefix, and at the root for the tenant whose issuer is the bare origin.
 */
function discoveryRoutes(app: FastifyInstance, dependencies: AuthorityListenerDependencies): void {
  const { tenants, origin } = dependencies
  const atOrigin = [...tenants.values()].find((tenant) => tenant.atOrigin)
  const metadata = (reply: FastifyReply, tenant: Tenant | undefined) =>
    publish(reply, tenant && metadataOf(tenant, origin))
  const keys = (reply: FastifyReply, tenant: Tenant | undefined) =>
    publish(reply, tenant?.signer.jwks)
  for (const prefix of prefixes) {
    for (const document of documents) {
      for (const url of [
        `${prefix}/.well-known/${document}`,
        `/.well-known/${document}${prefix}`,
      ]) {
        app.get<TenantParams>(url, (request, reply) =>
          metadata(reply, tenants.get(request.params.tenant)),
        )
      }
    }
    app.get<TenantParams>(`${prefix}/.well-known/jwks.json`, (request, reply) =>
      keys(reply, tenants.get(request.params.tenant)),
    )
  }
  for (const document of documents) {
    app.get(`/.well-known/${document}`, (_request, reply) => metadata(reply, atOrigin))
  }
  app.get('/.well-known/jwks.json', (_request, reply) => keys(reply, atOrigin))
}

function publish(reply: FastifyReply, document: unknown): FastifyReply {
  reply.header('access-control-allow-origin', '*')
  if (document === undefined) return reply.code(404).send(unknownTenant)
  return reply.header('cache-control', 'public, max-age=300').send(document)
}

/** Node keeps the first of two such headers and drops the other unseen; which of them was meant cannot be known. */
function repeatedHeader({ raw }: FastifyRequest): OAuthError | undefined {
  const { authorization, 'content-type': contentType } = raw.headersDistinct
  if ((authorization?.length ?? 0) > 1) return new OAuthError('client_twice')
  return (contentType?.length ?? 0) > 1 ? new OAuthError('media_type') : undefined
}

function queryOf(request: FastifyRequest): string {
  const at = request.url.indexOf('?')
  return at === -1 ? '' : request.url.slice(at + 1)
}

function write(reply: FastifyReply, answer: TokenAnswer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
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
const unknownTenant = { error: 'invalid_tenant', error_description: 'There is no such tenant.' }
const methodNotAllowed = {
  error: 'invalid_request',
  error_description: 'The token endpoint takes POST.',
}
