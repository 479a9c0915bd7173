import Fastify, { type FastifyInstance } from 'fastify'

interface DemoAppPlace {
  /** Of the authority's tenant, such as `http://127.0.0.1:9170/t/acme-corp/api/v1`. */
  readonly issuer: string
  readonly clientId: string
  /** As a shell reads it. */
  readonly clientSecret: string
  readonly redirectUri: string
}

/** What stands for a client's own site: it shows the code with which a browser comes back, and what to do with it. */
export function demoApp({
  issuer,
  clientId,
  clientSecret,
  redirectUri,
}: DemoAppPlace): FastifyInstance {
  const app = Fastify()
  app.get<{ Querystring: { code?: unknown; error?: unknown } }>('/callback', (request, reply) => {
    const { code, error } = request.query
    const isCode = typeof code === 'string' && /^[A-Za-z0-9_-]{1,128}$/.test(code)
    const told = isCode
      ? `Exchange the code for tokens, within ten minutes and once:

  curl -s -u "${clientId}:${clientSecret}" -d grant_type=authorization_code -d code=${code} \\
    -d redirect_uri=${redirectUri} ${issuer}/oauth/token
`
      : `No code: ${error === 'access_denied' ? 'access was denied' : 'something went wrong'}.\n`
    // As text, whatever came in the query.
    return reply
      .headers({
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      .send(told)
  })
  return app
}

/** Where a person begins. */
export function signInUrl(issuer: string, clientId: string, redirectUri: string): string {
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: 'demo',
  })
  return `${issuer}/oauth/authorize?${query.toString()}`
}
