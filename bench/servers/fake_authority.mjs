import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'

/**
 * An authority that checks nothing: it answers every exchange at once with a token of the usual size, and remembers when it
 * was asked. `?life=60` in an audience says how long its token lives. `GET /arrivals?life=60` lists the times. Every token is
 * still good to it, and for a subject with an actor it issues the subject's, of the same size.
 */
const { PORT, CERT, KEY } = process.env
const arrivals = new Map()
const header = part({
  typ: 'at+jwt',
  alg: 'ES256',
  kid: 'u0q2bVn5gG9Zb4yJ2mT7l3pXwC8sD1eFhKjRtYaQzNo',
})

createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'https://localhost')
  if (pathname === '/arrivals') {
    response.end(JSON.stringify(arrivals.get(Number(searchParams.get('life'))) ?? []))
    return
  }
  let body = ''
  request.setEncoding('utf8')
  request.on('data', (piece) => (body += piece))
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    response.setHeader('cache-control', 'no-store')
    if (pathname.endsWith('/introspect')) {
      response.end('{"active":true}')
      return
    }
    const form = new URLSearchParams(body)
    const audience = form.get('audience')
    const life = Number(/\?life=(\d+)$/.exec(audience ?? '')?.[1] ?? 3600)
    const known = arrivals.get(life)
    if (known) known.push(Date.now())
    else arrivals.set(life, [Date.now()])
    const answer = {
      access_token: tokenFor(form, life),
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: life,
      scope: 'read:documents write:documents',
    }
    response.end(JSON.stringify(answer))
  })
}).listen(Number(PORT), '127.0.0.1', () => process.stdout.write('ready\n'))

function tokenFor(form, life) {
  const iat = Math.floor(Date.now() / 1000)
  const iss = `https://127.0.0.1:${PORT}/t/acme-corp`
  const own = {
    iss,
    sub: 'agent:bench',
    aud: form.get('audience') ?? 'https://127.0.0.1/t/acme-corp',
    client_id: 'agent_bench',
    iat,
    nbf: iat,
    exp: iat + life,
    jti: randomBytes(16).toString('base64url'),
    scope: 'read:documents write:documents',
    act: { sub: 'system:serviceaccount:bench:bench', iss: 'https://cluster.example' },
  }
  const payload = form.has('actor_token') ? delegatedFrom(own, form.get('subject_token')) : own
  return `${header}.${part(payload)}.${randomBytes(64).toString('base64url')}`
}

/** The subject's token with the agent as actor (RFC 8693 section 4.1); its `jti` makes up for the difference in size. */
function delegatedFrom(own, subjectToken) {
  const { sub } = JSON.parse(Buffer.from(subjectToken.split('.')[1], 'base64url'))
  const act = { sub: own.sub, iss: own.iss, client_id: own.client_id }
  const payload = { ...own, sub, act }
  const more = JSON.stringify(payload).length - JSON.stringify(own).length
  return { ...payload, jti: `${own.jti}${own.jti}`.slice(0, Math.max(1, own.jti.length - more)) }
}

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
