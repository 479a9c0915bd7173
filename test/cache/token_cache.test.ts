import { describe, expect, test } from 'vitest'
import { cacheKey, type CacheKey } from '../../src/cache/key.ts'
import { TokenCache } from '../../src/cache/token_cache.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeClock } from '../fakes/clock.ts'

interface Token {
  readonly text: string
}

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
const b = keyOf('b')
const token: Token = { text: 'token' }
const no = { reason: 'no' }

function start(maxEntries = 10, keepsReplaced = false) {
  const clock = new FakeClock()
  const around = { clock, random: systemRandom }
  const cache = new TokenCache<Token, typeof no>(maxEntries, around, keepsReplaced)
  const put = (key: CacheKey, value = token, lifetimeMs = 10_000) => {
    cache.put(key, value, lifetimeMs, cache.ask())
  }
  return { clock, cache, put }
}

describe('both clocks', () => {
  test.each([
    { name: 'at once', passes: 0, jump: 0, left: 10_000 },
    { name: 'as time passes', passes: 4_000, jump: 0, left: 6_000 },
    { name: 'at the last moment', passes: 9_999, jump: 0, left: 1 },
    { name: 'at the end', passes: 10_000, jump: 0, left: undefined },
    { name: 'after a jump ahead', passes: 1_000, jump: 5_000, left: 4_000 },
    { name: 'after a jump past the end', passes: 0, jump: 10_000, left: undefined },
    { name: 'after a jump back', passes: 1_000, jump: -5_000, left: 9_000 },
    { name: 'after a jump back, at the end', passes: 10_000, jump: -5_000, left: undefined },
  ])('$name', ({ passes, jump, left }) => {
    const { clock, cache, put } = start()
    put(a)
    clock.jump(jump)
    clock.advance(passes)
    const held = cache.get(a)
    expect(held && [held.value, held.remainingMs, held.lifetimeMs]).toEqual(
      left === undefined ? undefined : [token, left, 10_000],
    )
  })

  test('a token that was found ended does not come back when the wall clock does', () => {
    const { clock, cache, put } = start()
    put(a)
    clock.jump(20_000)
    expect(cache.get(a)).toBeUndefined()
    clock.jump(-20_000)
    expect(cache.get(a)).toBeUndefined()
    expect(cache.size).toBe(0)
  })

  test('the life counts from when it was asked for', () => {
    const { clock, cache } = start()
    const asked = cache.ask()
    clock.advance(3_000)
    cache.put(a, token, 10_000, asked)
    expect(cache.get(a)?.remainingMs).toBe(7_000)
  })
})

describe('bounds', () => {
  test('the one that was not used for longest goes', () => {
    const { cache, put } = start(2)
    put(a)
    put(b)
    cache.get(a)
    put(keyOf('c'))
    expect([cache.get(a)?.value, cache.get(b)?.value]).toEqual([token, undefined])
    expect(cache.size).toBe(2)
  })

  test('a new token takes the place of the old', () => {
    const { cache, put } = start()
    put(a)
    put(a, { text: 'new' }, 5_000)
    const fresh = { askedAt: 0, value: { text: 'new' }, remainingMs: 5_000, lifetimeMs: 5_000 }
    expect(cache.get(a)).toEqual({ ...fresh, isDue: false, isWaiting: false })
    expect(cache.size).toBe(1)
  })

  test('refusals are bounded as well', () => {
    const { cache } = start(2)
    for (const name of ['a', 'b', 'c']) cache.refuse(keyOf(name), no, cache.ask())
    expect(['a', 'b', 'c'].map((name) => cache.refusalOf(keyOf(name)))).toEqual([undefined, no, no])
  })
})

describe('what lives still', () => {
  /** A token every so many milliseconds, each for ten seconds. */
  const cases: readonly (readonly [
    name: string,
    keepsReplaced: boolean,
    everyMs: number,
    tokens: readonly string[],
    living: readonly (readonly [token: string, remainingMs: number])[],
  ])[] = [
    ['nothing', true, 0, [], []],
    ['one', true, 6_500, ['1'], [['1', 10_000]]],
    ['the newest alone, where the others are not kept', false, 6_500, ['1', '2'], [['2', 10_000]]],
    [
      'what a refresh replaced',
      true,
      6_500,
      ['1', '2'],
      [
        ['2', 10_000],
        ['1', 3_500],
      ],
    ],
    [
      'nothing that has ended',
      true,
      6_500,
      ['1', '2', '3'],
      [
        ['3', 10_000],
        ['2', 3_500],
      ],
    ],
    [
      'three that were replaced, and no more',
      true,
      1_000,
      ['1', '2', '3', '4', '5'],
      [
        ['5', 10_000],
        ['4', 9_000],
        ['3', 8_000],
        ['2', 7_000],
      ],
    ],
  ]
  test.each(cases)('%s', (_name, keepsReplaced, everyMs, tokens, living) => {
    const { clock, cache, put } = start(10, keepsReplaced)
    tokens.forEach((text, index) => {
      if (index > 0) clock.advance(everyMs)
      put(a, { text })
    })
    expect(cache.living().map(({ value, remainingMs }) => [value.text, remainingMs])).toEqual(
      living,
    )
    expect(cache.size).toBe(Math.min(tokens.length, 1))
  })

  test('nothing once it has ended, and what has ended takes no place of what lives', () => {
    const { clock, cache, put } = start(10, true)
    const texts = () => cache.living().map(({ value }) => value.text)
    put(a, { text: 'long' })
    for (const text of ['1', '2', '3', '4', '5']) {
      put(a, { text }, 1_000)
      clock.advance(1_000)
    }
    expect(texts()).toEqual(['long'])
    clock.advance(5_000)
    expect(texts()).toEqual([])
  })

  test('nothing of an entry that is gone', () => {
    const { cache, put } = start(10, true)
    put(a)
    put(a)
    cache.drop(a)
    expect(cache.living()).toEqual([])
  })
})

describe('refusals', () => {
  test.each([
    [0, no],
    [9_999, no],
    [10_000, undefined],
  ])('after %i ms', (ms, expected) => {
    const { clock, cache } = start()
    cache.refuse(a, no, cache.ask())
    clock.advance(ms)
    expect(cache.refusalOf(a)).toBe(expected)
  })

  test('last by the monotonic clock alone', () => {
    const { clock, cache } = start()
    cache.refuse(a, no, cache.ask())
    clock.jump(3_600_000)
    expect(cache.refusalOf(a)).toBe(no)
    clock.jump(-7_200_000)
    clock.advance(10_000)
    expect(cache.refusalOf(a)).toBeUndefined()
  })

  test('drop the token of their key and of no other', () => {
    const { cache, put } = start()
    put(a)
    put(b)
    cache.refuse(a, no, cache.ask())
    expect([cache.get(a), cache.get(b)?.value]).toEqual([undefined, token])
  })

  test('end with a token', () => {
    const { cache, put } = start()
    cache.refuse(a, no, cache.ask())
    put(a)
    expect(cache.refusalOf(a)).toBeUndefined()
    expect(cache.get(a)?.value).toBe(token)
  })
})

describe('clear', () => {
  test('forgets tokens and refusals', () => {
    const { cache, put } = start()
    put(a)
    cache.refuse(b, no, cache.ask())
    cache.clear()
    expect([cache.get(a), cache.refusalOf(b), cache.size]).toEqual([undefined, undefined, 0])
  })

  test('what was asked for before is neither put nor refused', () => {
    const { cache, put } = start()
    const before = cache.ask()
    cache.clear()
    cache.put(a, token, 10_000, before)
    expect(cache.get(a)).toBeUndefined()
    put(b)
    cache.refuse(b, no, before)
    expect([cache.get(b)?.value, cache.refusalOf(b)]).toEqual([token, undefined])
  })

  test('what is asked for afterwards is put', () => {
    const { cache, put } = start()
    cache.clear()
    put(a)
    expect(cache.get(a)?.value).toBe(token)
  })
})

describe('flights', () => {
  test('whoever comes during one shares its result; it is over when it lands', async () => {
    const { cache } = start()
    const { promise, resolve } = Promise.withResolvers<string>()
    const first = cache.fly(a, () => promise)
    const second = cache.fly(a, () => Promise.resolve('another'))
    expect([cache.isFlying(a), cache.isFlying(b), cache.flights]).toEqual([true, false, 1])
    resolve('landed')
    expect([await first, await second]).toEqual(['landed', 'landed'])
    expect([cache.isFlying(a), cache.flights]).toEqual([false, 0])
    expect(await cache.fly(a, () => Promise.resolve('anew'))).toBe('anew')
  })

  test('one that crashes is over, and every waiter learns of it', async () => {
    const { cache } = start()
    const { promise, reject } = Promise.withResolvers<string>()
    const waiters = [cache.fly(a, () => promise), cache.fly(a, () => promise)]
    reject(new Error('crashed'))
    const outcomes = await Promise.allSettled(waiters)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(cache.flights).toBe(0)
  })

  test('clear lets a new one start, and the old one landing does not end it', async () => {
    const { cache } = start()
    const old = Promise.withResolvers<string>()
    const fresh = Promise.withResolvers<string>()
    const before = cache.fly(a, () => old.promise)
    cache.clear()
    const after = cache.fly(a, () => fresh.promise)
    old.resolve('old')
    expect(await before).toBe('old')
    expect(cache.isFlying(a)).toBe(true)
    fresh.resolve('fresh')
    expect(await after).toBe('fresh')
    expect(cache.isFlying(a)).toBe(false)
  })
})
