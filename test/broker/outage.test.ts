import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { plainWish } from '../../src/broker/wish.ts'
import { keepFresh } from '../../src/broker/refresh.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { begin, pass, settled, testBroker, type AskOutcome } from '../fakes/broker.ts'
import { extremes, fixedRandom, seededRandom } from '../fakes/random.ts'

const out = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')
const asking = (error: string, seconds: number) =>
  new ExchangeFailure('outage', error, 'it answered so', seconds)
const unavailable = { status: 503, error: 'temporarily_unavailable', code: 'authority_unavailable' }

/** Asks, and tells what came and after how many milliseconds; `meanwhile` runs every 50 ms. */
async function timed(
  broker: ReturnType<typeof testBroker>,
  query = '',
  meanwhile: (ms: number) => void = () => {},
): Promise<{ readonly outcome: AskOutcome; readonly waited: number }> {
  let outcome: AskOutcome | undefined
  void begin(broker, query).then((answer) => {
    outcome = answer
  })
  await settled()
  for (let waited = 0; ; waited += 50) {
    if (outcome) return { outcome, waited }
    meanwhile(waited)
    await pass(broker.clock, 50)
  }
}

describe('with nothing to serve', () => {
  test('an outage that ends within 7.7 s costs no request', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 7_700 }),
        fc.integer({ min: 0 }),
        async (lasts, seed) => {
          const broker = testBroker({ random: seededRandom(seed) })
          broker.authority.fail(out)
          const { outcome, waited } = await timed(broker, '', (ms) => {
            if (ms >= lasts) broker.authority.recover()
          })
          expect(outcome).toMatchObject({ token: 'token-1' })
          expect(waited).toBeLessThanOrEqual(Math.max(lasts + 2_100, 1_000))
          expect(waited).toBeLessThan(8_000)
        },
      ),
      { numRuns: 60 },
    )
  })

  test.each([
    ['the shortest pauses', 11, extremes.least],
    ['middling pauses', 9, fixedRandom(0.5)],
    ['the longest pauses', 7, extremes.most],
  ])('with %s an outage of 8 s is 503, and it was asked %i times', async (_, times, random) => {
    const broker = testBroker({ random })
    broker.authority.fail(out)
    const { outcome, waited } = await timed(broker)
    expect(outcome).toEqual(unavailable)
    expect(waited).toBeGreaterThanOrEqual(7_700)
    expect(waited).toBeLessThanOrEqual(8_000)
    expect(broker.authority.asked).toHaveLength(times)
  })

  test('a thousand callers ask no more often than one', async () => {
    const broker = testBroker({ random: fixedRandom(0.5) })
    broker.authority.fail(out)
    const callers = Array.from({ length: 1_000 }, () => begin(broker))
    await pass(broker.clock, 8_000, 50)
    expect(new Set((await Promise.all(callers)).map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify(unavailable)]),
    )
    expect(broker.authority.asked).toHaveLength(9)
  })

  test.each([
    ['authority_unavailable', 30, 0, 'authority_unavailable', 30],
    ['authority_busy', 30, 0, 'authority_busy', 30],
    ['authority_busy', 7, 7_000, 'authority_busy', 7],
    ['authority_busy', 8, 0, 'authority_busy', 8],
    ['authority_busy', 0, 7_000, 'authority_busy', 0],
  ])('%s with Retry-After %i is answered after %i ms with %s', async (...row) => {
    const [error, seconds, after, code, retryAfterSeconds] = row
    const broker = testBroker()
    broker.authority.fail(asking(error, seconds))
    const before = broker.clock.monotonic()
    let at = -1
    const asked = broker.getToken.byExchange(broker.workload, plainWish).finally(() => {
      at = broker.clock.monotonic() - before
    })
    await pass(broker.clock, 8_000, 50)
    const result = await asked
    expect(result).toBeInstanceOf(BrokerError)
    expect(result).toMatchObject({ status: 503, code, retryAfterSeconds })
    expect(at).toBe(after)
  })

  test('an authority that does not answer at all is given up after 8 s', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    expect(await timed(broker)).toEqual({ outcome: unavailable, waited: 8_000 })
    expect(broker.authority.asked).toHaveLength(1)
  })
})

/** A broker with a token of an hour that has so many seconds left, and an authority that is out. */
async function outWith(left: number, changes: Parameters<typeof testBroker>[0] = {}) {
  const broker = testBroker({ random: fixedRandom(0.999), ...changes })
  await begin(broker)
  broker.clock.advance((3_600 - left) * 1_000)
  broker.authority.fail(out)
  return broker
}

describe('with a token below the floor', () => {
  test('one caller waits 1.5 s, those after it nothing while the back-off runs', async () => {
    const broker = await outWith(100)
    const first = await timed(broker)
    expect(first).toEqual({ outcome: { token: 'token-1', expiresIn: 98 }, waited: 1_500 })
    const second = await timed(broker)
    expect(second).toEqual({ outcome: { token: 'token-1', expiresIn: 98 }, waited: 0 })
    await pass(broker.clock, 950, 50)
    expect((await timed(broker)).waited).toBe(0)
    expect(await broker.metrics.text()).toContain('lumo_served_stale_total 3\n')
  })

  test('the waits become rarer as it goes on', async () => {
    const broker = await outWith(170)
    const waits: number[] = []
    for (let second = 0; second < 100; second += 1) {
      const { outcome, waited } = await timed(broker)
      expect(outcome).toMatchObject({ token: 'token-1' })
      if (waited > 0) waits.push(second)
      await pass(broker.clock, 1_000)
    }
    expect(waits.length).toBeLessThan(8)
  })

  test('many callers at once count as one try', async () => {
    const broker = await outWith(100)
    const callers = Array.from({ length: 100 }, () => begin(broker))
    await pass(broker.clock, 1_500, 50)
    expect(new Set((await Promise.all(callers)).map((one) => JSON.stringify(one))).size).toBe(1)
    // The try goes on for 8 s without them, and counts as a second one; a hundred would be 60 s.
    await pass(broker.clock, 8_500, 50)
    broker.authority.recover()
    const { outcome } = await timed(broker)
    expect(outcome).toMatchObject({ token: 'token-2' })
  })

  test.each([100, 15, 3, 2, 1, 0.5, 0.1])(
    'it is served with %d s left, whatever was waited',
    async (left) => {
      const broker = await outWith(left)
      expect((await timed(broker)).outcome).toMatchObject({ token: 'token-1' })
    },
  )

  test('a short life has a floor above the moment of its refresh, and waits no more for it', async () => {
    const broker = testBroker({ random: fixedRandom(0.999) })
    broker.authority.lifetimeSeconds = 20
    await begin(broker)
    broker.clock.advance(5_001)
    broker.authority.fail(out)
    expect((await timed(broker)).waited).toBe(1_500)
    expect((await timed(broker)).waited).toBe(0)
  })

  test('with min_ttl that it does not meet there is nothing to serve, and 8 s to wait', async () => {
    const broker = await outWith(1_000)
    const { outcome } = await timed(broker, 'min_ttl=1001', (ms) => {
      if (ms >= 5_000) broker.authority.recover()
    })
    expect(outcome).toMatchObject({ token: 'token-2' })
  })
})

test('a caller who joins a refresh that fails has the authority asked for itself', async () => {
  const broker = testBroker({ random: fixedRandom(0.5) })
  const stop = keepFresh({
    getToken: broker.getToken,
    workloads: () => [broker.workload],
    followsFile: false,
    maxEntries: 100,
    clock: broker.clock,
  })
  await begin(broker)
  broker.clock.advance(3_598_000)
  broker.authority.slowDown()
  await pass(broker.clock, 1_000)
  expect(broker.authority.asked.map(({ urgent }) => urgent)).toEqual([true, false])
  await pass(broker.clock, 1_000)
  const { outcome } = await timed(broker, '', (ms) => {
    if (ms === 1_000) {
      broker.authority.fail(out)
      broker.authority.release()
    }
    if (ms === 3_000) broker.authority.recover()
  })
  stop()
  expect(outcome).toMatchObject({ token: 'token-2' })
})
