import { describe, expect, test } from 'vitest'
import { keepFresh } from '../../src/broker/refresh.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import {
  ask,
  begin,
  pass,
  proofClaims,
  proofOf,
  proofPath,
  settled,
  testBroker,
  type TestBroker,
} from '../fakes/broker.ts'
import { extremes, fixedRandom, seededRandom } from '../fakes/random.ts'

const MINUTE = 60_000
const out = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')
const unavailable = { status: 503, error: 'temporarily_unavailable', code: 'authority_unavailable' }

/** A broker that keeps its tokens, which live for an hour, fresh. In the middle of what may be drawn they are due after 39 min. */
function keeping(changes: Parameters<typeof testBroker>[0] = {}, followsFile = false) {
  const broker = testBroker({ random: fixedRandom(0.5), maxEntries: 20_000, ...changes })
  const stop = keepFresh({
    getToken: broker.getToken,
    workloads: () => [broker.workload],
    followsFile,
    maxEntries: 20_000,
    clock: broker.clock,
  })
  return { ...broker, stop }
}

function renewProof({ files, clock }: TestBroker): void {
  files.write(proofPath, proofOf(proofClaims(clock.now)))
}

describe('ahead of time', () => {
  test('a token that is in use is replaced, and nobody waits', async () => {
    const broker = keeping()
    await ask(broker)
    await pass(broker.clock, 38 * MINUTE, MINUTE)
    expect(broker.authority.asked).toHaveLength(1)
    await pass(broker.clock, MINUTE + 1_000)
    expect(broker.authority.asked.map(({ urgent }) => urgent)).toEqual([true, false])
    expect(await begin(broker)).toMatchObject({ token: 'token-2' })
    expect(await broker.metrics.text()).toContain('lumo_refreshes_total{outcome="issued"} 1\n')
  })

  test('what nobody asks for any more is replaced no more', async () => {
    const broker = keeping()
    await ask(broker)
    await pass(broker.clock, 5 * 60 * MINUTE, 10_000)
    expect(broker.authority.asked).toHaveLength(2)
    expect(broker.cache.size).toBe(0)
  })

  test('a late caller of what nobody asked for is served at once, and begins it', async () => {
    const broker = keeping()
    await ask(broker)
    await pass(broker.clock, 40 * MINUTE, 10_000)
    await pass(broker.clock, 50 * MINUTE, 10_000)
    broker.authority.slowDown()
    expect(await begin(broker)).toMatchObject({ token: 'token-2' })
    await settled()
    expect(broker.authority.asked.map(({ urgent }) => urgent)).toEqual([true, false, false])
    expect(await begin(broker)).toMatchObject({ token: 'token-2' })
    broker.authority.release()
    await settled()
    expect(await begin(broker)).toEqual({ token: 'token-3', expiresIn: 3_600 })
    expect(broker.authority.asked).toHaveLength(3)
  })

  test('goes on for as long as the token is in use, once for each', async () => {
    const broker = keeping()
    for (let minute = 0; minute < 600; minute += 1) {
      expect(await begin(broker)).toMatchObject({ expiresIn: expect.any(Number) as number })
      await pass(broker.clock, MINUTE, 10_000)
    }
    // 600 min are fifteen times 39 min.
    expect(broker.authority.asked.map(({ urgent }) => urgent)).toEqual([
      true,
      ...Array.from({ length: 15 }, () => false),
    ])
  })

  test('ends with stop()', async () => {
    const broker = keeping()
    await ask(broker)
    broker.stop()
    await pass(broker.clock, 55 * MINUTE, MINUTE)
    expect(broker.authority.asked).toHaveLength(1)
  })

  test.each([
    { name: 'ahead', jump: 40 * MINUTE, asked: 2 },
    { name: 'ahead, not so far', jump: 30 * MINUTE, asked: 1 },
    { name: 'back', jump: -40 * MINUTE, asked: 1 },
  ])('a wall clock that is set $name is seen at the next look', async ({ jump, asked }) => {
    const broker = keeping()
    await ask(broker)
    broker.clock.jump(jump)
    await pass(broker.clock, 1_000)
    expect(broker.authority.asked).toHaveLength(asked)
  })
})

describe('what fails ahead of time', () => {
  /** The moments, in seconds after it was due, at which the authority was asked. */
  async function attempts(failure: ExchangeFailure, random = extremes.most) {
    const broker = keeping({ random })
    await ask(broker)
    broker.authority.fail(failure)
    const due = 42.9 * 60
    const moments: number[] = []
    for (let second = 1; second < 3_600; second += 1) {
      const before = broker.authority.asked.length
      await pass(broker.clock, 1_000)
      expect(broker.authority.asked.length - before).toBeLessThan(2)
      if (broker.authority.asked.length > before) moments.push(second - due)
    }
    return { broker, moments }
  }

  test('is tried again after 1 s to 60 s, and the token serves to its very end', async () => {
    const { broker, moments } = await attempts(out)
    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
    expect(pauses.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60])
    expect(new Set(pauses.slice(7))).toEqual(new Set([60]))
    expect(await begin(broker)).toEqual({ token: 'token-1', expiresIn: 1 })
    await pass(broker.clock, 1_000)
    expect(await ask(broker)).toEqual(unavailable)
  })

  test('waits for as long as the authority says', async () => {
    const busy = new ExchangeFailure('outage', 'authority_busy', 'it answered 429', 300)
    const { moments } = await attempts(busy)
    const pauses = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0))
    expect(new Set(pauses)).toEqual(new Set([300]))
  })

  test('never asks more than once a second, whatever is drawn', async () => {
    const { moments } = await attempts(out, extremes.least)
    expect(moments.length).toBeGreaterThan(1_000)
  })

  test('with a refusal ends the token at once', async () => {
    const broker = keeping()
    await ask(broker)
    broker.authority.fail(new ExchangeFailure('refused', 'access_denied', 'it answered 403'))
    await pass(broker.clock, 39 * MINUTE + 1_000, MINUTE)
    expect(broker.cache.size).toBe(0)
    const refused = { status: 403, error: 'access_denied', code: 'authority_refused' }
    expect(await begin(broker)).toEqual(refused)
    expect(broker.authority.asked).toHaveLength(2)
    expect(await broker.metrics.text()).toContain('lumo_refreshes_total{outcome="refused"} 1\n')
  })

  test('for want of a proof is tried again, and served meanwhile', async () => {
    const broker = keeping()
    await ask(broker)
    broker.files.remove(proofPath)
    await pass(broker.clock, 45 * MINUTE, 10_000)
    expect(await begin(broker)).toMatchObject({ token: 'token-1' })
    expect(broker.authority.asked).toHaveLength(1)
    renewProof(broker)
    await pass(broker.clock, MINUTE)
    expect(await begin(broker)).toMatchObject({ token: 'token-2' })
    expect(await broker.metrics.text()).toMatch(/refreshes_total\{outcome="no_proof"\} [1-9]/)
  })
})

describe('a proof that is replaced', () => {
  test.each([false, true])(
    'has tokens replaced within a tenth of their life (read by an exchange first: %s)',
    async (first) => {
      const broker = keeping({}, true)
      await ask(broker)
      await pass(broker.clock, 10 * MINUTE, 10_000)
      renewProof(broker)
      if (first) await ask(broker, 'audience=other')
      const before = broker.authority.asked.length
      await pass(broker.clock, 6 * MINUTE + 11_000)
      expect(broker.authority.asked.length).toBeGreaterThan(before)
      expect(await begin(broker)).toMatchObject({ token: `token-${String(before + 1)}` })
    },
  )

  test('that stays has nothing replaced', async () => {
    const broker = keeping({}, true)
    await ask(broker)
    await pass(broker.clock, 38 * MINUTE, 10_000)
    expect(broker.authority.asked).toHaveLength(1)
  })
})

test('ten thousand tokens that came at once are replaced a few at a time, all before their floor', async () => {
  const broker = keeping({ random: seededRandom(3) })
  const queries = Array.from({ length: 10_000 }, (_, index) => `audience=${String(index)}`)
  for (const query of queries) await begin(broker, query)
  expect(broker.authority.asked).toHaveLength(10_000)
  broker.clock.advance(35 * MINUTE)
  expect(broker.authority.asked).toHaveLength(10_000)
  const perLook: number[] = []
  for (let second = 35 * 60; second < 43 * 60; second += 1) {
    const before = broker.authority.asked.length
    await pass(broker.clock, 1_000)
    perLook.push(broker.authority.asked.length - before)
  }
  expect(broker.authority.asked).toHaveLength(20_000)
  expect(Math.max(...perLook)).toBeLessThanOrEqual(64)
})

test('with an authority that hangs no more than so many are under way', async () => {
  const broker = keeping({ random: seededRandom(3) })
  for (let index = 0; index < 500; index += 1) await begin(broker, `audience=${String(index)}`)
  broker.authority.slowDown()
  await pass(broker.clock, 50 * MINUTE, 10_000)
  expect(broker.cache.flights).toBe(64)
  broker.authority.release()
  await pass(broker.clock, 10_000)
  expect([broker.cache.flights, broker.authority.asked.length]).toEqual([0, 1_000])
})
