import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LinkFailure, type AuthorityLink, type LinkRequest } from '../../src/exchange/link.ts'
import { remoteLink } from '../../src/exchange/remote_link.ts'
import { revocation } from '../../src/exchange/revoke.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { serve, type LoopbackServer, type Page } from '../fakes/loopback.ts'

const pages: Record<string, Page> = {}
let server: LoopbackServer

beforeEach(async () => {
  server = await serve(pages)
})

afterEach(async () => {
  for (const path of Object.keys(pages)) delete pages[path]
  await server.close()
})

function linkTo(style: 't' | 'orgs' = 't', origin = server.origin): AuthorityLink {
  return remoteLink(
    {
      tokenUrl: new URL(`/${style}/acme-corp/api/v1/oauth/token`, origin),
      ca: () => undefined,
      connectTimeoutMs: 1_000,
      totalTimeoutMs: 1_000,
    },
    nodeHttpClient(systemClock, {}),
  )
}

const me: LinkRequest = {
  method: 'GET',
  path: { from: 'tenant', segments: ['agents', 'me'] },
  query: '',
  headers: { authorization: 'Bearer a.b.c', accept: '*/*' },
  body: undefined,
  totalTimeoutMs: 1_000,
}

test.each<[string, 't' | 'orgs', Partial<LinkRequest>, string]>([
  ["the tenant's", 't', {}, '/t/acme-corp/api/v1/agents/me'],
  ["the tenant's, by its other prefix", 'orgs', {}, '/orgs/acme-corp/api/v1/agents/me'],
  [
    "the root's",
    'orgs',
    { path: { from: 'root', segments: ['api', 'v1', 'authz', 'check'] } },
    '/api/v1/authz/check',
  ],
  ['one with a query', 't', { query: 'a=%2f&b' }, '/t/acme-corp/api/v1/agents/me?a=%2f&b'],
])('asks for a path: %s', async (_name, style, changes, path) => {
  pages[path] = { status: 403, headers: { 'x-one': '1' }, body: 'no' }
  const answer = await linkTo(style)({ ...me, ...changes })
  if (answer instanceof LinkFailure) throw new Error(answer.detail)
  expect([answer.status, answer.header('x-one'), answer.body]).toEqual([403, '1', 'no'])
  expect(server.seen[0]?.path).toBe(path)
})

test('sends the headers that it is given and none beside those of the connection', async () => {
  await linkTo()(me)
  const { host: _, connection: __, ...rest } = server.seen[0]?.headers ?? {}
  expect(rest).toEqual(me.headers)
})

describe('a failure is told apart', () => {
  test('no connection', async () => {
    const link = linkTo('t', server.origin)
    await server.close()
    expect(await link(me)).toMatchObject({ code: 'unavailable' })
    server = await serve(pages)
  })

  test('an answer of more than a mebibyte', async () => {
    pages['/t/acme-corp/api/v1/agents/me'] = { body: 'x'.repeat(1_048_577) }
    expect(await linkTo()(me)).toMatchObject({ code: 'unusable' })
    pages['/t/acme-corp/api/v1/agents/me'] = { body: 'x'.repeat(1_048_576) }
    expect(await linkTo()(me)).toMatchObject({ status: 200 })
  })

  test('and a redirect is an answer', async () => {
    pages['/t/acme-corp/api/v1/agents/me'] = { status: 302, headers: { location: '/elsewhere' } }
    expect(await linkTo()(me)).toMatchObject({ status: 302 })
    expect(server.seen.map(({ path }) => path)).toEqual(['/t/acme-corp/api/v1/agents/me'])
  })
})

describe('revocation', () => {
  const path = '/t/acme-corp/api/v1/oauth/revoke'

  test.each([
    [200, true],
    [400, false],
    [401, false],
    [302, false],
    [503, false],
  ])('%i means %s', async (status, expected) => {
    pages[path] = { status }
    expect(await revocation(linkTo())('a.b.c')).toBe(expected)
    expect(server.seen.map((seen) => [seen.path, seen.headers.authorization])).toEqual([
      [path, undefined],
    ])
  })

  test('no answer means that it may still be good', async () => {
    const revoke = revocation(linkTo())
    await server.close()
    expect(await revoke('a.b.c')).toBe(false)
    server = await serve(pages)
  })
})
