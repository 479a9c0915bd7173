import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from './answer.ts'

/** Both prefixes mean the same and are served alike: clients lose the body of a POST that is redirected. */
export const prefixes = ['/t/:tenant/api/v1', '/orgs/:tenant/api/v1'] as const

export type TenantParams = { Params: { tenant: string } }

/**
 * For programs in a browser (Fetch Standard, CORS protocol). Any origin, because nothing here goes by cookies: a page can do
 * no more than whoever holds the same credentials could from anywhere.
 */
export const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id',
}

export const preflight = {
  ...crossOrigin,
  'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
  'access-control-max-age': '600',
}

export function write(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}

/** Every method that a route does not serve, so that it is told what it may ask with. `ownOptions`: it answers OPTIONS itself. */
export function otherMethods(
  app: FastifyInstance,
  url: string,
  allowed: readonly string[],
  headers: Readonly<Record<string, string>> = {},
  { ownOptions = false } = {},
): void {
  const allow = allowed.join(', ')
  const served = new Set([...allowed, 'HEAD', 'OPTIONS'])
  app.route({
    method: app.supportedMethods.filter((method) => !served.has(method)),
    url,
    // Answered before a body is read: whatever was sent along is not looked at.
    onRequest: (_request, reply, _done) => {
      void reply
        .code(405)
        .headers({ allow, 'cache-control': 'no-store', ...headers })
        .send(methodNotAllowed(allow))
    },
    handler: (_request: FastifyRequest, reply: FastifyReply) => reply.send(),
  })
  if (ownOptions) return
  app.route({
    method: 'OPTIONS',
    url,
    handler: (_request: FastifyRequest, reply: FastifyReply) =>
      reply
        .code(204)
        .headers({ allow, ...headers })
        .send(),
  })
}

function methodNotAllowed(allow: string) {
  return { error: 'invalid_request', error_description: `This takes ${allow}.` }
}
