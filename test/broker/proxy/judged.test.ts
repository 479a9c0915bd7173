import { describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../../src/broker/errors.ts'
import { requestText, sendRaw } from '../../fakes/raw_http.ts'
import {
  ask,
  codeOf,
  docs,
  openLine,
  asking,
  startProxy,
  startUpstream,
  eventually,
} from './world.ts'

async function start(changes: object = {}, rateLimit?: { perSecond: number; burst: number }) {
  const upstream = await startUpstream()
  const proxy = await startProxy({
    routes: [docs(upstream.origin, changes)],
    ...(rateLimit && { rateLimit }),
  })
  return { upstream, proxy }
}

const refused: readonly (readonly [
  name: string,
  line: string,
  headers: readonly string[],
  outcome: string,
])[] = [
  ['a method of no route', 'DELETE /docs/a', [], '405 proxy_method_not_allowed'],
  ['TRACE', 'TRACE /docs/a', [], '405 proxy_method_not_allowed'],
  [
    'an upgrade to h2c',
    'GET /docs/a',
    ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
    '400 proxy_upgrade_refused',
  ],
  [
    'an upgrade of a POST',
    'POST /docs/a',
    ['Connection: Upgrade', 'Upgrade: websocket'],
    '400 proxy_upgrade_refused',
  ],
  ...[
    'X-HTTP-Method-Override: DELETE',
    'X-HTTP-Method: PUT',
    'X-Method-Override: PUT',
    'X-Original-Method: PUT',
    'X-Original-URL: /admin',
    'x-original-uri: /admin',
    'X-Rewrite-URL: /admin',
    'X-Envoy-Original-Path: /admin',
    'X-HTTP-Path-Override: /admin',
    'X-Real-URL: /admin',
    'X-Original-Host: admin.example',
    'X-Middleware-Subrequest: middleware',
    'X-Sendfile-Type: X-Accel-Redirect',
    'X-Remote-User: admin',
    'Remote-User: admin',
    'X-Auth-Request-Email: admin@example.com',
    'X-MS-CLIENT-PRINCIPAL: e30',
    'X-Real-IP: 127.0.0.1',
    // To CGI the same as with a hyphen.
    'X_HTTP_Method_Override: DELETE',
    'X-HTTP-Method_Override: DELETE',
    'X_Original_URL: /admin',
    'X_Forwarded_User: admin',
    'Content_Length: 3',
    'Lumo_Session: x',
    'Authorization_: x',
    '__proto__: x',
    'X.Original.URL: /admin',
    'X~Original~URL: /admin',
  ].map((header) => [header, 'GET /docs/a', [header], '400 proxy_override_refused'] as const),
  [
    'a subject at a route for nobody else',
    'GET /docs/a',
    ['Lumo-Subject-Token: abc'],
    '400 proxy_subject_refused',
  ],
  [
    'a session at a route for nobody else',
    'GET /docs/a',
    ['Lumo-Session: abc'],
    '400 proxy_subject_refused',
  ],
  ['a forwarded request', 'GET /docs/a', ['X-Forwarded-For: 10.0.0.1'], '403 forwarded_request'],
  ['a request that passed a proxy', 'GET /docs/a', ['Via: 1.1 x'], '403 forwarded_request'],
  ['a request of a page', 'GET /docs/a', ['Origin: https://evil.example'], '403 forwarded_request'],
  ['an empty Host beside ours', 'GET /docs/a', ['Host: x'], '403 host_not_allowed'],
  [
    'a coding that does not go on',
    'POST /docs/a',
    ['Transfer-Encoding: gzip, chunked'],
    '400 proxy_framing_refused',
  ],
]

describe('refused, and nothing reaches the upstream', () => {
  test.each(refused)('%s', async (_name, line, headers, outcome) => {
    const { upstream, proxy } = await start()
    const answer = await ask(proxy, line, headers)
    expect(codeOf(answer)).toBe(outcome)
    expect(upstream.seen).toEqual([])
    expect(proxy.bearers.askedFor).toEqual([])
    expect(answer.header('cache-control')).toBe('no-store')
  })

  test('without the guard header', async () => {
    const { upstream, proxy } = await start()
    const text = requestText('GET /docs/a HTTP/1.1', [`Host: ${proxy.host}`])
    expect(codeOf(await sendRaw(proxy.port, text))).toBe('403 guard_header_missing')
    expect(upstream.seen).toEqual([])
  })

  test('as a client of a forward proxy sends it', async () => {
    const { upstream, proxy } = await start()
    const line = 'GET http://docs.example.com/docs/a HTTP/1.1'
    for (const more of [[], ['Lumo-Broker: true']]) {
      const text = requestText(line, ['Host: docs.example.com', ...more])
      expect(codeOf(await sendRaw(proxy.port, text))).toBe('403 proxy_forward_refused')
    }
    expect(upstream.seen).toEqual([])
  })

  test('of another host', async () => {
    const { upstream, proxy } = await start()
    const text = requestText('GET /docs/a HTTP/1.1', ['Host: evil.example', 'Lumo-Broker: true'])
    expect(codeOf(await sendRaw(proxy.port, text))).toBe('403 host_not_allowed')
    expect(upstream.seen).toEqual([])
  })

  test('a method says which there are', async () => {
    const { proxy } = await start({ methods: ['GET', 'POST'] })
    expect((await ask(proxy, 'DELETE /docs/a')).header('allow')).toBe('GET, POST')
    expect((await ask(proxy, 'GET /docs/..')).header('allow')).toBeUndefined()
  })

  test('more than the caller may send', async () => {
    const { proxy } = await start({}, { perSecond: 1, burst: 2 })
    expect((await ask(proxy, 'GET /docs/a')).status).toBe(200)
    expect((await ask(proxy, 'GET /elsewhere')).status).toBe(404)
    const answer = await ask(proxy, 'GET /docs/a')
    expect([codeOf(answer), answer.header('retry-after')]).toEqual(['429 rate_limited', '1'])
  })

  test('more of one route than 256 at once', async () => {
    const upstream = await startUpstream((request, response) => {
      if (request.url === '/base/quick') response.end()
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    const text = asking(proxy.host, 'GET /docs/slow HTTP/1.1')
    const lines = await Promise.all(Array.from({ length: 256 }, () => openLine(proxy.port, text)))
    await eventually(() => upstream.seen.length === 256)
    const answer = await ask(proxy, 'GET /docs/quick')
    expect([codeOf(answer), answer.header('retry-after')]).toEqual(['503 proxy_overloaded', '1'])
    lines[0]?.socket.destroy()
    while ((await ask(proxy, 'GET /docs/quick')).status !== 200);
    expect(upstream.seen).toHaveLength(257)
  })
})

describe('a token', () => {
  test('that cannot be had is said as /v1/token says it', async () => {
    const { upstream, proxy } = await start()
    proxy.bearers.refusal = new BrokerError('audience_not_allowed')
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('403 audience_not_allowed')
    expect(upstream.seen).toEqual([])
  })

  const refusals: readonly (readonly [code: BrokerErrorCode, error: string, outcome: string])[] = [
    ['request_refused', 'invalid_scope', '502 proxy_route_refused'],
    ['request_refused', 'invalid_target', '502 proxy_route_refused'],
    ['exchange_refused', 'invalid_scope', '502 proxy_route_refused'],
    ['exchange_refused', 'invalid_target', '502 proxy_route_refused'],
    ['exchange_refused', 'invalid_request', '400 exchange_refused'],
  ]
  test.each(refusals)('%s, %s: is the fault of the route or not', async (code, error, outcome) => {
    const { proxy } = await start()
    proxy.bearers.refusal = new BrokerError(code, { error })
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe(outcome)
    const told = outcome.startsWith('502') ? [{ route: 'docs', error }] : []
    const lines = proxy.log.lines.filter(({ level }) => level === 'warn')
    expect(lines.map(({ fields }) => fields)).toEqual(told)
  })

  test('that has to be exchanged for is waited for', async () => {
    const { upstream, proxy } = await start()
    proxy.bearers.isSlow = true
    expect((await ask(proxy, 'POST /docs/a', [], 'text')).body).toBe('hello')
    expect(upstream.seen[0]?.headers.authorization).toBe('Bearer own-1')
  })

  test('is that of the route', async () => {
    const { proxy } = await start({
      audience: 'https://a.example',
      resources: ['https://r.example/'],
      scopes: ['read', 'write'],
      agent: 'agent-1',
    })
    await ask(proxy, 'GET /docs/a')
    expect(proxy.bearers.askedFor).toEqual([
      {
        behalf: undefined,
        wish: {
          audiences: ['https://a.example'],
          resources: ['https://r.example/'],
          scope: ['read', 'write'],
          agent: 'agent-1',
          minTtl: 0,
        },
      },
    ])
  })

  test('stands in no answer, log line or metric of ours', async () => {
    const { proxy } = await start()
    for (const line of ['GET /docs/a', 'GET /docs/..', 'DELETE /docs/a', 'GET /docs/%2f?own-1']) {
      const answer = await ask(proxy, line)
      expect(JSON.stringify(answer)).not.toContain('own-1')
    }
    expect(proxy.log.text()).not.toContain('own-1')
    expect(await proxy.metrics.text()).not.toContain('own-1')
  })
})

describe('a route on behalf of somebody', () => {
  const subject = { onBehalfOf: 'subject' }
  const accepted: readonly (readonly [header: string, token: string])[] = [
    ['Lumo-Subject-Token: eyJhbGciOi.J9-_~+/=', 'for-eyJhbGciOi.J9-_~+/=-1'],
    ['Lumo-Session: s3ss-ion_1', 'session-s3ss-ion_1-1'],
  ]

  test.each(accepted)('acts for %s', async (header, token) => {
    const { upstream, proxy } = await start(subject)
    expect((await ask(proxy, 'GET /docs/a', [header])).status).toBe(200)
    expect(upstream.seen[0]?.headers).toMatchObject({ authorization: `Bearer ${token}` })
    expect(upstream.seen[0]?.rawHeaders.join().toLowerCase()).not.toContain('lumo-')
  })

  test.each([
    ['neither', []],
    ['both', ['Lumo-Subject-Token: a', 'Lumo-Session: b']],
    ['two tokens', ['Lumo-Subject-Token: a', 'Lumo-Subject-Token: a']],
    ['two sessions', ['Lumo-Session: a', 'Lumo-Session: a']],
    ['an empty token', ['Lumo-Subject-Token:']],
    ['an empty session beside a token', ['Lumo-Session:', 'Lumo-Subject-Token: a']],
    ['no token', ['Lumo-Subject-Token: a b']],
    ['no session id', ['Lumo-Session: ../x']],
  ] as const)('refuses %s', async (_name, headers) => {
    const { upstream, proxy } = await start(subject)
    const answer = await ask(proxy, 'GET /docs/a', headers)
    expect(codeOf(answer)).toBe('400 proxy_subject_missing')
    expect([upstream.seen, proxy.bearers.askedFor]).toEqual([[], []])
  })

  test('tells the handle where a user has yet to agree', async () => {
    const { proxy } = await start(subject)
    const members = { handle: 'h1', approval: 'https://auth.example/approve', expires_in: 600 }
    proxy.bearers.refusal = new BrokerError('consent_required', { members })
    const answer = await ask(proxy, 'GET /docs/a', ['Lumo-Session: s'])
    expect(codeOf(answer)).toBe('403 consent_required')
    expect(JSON.parse(answer.body)).toMatchObject(members)
  })
})

test('requests are counted by route and code', async () => {
  const { proxy } = await start()
  for (const line of ['GET /docs/a', 'GET /docs/b', 'GET /docs/..', 'DELETE /docs/a', 'GET /x']) {
    await ask(proxy, line)
  }
  const lines = (await proxy.metrics.text()).split('\n').filter((line) => line.includes('proxy'))
  expect(lines.toSorted()).toEqual([
    'lumo_requests_total{listener="proxy",route="docs",code="200"} 2',
    'lumo_requests_total{listener="proxy",route="docs",code="405"} 1',
    'lumo_requests_total{listener="proxy",route="none",code="400"} 1',
    'lumo_requests_total{listener="proxy",route="none",code="404"} 1',
  ])
})
