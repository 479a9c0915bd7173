import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cacheKey, type CacheKey } from '../../src/cache/key.ts'
import { TokenCache } from '../../src/cache/token_cache.ts'
import { systemRandom, type Random } from '../../src/platform/random.ts'
import { FakeClock } from '../fakes/clock.ts'
import { extremes, fixedRandom, seededRandom } from '../fakes/random.ts'

const LIFETIME = 1_000_000

const keyOf = (audience: string): CacheKey =>
  cacheKey({
    tenant: 't',
    client: undefined,
    subject: { issuer: 'i', sub: 's', instance: 'p' },
    actors: [],
    audiences: [audience],
    resources: [],
    scope: undefined,
    tokenType: 'Bearer',
    confirmation: undefined,
  })

const a = keyOf('a')

/** A cache with a token under each of these keys, each asked for once since it came. */
function holding(random: Random = systemRandom, keys: readonly CacheKey[] = [a]) {
  const clock = new FakeClock()
  const cache = new TokenCache<object, object>(20_000, { clock, random })
  const put = (key: CacheKey): void => {
    cache.put(key, {}, LIFETIME, cache.ask())
  }
  const dueKeys = (): readonly CacheKey[] => cache.due().map(([key]) => key)
  for (const key of keys) {
    put(key)
    cache.get(key)
  }
  return { clock, cache, put, dueKeys }
}

/** At which share of its life a token is due, to a thousandth. */
function dueAt(random: Random, look: (cache: TokenCache<object, object>) => void): number {
  const { clock, cache, dueKeys } = holding(random)
  for (let at = 0; at < 1_000; at += 1) {
    look(cache)
    if (dueKeys().length > 0) return at / 1_000
    clock.advance(LIFETIME / 1_000)
  }
  return 1
}

describe('a token is due', () => {
  const moments: readonly (readonly [string, Random, number])[] = [
    ['at 58.5 % of its life at the earliest', extremes.least, 0.585],
    ['at 65 % in the middle', fixedRandom(0.5), 0.65],
    ['at 71.5 % at the latest', extremes.most, 0.715],
  ]
  test.each(moments)('%s', (_, random, share) => {
    expect(Math.abs(dueAt(random, () => {}) - share)).toBeLessThan(0.001_1)
  })

  test('whatever is drawn, between the two, and asking does not move it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 1,
          maxLength: 20,
        }),
        (fractions) => {
          let drawn = 0
          const random: Random = {
            ...systemRandom,
            bytes: (count) => fixedRandom(fractions[drawn++ % fractions.length] ?? 0).bytes(count),
          }
          const share = dueAt(random, (cache) => {
            cache.get(a)
            cache.due()
          })
          const expected = 0.65 * (0.9 + 0.2 * (fractions[0] ?? 0))
          expect(drawn).toBe(1)
          expect(share).toBeGreaterThanOrEqual(expected - 1e-6)
          expect(share).toBeLessThanOrEqual(expected + 0.001 + 1e-6)
        },
      ),
      { numRuns: 50 },
    )
  })

  test('only if somebody asked for it since it came', () => {
    const { clock, cache, put, dueKeys } = holding()
    put(a)
    clock.advance(0.9 * LIFETIME)
    expect(dueKeys()).toEqual([])
    expect(cache.get(a)?.isDue).toBe(true)
    expect(dueKeys()).toEqual([a])
  })

  test('not while its next one is on its way', async () => {
    const { clock, cache, dueKeys } = holding()
    clock.advance(0.9 * LIFETIME)
    const { promise, resolve } = Promise.withResolvers<void>()
    const flight = cache.fly(a, () => promise)
    expect(dueKeys()).toEqual([])
    resolve()
    await flight
    expect(dueKeys()).toEqual([a])
  })

  test('before others that have longer to live', () => {
    const { clock, cache, put, dueKeys } = holding(systemRandom, [])
    const keys = ['c', 'a', 'b'].map(keyOf)
    for (const key of keys) {
      put(key)
      clock.advance(50_000)
    }
    clock.advance(0.75 * LIFETIME)
    for (const key of keys.toSorted()) cache.get(key)
    expect(dueKeys()).toEqual(keys)
  })

  test('and once it has ended it is forgotten', () => {
    const { clock, cache, dueKeys } = holding()
    clock.advance(LIFETIME)
    expect(dueKeys()).toEqual([])
    expect(cache.size).toBe(0)
  })
})

describe('a clock that jumps', () => {
  test.each([
    { name: 'ahead past the moment', jump: 800_000, passes: 0, due: 1 },
    { name: 'ahead, not so far', jump: 500_000, passes: 0, due: 0 },
    { name: 'back, and time passes', jump: -3_600_000, passes: 800_000, due: 1 },
    { name: 'back, and less time passes', jump: -3_600_000, passes: 500_000, due: 0 },
  ])('$name', ({ jump, passes, due }) => {
    const { clock, dueKeys } = holding()
    clock.jump(jump)
    clock.advance(passes)
    expect(dueKeys()).toHaveLength(due)
  })
})

/** After how many milliseconds it is due again, once it was postponed. */
function waitOf(random: Random, failures: number, atLeastMs = 0): number {
  const { clock, cache, dueKeys } = holding(random)
  clock.advance(0.75 * LIFETIME)
  for (let failure = 1; failure < failures; failure += 1) {
    cache.postpone(a, 0)
    while (dueKeys().length === 0) clock.advance(250)
  }
  cache.postpone(a, atLeastMs)
  const { isWaiting } = cache.get(a) ?? { isWaiting: false }
  const before = clock.monotonic()
  while (dueKeys().length === 0) clock.advance(10)
  const waited = clock.monotonic() - before
  expect(isWaiting).toBe(waited > 0)
  expect(cache.get(a)?.isWaiting).toBe(false)
  return waited
}

describe('a try that failed', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [4, 8_000],
    [5, 16_000],
    [6, 32_000],
    [7, 60_000],
    [8, 60_000],
  ])('is made again, after failure %i, within %i ms', (failures, longest) => {
    expect(waitOf(extremes.least, failures)).toBe(0)
    expect(waitOf(extremes.most, failures)).toBe(longest)
    expect(waitOf(fixedRandom(0.5), failures)).toBe(longest / 2)
  })

  test.each([0, 500, 999, 5_000, 120_000])('is made again after %i ms at least', (atLeast) => {
    const waited = waitOf(fixedRandom(0.5), 1, atLeast)
    expect(waited).toBe(Math.max(500, Math.ceil(atLeast / 10) * 10))
  })

  test('counts once, however many waited for it, and the longest wait counts', () => {
    const { clock, cache, dueKeys } = holding(fixedRandom(0.5))
    clock.advance(0.75 * LIFETIME)
    cache.postpone(a, 30_000)
    for (let waiter = 0; waiter < 100; waiter += 1) cache.postpone(a, 0)
    clock.advance(29_999)
    expect(dueKeys()).toEqual([])
    clock.advance(1)
    expect(dueKeys()).toEqual([a])
    cache.postpone(a, 0)
    clock.advance(1_000)
    expect(dueKeys()).toEqual([a])
  })

  test('is forgotten with the token that comes then', () => {
    const { clock, cache, put, dueKeys } = holding(extremes.most)
    clock.advance(0.75 * LIFETIME)
    cache.postpone(a, 60_000)
    put(a)
    expect(cache.get(a)).toMatchObject({ isDue: false, isWaiting: false })
    clock.advance(0.72 * LIFETIME)
    expect(dueKeys()).toEqual([a])
  })

  test('of a token that is gone is nothing', () => {
    const { cache } = holding()
    cache.postpone(keyOf('b'), 1_000)
    expect(cache.size).toBe(1)
  })
})

describe('a proof that was replaced', () => {
  const keys = Array.from({ length: 1_000 }, (_, index) => keyOf(String(index)))

  test('hastens every token within a tenth of its life, and spreads them', () => {
    const { clock, cache, dueKeys } = holding(seededRandom(7), keys)
    clock.advance(100_000)
    cache.hasten()
    const perStep: number[] = []
    for (let step = 0; step < 10; step += 1) {
      const before = dueKeys().length
      clock.advance(LIFETIME / 100)
      perStep.push(dueKeys().length - before)
    }
    expect(dueKeys()).toHaveLength(1_000)
    expect(Math.max(...perStep)).toBeLessThan(200)
    expect(Math.min(...perStep)).toBeGreaterThan(50)
  })

  test('makes no token wait longer than it would have', () => {
    const { clock, cache, dueKeys } = holding(extremes.most)
    clock.advance(0.714 * LIFETIME)
    cache.hasten()
    clock.advance(0.002 * LIFETIME)
    expect(dueKeys()).toEqual([a])
  })
})
