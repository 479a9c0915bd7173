import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import type { Answer } from '../fakes/running_authority.ts'

let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority()
})

afterAll(() => world.stop())

interface Route {
  readonly path: string
  readonly methods: readonly string[]
  readonly fromBrowsers: boolean
}

const ofBearer = ['GET', 'HEAD', 'POST', 'OPTIONS']
const ofForm = ['POST', 'OPTIONS']
const ofDocument = ['GET', 'HEAD', 'OPTIONS']

const prefixes = ['/t/acme-corp/api/v1', '/orgs/acme-corp/api/v1']
const documents = ['openid-configuration', 'oauth-authorization-server']

const routes: readonly Route[] = [
  ...prefixes.flatMap((prefix) => [
    { path: `${prefix}/oauth/token`, methods: ofForm, fromBrowsers: true },
    { path: `${prefix}/oauth/introspect`, methods: ofForm, fromBrowsers: false },
    { path: `${prefix}/oauth/revoke`, methods: ofForm, fromBrowsers: true },
    { path: `${prefix}/oauth/userinfo`, methods: ofBearer, fromBrowsers: true },
    ...documents.flatMap((name) => [
      { path: `${prefix}/.well-known/${name}`, methods: ofDocument, fromBrowsers: true },
      { path: `/.well-known/${name}${prefix}`, methods: ofDocument, fromBrowsers: true },
    ]),
    { path: `${prefix}/.well-known/jwks.json`, methods: ofDocument, fromBrowsers: true },
  ]),
  ...[...documents, 'jwks.json'].map((name) => ({
    path: `/.well-known/${name}`,
    methods: ofDocument,
    fromBrowsers: true,
  })),
]

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']
/** Node reads these too. */
const rare = ['TRACE', 'PROPFIND', 'PURGE', 'LOCK', 'QUERY']
const fromPage = { origin: 'https://page.example' }

const corsOf = ({ headers }: Answer) =>
  Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('access-control-'))
      .map(([name, value]) => [name, String(value)]),
  )

/** What a page is let do, beside its methods. */
const preflight = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
  'access-control-expose-headers': 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id',
  'access-control-max-age': '600',
}

describe.each(routes)('$path', ({ path, methods: allowed, fromBrowsers }) => {
  const allow = allowed.join(', ')

  test.each(methods.filter((method) => !allowed.includes(method)))(
    'answers 405 to %s, and says what it takes',
    async (method) => {
      const { status, headers, text } = await world.send({ method, path, headers: fromPage })
      expect({ status, allow: headers.allow }).toEqual({ status: 405, allow })
      if (method === 'HEAD') expect(text).toBe('')
      else expect(JSON.parse(text)).toMatchObject({ error: 'invalid_request' })
      expect(headers['cache-control']).toBe('no-store')
    },
  )

  test('answers OPTIONS with 204, to pages where they need it', async () => {
    const answer = await world.send({
      method: 'OPTIONS',
      path,
      headers: { ...fromPage, 'access-control-request-method': 'POST' },
    })
    const { status, headers, text } = answer
    expect({ status, allow: headers.allow, text }).toEqual({ status: 204, allow, text: '' })
    const page = { ...preflight, 'access-control-allow-methods': allow }
    expect(corsOf(answer)).toEqual(fromBrowsers ? page : {})
  })

  test('lets a page read its answers where pages need it, refusals too', async () => {
    const method = allowed.includes('GET') ? 'GET' : 'POST'
    const answer = await world.send({ method, path, headers: fromPage })
    expect(answer.headers['access-control-allow-origin']).toBe(fromBrowsers ? '*' : undefined)
    expect(corsOf(answer)).not.toHaveProperty('access-control-allow-credentials')
  })
})

const withHead = routes.filter((route) => route.methods.includes('HEAD'))

test.each(withHead)('$path answers HEAD as GET, without the body', async ({ path }) => {
  const get = await world.send({ method: 'GET', path })
  const head = await world.send({ method: 'HEAD', path })
  expect(head.text).toBe('')
  expect(head.status).toBe(get.status)
  const varying = new Set(['date', 'x-request-id'])
  const steady = ({ headers }: Answer) =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !varying.has(name)))
  expect(steady(head)).toEqual(steady(get))
})

test.each(rare)('every route answers 405 to %s too', async (method) => {
  for (const { path, methods: allowed } of routes) {
    const { status, headers } = await world.send({ method, path })
    const allow = allowed.join(', ')
    expect({ path, status, allow: headers.allow }).toEqual({ path, status: 405, allow })
  }
})

describe('there is nothing at', () => {
  test.each([
    '/',
    '/oauth/token',
    '/t/acme-corp/api/v1',
    '/t/acme-corp/api/v1/oauth',
    '/t/acme-corp/api/v1/oauth/token/',
    '/t/acme-corp/api/v1//oauth/token',
    '/t/acme-corp/api/v1/oauth/Token',
    '/T/acme-corp/api/v1/oauth/token',
    '/t/acme-corp/api/v2/oauth/token',
    '/t/acme-corp/api/v1/oauth/authorise',
    '/t/acme-corp/extra/api/v1/oauth/token',
    '/t/x/../acme-corp/api/v1/oauth/token',
  ])('%s', async (path) => {
    const { status, json } = await world.send({ method: 'POST', path })
    expect({ status, error: json['error'] }).toEqual({ status: 404, error: 'not_found' })
  })
})

test('HEAD at userinfo reads the token as GET does', async () => {
  const path = '/t/acme-corp/api/v1/oauth/userinfo'
  const headers = { authorization: `Bearer ${await world.userToken()}` }
  const { status, text } = await world.send({ method: 'HEAD', path, headers })
  expect({ status, text }).toEqual({ status: 200, text: '' })
})

test('each answer of these endpoints has a request id of its own', async () => {
  const path = '/t/acme-corp/api/v1/oauth/token'
  const headers = { 'x-request-id': 'chosen-by-the-caller' }
  const answers = await Promise.all([1, 2].map(() => world.send({ method: 'POST', path, headers })))
  const ids = answers.map((answer) => answer.headers['x-request-id'])
  expect(new Set(ids).size).toBe(2)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/)
})

describe('the id of a request', () => {
  const taken = [
    '5f8a1c3e-2b4d-4e6f-8a9b-0c1d2e3f4a5b',
    '0af7651916cd43dd8448eb211c80319c',
    '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  ]
  const refused = [
    'lmk_acme-corp.0123456789abcdef',
    'a'.repeat(64),
    'short',
    '0af7651916cd43dd8448eb21 1c80319c',
    'eyJhbGciOiJSUzI1NiJ9.e30.abc',
  ]
  const places = [
    { method: 'POST', path: '/t/acme-corp/api/v1/oauth/token' },
    { method: 'POST', path: '/t/acme-corp/api/v1/oauth/par' },
    { method: 'GET', path: '/t/acme-corp/api/v1/account' },
    { method: 'POST', path: '/api/v1/authz/check' },
    { method: 'GET', path: '/t/acme-corp/api/v1/agents/me/approvals/x/status' },
  ]

  test.each(places)(
    'is the caller’s own at $method $path, if it can be no secret',
    async (place) => {
      for (const id of [...taken, ...refused]) {
        const answer = await world.send({ ...place, headers: { 'x-request-id': id } })
        expect(answer.headers['x-request-id'] === id).toBe(taken.includes(id))
      }
    },
  )
})
