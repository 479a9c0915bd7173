import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { requestText, sendRaw } from '../fakes/raw_http.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  credentials,
  exchangeOf,
  FORM,
  runAuthority,
  secret,
  TOKEN_PATH,
  type HttpWish,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority()
})

afterAll(async () => {
  await authority.stop()
})

const ORGS_PATH = '/orgs/acme-corp/api/v1/oauth/token'
const good = new URLSearchParams(credentials()).toString()
const post = (path: string): HttpWish => ({ method: 'POST', path, headers: FORM, body: good })
const megabyte = new URLSearchParams(exchangeOf('a'.repeat(1_048_576))).toString()

const methods = ['GET', 'PUT', 'DELETE', 'PATCH'].flatMap((method) =>
  [TOKEN_PATH, ORGS_PATH, '/t/nobody/api/v1/oauth/token', `${TOKEN_PATH}?x=1`].map((path) => ({
    method,
    path,
  })),
)

for (const { method, path } of methods) {
  test(`${method} ${path} is refused, and POST is named`, async () => {
    const answer = await authority.send({ method, path })
    expect(refusalOf(answer)).toEqual({ status: 405, error: 'invalid_request' })
    expect(answer.headers.allow).toBe('POST, OPTIONS')
  })
}

test('no cache keeps the refusal of a method, which it might without being told', async () => {
  expect((await authority.send({})).headers['cache-control']).toBe('no-store')
})

test('HEAD is refused without a body', async () => {
  const { status, headers, text } = await authority.send({ method: 'HEAD' })
  expect({ status, allow: headers.allow, text }).toEqual({
    status: 405,
    allow: 'POST, OPTIONS',
    text: '',
  })
})

const elsewhere: readonly (HttpWish & { readonly path: string })[] = [
  { path: '/' },
  { path: '/nothing' },
  { path: '/t/acme-corp' },
  { path: '/t/acme-corp/api/v1' },
  { path: '/t/acme-corp/api/v2/oauth/token' },
  { path: '/api/v1/oauth/token' },
  { path: '/metrics' },
  { path: '/healthz' },
  { ...post(`${TOKEN_PATH}/`), path: `${TOKEN_PATH}/` },
  { ...post('//t/acme-corp/api/v1/oauth/token'), path: '//t/acme-corp/api/v1/oauth/token' },
  { ...post('/T/acme-corp/api/v1/oauth/token'), path: '/T/acme-corp/api/v1/oauth/token' },
]

for (const wish of elsewhere) {
  test(`there is nothing at ${wish.method ?? 'GET'} ${wish.path}`, async () => {
    expect(refusalOf(await authority.send(wish))).toEqual({ status: 404, error: 'not_found' })
  })
}

const requests: readonly (HttpWish & { name: string; status: number })[] = [
  ...[
    '',
    'nobody',
    '__proto__',
    'constructor',
    'ACME-CORP',
    'acme-corp%00',
    'acme%2Fcorp',
    '.',
  ].map((slug) => ({
    name: `tenant ${slug}`,
    ...post(`/t/${slug}/api/v1/oauth/token`),
    status: 400,
  })),
  { name: 'organization nobody', ...post('/orgs/nobody/api/v1/oauth/token'), status: 400 },
  {
    name: 'a tenant of 200 characters',
    ...post(`/t/${'a'.repeat(200)}/api/v1/oauth/token`),
    status: 400,
  },
  { name: 'an unreadable tenant', ...post('/t/%ZZ/api/v1/oauth/token'), status: 400 },
  { name: 'an unreadable path', ...post('/%ZZ'), status: 400 },
  { name: 'a path that is no UTF-8', ...post('/t/%FF/api/v1/oauth/token'), status: 400 },
  { name: 'a megabyte', ...post(TOKEN_PATH), body: megabyte, status: 413 },
  {
    name: 'a megabyte in chunks',
    ...post(TOKEN_PATH),
    headers: { ...FORM, 'transfer-encoding': 'chunked' },
    body: megabyte,
    status: 413,
  },
  {
    name: 'a megabyte to a method that is not taken',
    ...post(TOKEN_PATH),
    method: 'PUT',
    body: megabyte,
    status: 405,
  },
  {
    name: 'one byte more than may be',
    ...post(TOKEN_PATH),
    body: `${good}&x=${'a'.repeat(65_536 - good.length - 2)}`,
    status: 413,
  },
]

for (const { name, status, ...wish } of requests) {
  test(`a request is refused: ${name}`, async () => {
    const answer = await authority.send(wish)
    // An unknown tenant is the operator's mistake, and its code lets a broker say so.
    const code = name.startsWith('tenant') || name.startsWith('organization')
    expect(refusalOf(answer)).toEqual({
      status,
      error: 'invalid_request',
      ...(code && { code: 'tenant_unknown' }),
    })
    expect(answer.headers['cache-control']).toBe('no-store')
  })
}

test('a body of exactly 64 KiB is read', async () => {
  const body = `${good}&x=${'a'.repeat(65_536 - good.length - 3)}`
  expect(body).toHaveLength(65_536)
  expect((await authority.send({ ...post(TOKEN_PATH), body })).status).toBe(200)
})

const POST_LINE = `POST ${TOKEN_PATH} HTTP/1.1`
const common = ['Host: auth.example', 'Content-Type: application/x-www-form-urlencoded']
const byBasic = `Authorization: ${basic('reporter', secret).authorization}`
const raw = (more: readonly string[]) => requestText(POST_LINE, [...common, ...more], good)
const many = (count: number) => Array.from({ length: count }, (_, at) => `x-${String(at)}: 1`)

/** What only bytes on a socket can say. */
const bytes: readonly { name: string; request: string; status: number }[] = [
  { name: 'a header of 20 KB', request: raw([`x: ${'a'.repeat(20_000)}`]), status: 431 },
  { name: '5000 headers', request: raw(many(5_000)), status: 431 },
  {
    name: '100 headers before one that counts',
    request: raw([...many(100), 'DPoP: x']),
    status: 400,
  },
  { name: 'a URL of 20 KB', request: `GET /${'a'.repeat(20_000)} HTTP/1.1\r\n\r\n`, status: 431 },
  { name: 'no HTTP', request: 'hello\r\n\r\n', status: 400 },
  { name: 'no Host', request: requestText(POST_LINE, [], good), status: 400 },
  { name: 'a header without a name', request: raw([': x']), status: 400 },
  { name: 'a header with a line break', request: raw(['x: a\rb: c']), status: 400 },
  {
    name: 'two lengths',
    request: requestText(POST_LINE, [...common, 'Content-Length: 1'], good),
    status: 400,
  },
  {
    name: 'a length and chunks',
    request: raw(['Transfer-Encoding: chunked']),
    status: 400,
  },
  {
    name: 'a length that is no number',
    request: [POST_LINE, ...common, 'Content-Length: x', '', good].join('\r\n'),
    status: 400,
  },
  {
    name: 'two Authorization headers',
    request: requestText(
      POST_LINE,
      [...common, byBasic, 'Authorization: Bearer x'],
      'grant_type=client_credentials',
    ),
    status: 400,
  },
  { name: 'two content types', request: raw(['Content-Type: application/json']), status: 400 },
]

for (const { name, request, status } of bytes) {
  test(`bytes are refused: ${name}`, async () => {
    expect((await sendRaw(authority.port, request)).status).toBe(status)
  })
}

test('a caller that hangs up in the middle of its body is no error of ours', async () => {
  const request = [POST_LINE, ...common, 'Content-Length: 100', '', 'grant'].join('\r\n')
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: authority.port }, () => socket.end(request))
    socket.on('error', reject).on('close', resolve).resume()
  })
  expect((await authority.send(post(TOKEN_PATH))).status).toBe(200)
  expect(authority.log.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('after all of them at once, it serves as before', async () => {
  const jwks = { path: '/t/acme-corp/api/v1/.well-known/jwks.json' }
  const before = await authority.send(jwks)
  const sent = [...methods, ...elsewhere, ...requests].map((wish) => authority.send(wish))
  const raws = bytes.map(({ request }) => sendRaw(authority.port, request))
  const statuses = (await Promise.all([...sent, ...raws])).map(({ status }) => status)
  expect(statuses.filter((status) => status >= 500)).toEqual([])
  expect((await authority.post(credentials())).status).toBe(200)
  expect((await authority.send(jwks)).text).toBe(before.text)
})
