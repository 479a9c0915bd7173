import { afterEach, describe, expect, test } from 'vitest'
import { RateLimit } from '../../src/broker/rate_limit.ts'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'

function takenAtOnce(limit: RateLimit): number {
  let taken = 0
  while (taken < 1_000 && limit.take()) taken += 1
  return taken
}

describe('a bucket of 5 that fills with 2 a second', () => {
  test.each([
    { name: 'at the start', passes: [], left: 5 },
    { name: 'after half a second', passes: [500], left: 1 },
    { name: 'after a second', passes: [1_000], left: 2 },
    { name: 'after parts of a second, one by one', passes: [200, 200, 100], left: 1 },
    { name: 'when it is full again', passes: [2_500], left: 5 },
    { name: 'long after it was full', passes: [3_600_000], left: 5 },
  ])('$name gives $left', ({ passes, left }) => {
    const clock = new FakeClock()
    const limit = new RateLimit({ perSecond: 2, burst: 5 }, clock)
    if (passes.length > 0) expect(takenAtOnce(limit)).toBe(5)
    const before = passes.slice(0, -1).map((ms) => {
      clock.advance(ms)
      return takenAtOnce(limit)
    })
    clock.advance(passes.at(-1) ?? 0)
    expect(before).toEqual(before.map(() => 0))
    expect(takenAtOnce(limit)).toBe(left)
  })

  test('gives no more at once after it lay idle while full', () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ perSecond: 2, burst: 5 }, clock)
    clock.advance(3_600_000)
    expect(takenAtOnce(limit)).toBe(5)
  })

  test('does not heed the wall clock', () => {
    const clock = new FakeClock()
    const limit = new RateLimit({ perSecond: 2, burst: 5 }, clock)
    takenAtOnce(limit)
    clock.jump(3_600_000)
    expect(takenAtOnce(limit)).toBe(0)
  })
})

describe('over HTTP', () => {
  let broker: ListeningBroker | undefined

  afterEach(() => broker?.close())

  async function start() {
    const started = await listeningBroker({ rate: { perSecond: 1, burst: 3 } })
    broker = started
    const ask = (line: string, headers: readonly string[] = ['Lumo-Broker: true']) =>
      sendRaw(started.port, requestText(line, [`Host: ${started.host}`, ...headers]))
    return { ...started, ask }
  }

  test('what is beyond it gets 429 with Retry-After, and the next second is served again', async () => {
    const { ask, clock } = await start()
    const statuses: number[] = []
    for (let count = 0; count < 4; count += 1) {
      statuses.push((await ask('GET /v1/token HTTP/1.1')).status)
    }
    expect(statuses).toEqual([200, 200, 200, 429])
    const refused = await ask('GET /v1/token HTTP/1.1')
    expect(JSON.parse(refused.body)).toEqual({
      error: 'too_many_requests',
      error_description: 'Too many requests.',
      code: 'rate_limited',
    })
    expect(refused.header('retry-after')).toBe('1')
    clock.advance(1_000)
    expect((await ask('GET /v1/token HTTP/1.1')).status).toBe(200)
    expect((await ask('GET /v1/token HTTP/1.1')).status).toBe(429)
  })

  test.each([
    ['unknown paths', 'GET /nothing HTTP/1.1', 404],
    ['wrong methods', 'PUT /v1/token HTTP/1.1', 405],
    ['identities', 'GET /v1/identity HTTP/1.1', 200],
  ])('%s count', async (_name, line, status) => {
    const { ask } = await start()
    const statuses: number[] = []
    for (let count = 0; count < 4; count += 1) statuses.push((await ask(line)).status)
    expect(statuses).toEqual([status, status, status, 429])
  })

  test('what a guard refuses takes nothing from those who pass', async () => {
    const { ask } = await start()
    for (let count = 0; count < 5; count += 1) await ask('GET /v1/token HTTP/1.1', [])
    expect((await ask('GET /v1/token HTTP/1.1')).status).toBe(200)
  })
})
