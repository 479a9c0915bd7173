import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePathPattern, matchesPattern } from '../../../src/platform/pattern.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { pathAt, proxyRoute, ProxyRoutes } from '../../../src/broker/proxy/routes.ts'
import { targetOf } from '../../../src/broker/proxy/target.ts'
import { sendRaw } from '../../fakes/raw_http.ts'
import { docs, startProxy, startUpstream } from './world.ts'

const piece = fc.oneof(
  fc.constantFrom(
    '/',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '%25',
    '%',
    ';',
    '%3b',
    ':',
    '%3A',
  ),
  fc.constantFrom(
    '//',
    '/./',
    '/../',
    '..;/',
    '?',
    '#',
    '%00',
    '%c0%ae',
    '%c0%af',
    '@',
    '*',
    '%3f',
    '%23',
  ),
  fc.constantFrom(
    'docs',
    'a',
    'files',
    'open',
    'x.txt',
    '.txt',
    'admin',
    '%61',
    '%64ocs',
    'é',
    ' ',
    '"',
  ),
  fc.string({ maxLength: 3 }),
)
const target = fc
  .tuple(
    fc.constantFrom('/docs/', '/docs/files/', '/docs', '/', '/open/', '', 'http://HOST/docs/'),
    fc.array(piece, { maxLength: 8 }),
  )
  .map(([start, pieces]) => start + pieces.join(''))

const paths = ['/a', '/files/*.txt', '/open/**', '/']

/** What an upstream may be asked for, below its own path. */
const below = /^\/base(\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*\/?$/

/** The ways in which servers read a path after us. */
const readings: readonly ((path: string) => string)[] = [
  (path) => path,
  decodeURIComponent,
  (path) => path.replace(/;[^/]*/g, ''),
  (path) => decodeURIComponent(path.replace(/;[^/]*/g, '')),
  (path) => decodeURIComponent(path).replace(/;[^/]*/g, ''),
  (path) => new URL(path, 'http://x').pathname,
  (path) => new URL(`http://x${path}`).pathname,
]

function isWithin(asked: string): boolean {
  const [path = ''] = asked.split('?')
  if (!below.test(path)) return false
  if (/%(2[ef5]|5c|00|[01][0-9a-f]|7f)/i.test(path)) return false
  return readings.every((read) => {
    const rest = read(path).slice('/base'.length)
    const isClean = rest.split('/').every((segment) => segment !== '.' && segment !== '..')
    return isClean && paths.some((text) => matchesPattern(compilePathPattern(text), rest || '/'))
  })
}

test('whatever the target, the upstream is asked for what a pattern allows, or for nothing', () => {
  const route = proxyRoute(
    {
      name: 'docs',
      prefix: '/docs',
      upstream: new URL('http://127.0.0.1:1/base'),
      audiences: [],
      resources: [],
      scope: undefined,
      agent: undefined,
      methods: ['GET'],
      paths: paths.map(compilePathPattern),
      forSubject: false,
      caFile: undefined,
      timeoutMs: 1,
      idleTimeoutMs: 1,
    },
    { origin: 'http://127.0.0.1:1', dispatcher: () => ({ dispatch: () => true }) },
  )
  const routes = new ProxyRoutes([route])
  let passed = 0
  fc.assert(
    fc.property(target, (text) => {
      const read = targetOf(text.replace('HOST', '127.0.0.1:9181'))
      if (read instanceof BrokerError) return
      const found = routes.find(read)
      const asked = found && pathAt(found, read)
      if (asked === undefined) return
      passed += 1
      expect(isWithin(asked), `${text} asks for ${asked}`).toBe(true)
      // What is judged once is the same when it is judged again.
      const again = targetOf(read.path + read.query)
      expect(again).toEqual(read)
    }),
    { numRuns: 20_000 },
  )
  expect(passed).toBeGreaterThan(100)
})

describe('over the wire', () => {
  test('the upstream sees the same', async () => {
    const upstream = await startUpstream()
    const proxy = await startProxy({
      routes: [docs(upstream.origin, { paths })],
      rateLimit: { perSecond: 1_000_000, burst: 1_000_000 },
    })
    await fc.assert(
      fc.asyncProperty(target, async (text) => {
        const before = upstream.seen.length
        const start = `GET ${text.replace('HOST', proxy.host)} HTTP/1.1\r\n`
        const rest = `Host: ${proxy.host}\r\nLumo-Broker: true\r\nConnection: close\r\n\r\n`
        const { status } = await sendRaw(proxy.port, start + rest)
        const asked = upstream.seen.slice(before).map(({ url }) => url)
        expect(asked).toHaveLength(status === 200 ? 1 : 0)
        for (const url of asked) expect(isWithin(url), `${text} asks for ${url}`).toBe(true)
        if (status !== 200) expect([400, 403, 404]).toContain(status)
      }),
      { numRuns: 400 },
    )
  })
})
