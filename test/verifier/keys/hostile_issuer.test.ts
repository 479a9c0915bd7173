import { generateKeyPairSync } from 'node:crypto'
import type { RequestListener, ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import { nodeHttpClient } from '../../../src/platform/http_client.ts'
import { fetchKeys } from '../../../src/verifier/keys/fetch_keys.ts'
import { RemoteKeys } from '../../../src/verifier/keys/remote_keys.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { FakeLog } from '../../fakes/log.ts'
import { answering } from '../../fakes/peer.ts'

const cluster = new FakeCluster(() => 0)
const set = await cluster.jwks()
const jwks = JSON.stringify(set)

/** The keys of an issuer that answers like this, looked for by the clock of the test. */
async function issuer(listener: RequestListener) {
  const clock = new FakeClock()
  const log = new FakeLog()
  const host = await answering(listener)
  const location = {
    from: { jwksUrl: new URL(`http://${host}/keys`) },
    hosts: [],
    caFile: undefined,
    bearerTokenFile: undefined,
  }
  const http = nodeHttpClient(clock, {})
  const fetch = () => fetchKeys(location, { http, files: new FakeFiles() })
  const keys = new RemoteKeys('prod', fetch, { clock, log, metrics: new PrometheusMetrics() })
  return {
    clock,
    find: async (kid = cluster.kid) => {
      const found = await keys.find(kid, 'RS256')
      if (found === 'unknown') return found
      return 'unavailable' in found ? 'unavailable' : 'found'
    },
    reasons: () => log.lines.map(({ fields }) => String(fields['reason']).replace(host, 'HOST')),
  }
}

const page = (body: string, type = 'application/json') => {
  const answer: RequestListener = (_, response) => {
    response.setHeader('content-type', type).end(body)
  }
  return answer
}
const redirect = (status: number, location: string) => {
  const answer: RequestListener = (_, response) =>
    response.writeHead(status, { location }).end(jwks)
  return answer
}
const copies = (count: number) =>
  JSON.stringify({
    keys: Array.from({ length: count }, (_, at) => ({ ...set.keys[0], kid: `k${String(at)}` })),
  })

/** Sends so many bytes of white space, as fast as they are taken. */
function pour(response: ServerResponse, bytes: number): void {
  const chunk = Buffer.alloc(65_536, ' ')
  let left = bytes
  const more = (error?: Error | null): void => {
    left -= chunk.length
    if (error || left <= 0) response.end()
    else response.write(chunk, more)
  }
  more()
}

describe('an issuer says nothing about a token, and is no fault of its bearer, when it answers', () => {
  const metadata = 'http://169.254.169.254/latest/meta-data/iam/security-credentials/'
  const answers: readonly (readonly [name: string, answer: RequestListener, reason: string])[] = [
    ['by sending on to a metadata service', redirect(302, metadata), 'HOST answered 302'],
    ['the same for good', redirect(308, metadata), 'HOST answered 308'],
    ['by sending on to itself', redirect(307, '/keys'), 'HOST answered 307'],
    [
      'HTML',
      page('<!doctype html><h1>Sign in</h1>', 'text/html'),
      'the key set cannot be read: not JSON',
    ],
    ['50 MB', (_, response) => pour(response, 52_428_800), 'HOST: the answer could not be read'],
    [
      '50 MB that it announces',
      (_, response) => {
        response.setHeader('content-length', 52_428_800)
        pour(response, 52_428_800)
      },
      'HOST: the answer could not be read',
    ],
    ['a thousand keys', page(copies(1_000)), 'the key set has more than 100 keys'],
    [
      'its key twice by one name, and no other',
      page(JSON.stringify({ keys: [...set.keys, ...set.keys] })),
      'the key set at HOST has no usable key',
    ],
  ]
  test.each(answers)('%s', async (_, answer, reason) => {
    const { find, reasons } = await issuer(answer)
    expect(await find()).toBe('unavailable')
    expect(reasons()).toEqual([reason])
  })
})

describe('an issuer that takes its time', () => {
  /** What it does, until its caller's time is up; `begun` once the caller must wait for it. */
  const slow: readonly (readonly [
    name: string,
    answer: (response: ServerResponse, begun: () => void) => void,
  ])[] = [
    ['says nothing', (_, begun) => begun()],
    [
      'says no more than its headers',
      (response, begun) => {
        response.writeHead(200)
        response.flushHeaders()
        begun()
      },
    ],
    ['stops in the middle', (response, begun) => response.write(jwks.slice(0, 99), begun)],
    [
      'never comes to an end',
      (response, begun) => {
        let sent = 0
        const more = (error?: Error | null): void => {
          sent += 1
          if (sent === 100) begun()
          if (!error) setImmediate(() => response.write(' ', more))
        }
        more()
      },
    ],
  ]
  test.each(slow)('and %s has five seconds, over and over', async (_, answer) => {
    let waiting = Promise.withResolvers<void>()
    let asked = 0
    const { clock, find, reasons } = await issuer((_, response) => {
      asked += 1
      answer(response, waiting.resolve)
    })
    for (const pause of [1_000, 2_000]) {
      const finding = Promise.all([find(), find(), find('other')])
      await waiting.promise
      waiting = Promise.withResolvers()
      clock.advance(4_999)
      clock.advance(1)
      expect(new Set(await finding)).toEqual(new Set(['unavailable']))
      clock.advance(pause)
    }
    expect(reasons()).toEqual(Array(2).fill('HOST: no answer in time'))
    expect(asked).toBe(2)
  })
})

describe('of an issuer that answers well', () => {
  test('a key that stands twice is none, and the others are keys', async () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const twice = [1, 2].map(() => ({ ...publicKey.export({ format: 'jwk' }), kid: 'twice' }))
    const { find } = await issuer(page(JSON.stringify({ keys: [...twice, ...set.keys] })))
    expect(await find('twice')).toBe('unknown')
    expect(await find()).toBe('found')
  })

  test('a thousand unknown kids in ten seconds cause two fetches more', async () => {
    let asked = 0
    const { clock, find } = await issuer((_, response) => {
      asked += 1
      response.end(jwks)
    })
    expect(await find()).toBe('found')
    for (let at = 1; at <= 1_000; at++) {
      clock.advance(10)
      const outcome = await find(`k${String(at)}`)
      expect(outcome).toBe(at % 500 === 0 ? 'unknown' : 'unavailable')
    }
    expect(asked).toBe(3)
    expect(await find()).toBe('found')
  })
})
