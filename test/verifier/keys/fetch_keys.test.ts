import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import { nodeHttpClient, type HttpClient } from '../../../src/platform/http_client.ts'
import { isSafeUrl } from '../../../src/platform/http_client.ts'
import { fetchKeys, type KeyLocation } from '../../../src/verifier/keys/fetch_keys.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { serve, type LoopbackServer, type Page } from '../../fakes/loopback.ts'

const cluster = new FakeCluster(() => 0)
const jwks = JSON.stringify(await cluster.jwks())
const http = nodeHttpClient(systemClock, {})
const files = new FakeFiles()
const DISCOVERY = '/.well-known/openid-configuration'

async function start(pages: Readonly<Record<string, Page>>): Promise<LoopbackServer> {
  const server = await serve(pages)
  onTestFinished(server.close)
  return server
}

function locate(from: KeyLocation['from'], changes: Partial<KeyLocation> = {}): KeyLocation {
  return { from, hosts: [], caFile: undefined, bearerTokenFile: undefined, ...changes }
}

const keysAt = (server: LoopbackServer, path = '/keys') =>
  locate({ jwksUrl: new URL(path, server.origin) })
const discoveryAt = (server: LoopbackServer, changes: Partial<KeyLocation> = {}) =>
  locate({ discoveryOf: server.origin }, changes)

/** What became of a fetch: `fetched`, or the operator's message. */
async function outcome(location: KeyLocation, client: HttpClient = http): Promise<string> {
  return fetchKeys(location, { http: client, files }).then(
    ({ keys }) => (keys.find(cluster.kid, 'RS256') ? 'fetched' : 'without the key'),
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  )
}

/** A server whose discovery document is made of its own origin. */
async function discovered(document: (origin: string) => unknown, more: Record<string, Page> = {}) {
  const pages: Record<string, Page> = { '/keys': { body: jwks }, ...more }
  const server = await start(pages)
  pages[DISCOVERY] = { body: JSON.stringify(document(server.origin)) }
  return server
}

const paths = (server: LoopbackServer) => server.seen.map(({ path }) => path)

describe('discovery', () => {
  test('leads to the keys', async () => {
    const server = await discovered((issuer) => ({ issuer, jwks_uri: `${issuer}/keys` }))
    expect(await outcome(discoveryAt(server))).toBe('fetched')
    expect(paths(server)).toEqual([DISCOVERY, '/keys'])
  })

  test.each(['/', '/id/ABC', '/id/ABC/'])('of an issuer that ends in %s', async (end) => {
    const pages: Record<string, Page> = { '/keys': { body: jwks } }
    const server = await start(pages)
    const issuer = server.origin + end
    const at = `${end.replace(/\/$/, '')}${DISCOVERY}`
    pages[at] = { body: JSON.stringify({ issuer, jwks_uri: `${server.origin}/keys` }) }
    expect(await outcome(locate({ discoveryOf: issuer }))).toBe('fetched')
    expect(paths(server)).toEqual([at, '/keys'])
  })

  const strangers: readonly (readonly [name: string, issuer: (origin: string) => unknown])[] = [
    ['another issuer', () => 'https://other.example'],
    ['an issuer with a slash more', (origin) => `${origin}/`],
    ['an issuer in upper case', (origin) => origin.toUpperCase()],
    ['a list of the issuer', (origin) => [origin]],
    ['no issuer', () => undefined],
  ]
  test.each(strangers)('of %s is refused', async (_, issuer) => {
    const server = await discovered((origin) => ({
      issuer: issuer(origin),
      jwks_uri: `${origin}/keys`,
    }))
    expect(await outcome(discoveryAt(server))).toBe(
      `the discovery document at ${server.host} is not that of the issuer`,
    )
    expect(paths(server)).toEqual([DISCOVERY])
  })

  test.each([
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
    ['relative', '/keys'],
    ['a list', ['https://keys.example']],
  ])('with a jwks_uri that is %s is refused', async (_, uri) => {
    const server = await discovered((issuer) => ({ issuer, jwks_uri: uri }))
    expect(await outcome(discoveryAt(server))).toBe(
      `the discovery document at ${server.host} names no jwks_uri`,
    )
  })

  test.each([
    ['on a metadata service', 'http://169.254.169.254/latest'],
    ['on an https host', 'https://keys.example/keys'],
    ['in a file', 'file:///etc/passwd'],
    ['in itself', 'data:application/json,{"keys":[]}'],
  ])('with a jwks_uri %s is refused', async (_, uri) => {
    const server = await discovered((issuer) => ({ issuer, jwks_uri: uri }))
    expect(await outcome(discoveryAt(server))).toBe(elsewhere(server))
    expect(paths(server)).toEqual([DISCOVERY])
  })

  test('with a jwks_uri on another host is followed only where that host is listed', async () => {
    const other = await start({ '/keys': { body: jwks } })
    const server = await discovered((issuer) => ({ issuer, jwks_uri: `${other.origin}/keys` }))
    expect(await outcome(discoveryAt(server))).toBe(elsewhere(server))
    expect(await outcome(discoveryAt(server, { hosts: ['127.0.0.1'] }))).toBe(elsewhere(server))
    expect(other.seen).toEqual([])
    expect(await outcome(discoveryAt(server, { hosts: [other.host] }))).toBe('fetched')
    expect(paths(other)).toEqual(['/keys'])
  })

  test('with a jwks_uri on a listed host is still asked by https only', async () => {
    const server = await discovered((issuer) => ({ issuer, jwks_uri: 'http://keys.example/keys' }))
    expect(await outcome(discoveryAt(server, { hosts: ['keys.example'] }))).toBe(
      'keys.example is asked by https only',
    )
  })

  test.each([
    ['that is a list', '[]', 'the discovery document at HOST is not that of the issuer'],
    ['that is null', 'null', 'the discovery document at HOST is not that of the issuer'],
    ['that is HTML', '<html></html>', 'the discovery document at HOST cannot be read: not JSON'],
    [
      'with a member twice',
      '{"issuer":"a","issuer":"b"}',
      'the discovery document at HOST cannot be read: a member stands twice',
    ],
  ])('document %s is refused', async (_, body, message) => {
    const server = await start({ [DISCOVERY]: { body } })
    expect(await outcome(discoveryAt(server))).toBe(message.replace('HOST', server.host))
  })

  test('document that is not there is refused', async () => {
    const server = await start({})
    expect(await outcome(discoveryAt(server))).toBe(`${server.host} answered 404`)
  })
})

function elsewhere({ host }: LoopbackServer): string {
  return `the discovery document at ${host} names a jwks_uri on another host; list that host under keys.hosts if it is right`
}

describe('a key set', () => {
  const answers: readonly (readonly [name: string, page: Page, outcome: string])[] = [
    ['of the API server', page({ 'content-type': 'application/jwk-set+json' }), 'fetched'],
    ['without a media type', page({}), 'fetched'],
    ['that is not there', { status: 404, body: jwks }, 'HOST answered 404'],
    ['that may not be read', { status: 401, body: jwks }, 'HOST answered 401'],
    ['of a broken server', { status: 500, body: jwks }, 'HOST answered 500'],
    ['with another success', { status: 203, body: jwks }, 'HOST answered 203'],
    ['without a key', { body: '{"keys":[]}' }, 'the key set at HOST has no usable key'],
    ['that is empty', { body: '' }, 'the key set cannot be read: not JSON'],
    ['that is HTML', { body: '<!doctype html>' }, 'the key set cannot be read: not JSON'],
    ['that is another object', { body: '{}' }, 'the key set has no member "keys"'],
    [
      'that is too large',
      { body: jwks + ' '.repeat(524_288) },
      'HOST: the answer could not be read',
    ],
    ['as large as may be', { body: jwks.padEnd(524_288) }, 'fetched'],
  ]
  test.each(answers)('%s', async (_, page, expected) => {
    const server = await start({ '/keys': page })
    expect(await outcome(keysAt(server))).toBe(expected.replace('HOST', server.host))
  })

  test.each([301, 302, 303, 307, 308])('behind a redirect (%i) is not followed', async (status) => {
    const other = await start({ '/keys': { body: jwks } })
    const server = await start({
      '/keys': { status, headers: { location: `${other.origin}/keys` } },
    })
    expect(await outcome(keysAt(server))).toBe(`${server.host} answered ${String(status)}`)
    expect(other.seen).toEqual([])
  })

  test('whose server is gone cannot be had', async () => {
    const server = await start({})
    await server.close()
    expect(await outcome(keysAt(server))).toBe(`${server.host}: ECONNREFUSED`)
  })

  const ages: readonly (readonly [
    cacheControl: string | undefined,
    seconds: number | undefined,
  ])[] = [
    [undefined, undefined],
    ['public, max-age=3600', 3_600],
    ['max-age=0', 0],
    ['max-age=60,must-revalidate', 60],
    ['Max-Age=60', 60],
    ['no-store', undefined],
    ['s-maxage=60', undefined],
    ['x-max-age=60', undefined],
    ['max-age=', undefined],
    ['max-age=-1', undefined],
    ['max-age=1.5', undefined],
    ['max-age=soon', undefined],
    ['max-age=99999999999', undefined],
  ]
  test.each(ages)('with Cache-Control %s lives %s seconds', async (cacheControl, seconds) => {
    const headers = cacheControl === undefined ? {} : { 'cache-control': cacheControl }
    const server = await start({ '/keys': { headers, body: jwks } })
    const { maxAgeSeconds } = await fetchKeys(keysAt(server), { http, files })
    expect(maxAgeSeconds).toBe(seconds)
  })
})

function page(headers: Readonly<Record<string, string>>): Page {
  return { headers, body: jwks }
}

describe('keys are asked for', () => {
  test.each([
    ['https://keys.example/', true],
    ['https://10.0.0.1:6443/', true],
    ['http://localhost:8080/', true],
    ['http://127.0.0.1/', true],
    ['http://127.9.9.9/', true],
    ['http://[::1]:9180/', true],
    ['http://keys.example/', false],
    ['http://10.0.0.1/', false],
    ['http://0.0.0.0/', false],
    ['http://[::]/', false],
    ['http://127.0.0.1.evil.example/', false],
    ['http://localhost.evil.example/', false],
    ['http://127.0.0.1@evil.example/', false],
    ['ftp://127.0.0.1/', false],
    ['file:///etc/passwd', false],
    ['unix:/run/keys.sock', false],
  ])('at %s: %s', (url, expected) => {
    expect(isSafeUrl(new URL(url))).toBe(expected)
  })

  test('in the clear nowhere but on the loopback, not even to be refused', async () => {
    const asked: string[] = []
    const client: HttpClient = ({ url }) => {
      asked.push(url.href)
      return Promise.reject(new Error('asked'))
    }
    const jwksUrl = new URL('http://keys.example/keys')
    expect(await outcome(locate({ jwksUrl }), client)).toBe('keys.example is asked by https only')
    expect(await outcome(locate({ discoveryOf: 'http://keys.example' }), client)).toBe(
      'keys.example is asked by https only',
    )
    expect(asked).toEqual([])
  })
})
