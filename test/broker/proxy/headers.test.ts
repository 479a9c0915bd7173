import { expect, test } from 'vitest'
import { sendRaw } from '../../fakes/raw_http.ts'
import { ask, docs, startProxy, startUpstream, type Answering } from './world.ts'

async function start(answer?: Answering) {
  const upstream = await startUpstream(answer)
  return { upstream, proxy: await startProxy({ routes: [docs(upstream.origin)] }) }
}

const given = [
  'Authorization: Bearer stolen',
  'authorization: Basic c3RvbGVu',
  'Proxy-Authorization: Basic c3RvbGVu',
  'DPoP: eyJ',
  'Lumo-Anything: x',
  'lumo-session-x: y',
  'Connection: X-Hop, keep-alive, X-Other',
  'X-Hop: 1',
  'X-Other: 2',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'Trailer: X-Sum',
  'Upgrade: h2c',
  'HTTP2-Settings: AAM',
]

const kept = [
  'Accept: text/plain',
  'Accept: application/json',
  'Cookie: a=1',
  'Cookie: b=2',
  'X-Request-Id: 7',
  'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  'User-Agent: agent',
  'X-Latin: \u00e9',
]

const answered = [
  ['Authorization', 'Bearer echoed'],
  ['Proxy-Authenticate', 'Basic'],
  ['Lumo-Error', 'overloaded'],
  ['Lumo-Broker', 'true'],
  ['Connection', 'close, X-Hop'],
  ['X-Hop', '1'],
  ['Keep-Alive', 'timeout=9'],
  ['Trailer', 'X-Sum'],
  ['Upgrade', 'h2c'],
  ['Proxy-Connection', 'close'],
  ['Set-Cookie', 'a=1'],
  ['Set-Cookie', 'b=2'],
  ['X-Own', '2'],
  ['WWW-Authenticate', 'Bearer'],
  ['Content-Type', 'text/plain'],
  ['ETag', '"1"'],
  ['__proto__', 'x'],
  ['constructor', 'y'],
]

function linesOf(raw: readonly string[]): readonly string[] {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${raw[at + 1] ?? ''}`] : []))
}

test('of a request go on, but for those of one connection, of credentials and of the broker', async () => {
  const { upstream, proxy } = await start()
  expect((await ask(proxy, 'GET /docs/a', [...given, ...kept])).status).toBe(200)
  expect(linesOf(upstream.seen[0]?.rawHeaders ?? [])).toEqual([
    `host: ${upstream.host}`,
    'connection: keep-alive',
    // As its bytes are, which the fake connection sends in UTF-8.
    ...kept.slice(0, -1),
    'X-Latin: \u00c3\u00a9',
    'authorization: Bearer own-1',
  ])
})

test('of an answer come back, but for those of one connection, of credentials and of the broker', async () => {
  const { proxy } = await start((_, response) => {
    response.writeHead(207, answered.flat())
    response.end('body')
  })
  const answer = await ask(proxy, 'GET /docs/a')
  expect([answer.status, answer.body]).toEqual([207, '4\r\nbody\r\n0\r\n\r\n'])
  expect(answer.headers.filter(([name]) => name !== 'date')).toEqual([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['x-own', '2'],
    ['www-authenticate', 'Bearer'],
    ['content-type', 'text/plain'],
    ['etag', '"1"'],
    ['__proto__', 'x'],
    ['constructor', 'y'],
    ['connection', 'close'],
    ['transfer-encoding', 'chunked'],
  ])
})

test('a redirect is handed on and not followed', async () => {
  const { upstream, proxy } = await start((_, response) => {
    response.writeHead(307, { location: 'https://elsewhere.example/x' }).end()
  })
  const answer = await ask(proxy, 'POST /docs/a', [], 'text')
  expect([answer.status, answer.header('location')]).toEqual([307, 'https://elsewhere.example/x'])
  expect(upstream.seen).toHaveLength(1)
})

test.each([
  ['GET', 204],
  ['GET', 304],
  ['HEAD', 200],
])('%s with %i has no body, and its headers', async (method, status) => {
  const { proxy } = await start((_, response) => {
    response.writeHead(status, { 'x-own': '1', ...(status !== 204 && { 'content-length': 5 }) })
    response.end()
  })
  const answer = await ask(proxy, `${method} /docs/a`)
  expect([answer.status, answer.body, answer.header('x-own')]).toEqual([status, '', '1'])
})

test.each([
  ['a length', ['Content-Length: 4'], 'text', '4', undefined],
  ['chunks', ['Transfer-Encoding: chunked'], '4\r\ntext\r\n0\r\n\r\n', undefined, 'chunked'],
  ['no body', ['Content-Length: 0'], '', '0', undefined],
] as const)('a body with %s is framed anew', async (_name, headers, body, length, coding) => {
  let got = ''
  const upstream = await startUpstream((request, response) => {
    request.on('data', (chunk: Buffer) => (got += chunk.toString()))
    request.on('end', () => response.end())
  })
  const proxy = await startProxy({ routes: [docs(upstream.origin)] })
  const lines = [`Host: ${proxy.host}`, 'Lumo-Broker: true', 'Connection: close', ...headers]
  await sendRaw(proxy.port, `POST /docs/a HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
  const seen = upstream.seen[0]?.headers
  const isShort = coding !== undefined && seen?.['content-length'] === '4'
  expect(got).toBe(body === '' ? '' : 'text')
  // Of a body that is all there already the length is known.
  if (!isShort)
    expect([seen?.['content-length'], seen?.['transfer-encoding']]).toEqual([length, coding])
})

test('Expect is answered here and does not go on', async () => {
  const { upstream, proxy } = await start()
  const answer = await ask(proxy, 'POST /docs/a', ['Expect: 100-continue'], 'text')
  expect([answer.status, answer.body.includes('200 OK')]).toEqual([100, true])
  expect(upstream.seen[0]?.headers.expect).toBeUndefined()
})
