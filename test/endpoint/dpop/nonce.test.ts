import { describe, expect, test } from 'vitest'
import { DpopNonces } from '../../../src/endpoint/dpop/nonce.ts'
import { FakeClock } from '../../fakes/clock.ts'

const WINDOW_MS = 120_000
const midnight = Date.UTC(2026, 10, 21)
const key = Buffer.alloc(32, 1)

function noncesAt(wall: number, of: Buffer = key) {
  const clock = new FakeClock(wall)
  return { clock, nonces: new DpopNonces(of, clock) }
}

const ages: readonly (readonly [name: string, madeAt: number, ageMs: number, good: boolean])[] = [
  ['at once', 0, 0, true],
  ['at the end of its window', 0, WINDOW_MS - 1, true],
  ['at the start of the next', 0, WINDOW_MS, true],
  ['at the end of the next', 0, 2 * WINDOW_MS - 1, true],
  ['at the start of the one after', 0, 2 * WINDOW_MS, false],
  ['a day later', 0, 86_400_000, false],
  ['made late in its window, a whole window later', WINDOW_MS - 1, WINDOW_MS, true],
  ['made late in its window, a moment more', WINDOW_MS - 1, WINDOW_MS + 1, false],
  ['when the clock was set back into the window before', 0, -1, false],
]

describe('a nonce', () => {
  test.each(ages)('%s', (_, madeAt, ageMs, good) => {
    const { clock, nonces } = noncesAt(midnight + madeAt)
    const nonce = nonces.current()
    clock.jump(ageMs)
    expect(nonces.isGood(nonce)).toBe(good)
  })

  test('is the same for a window, and another in the next', () => {
    const { clock, nonces } = noncesAt(midnight)
    const nonce = nonces.current()
    clock.jump(WINDOW_MS - 1)
    expect(nonces.current()).toBe(nonce)
    clock.jump(1)
    expect(nonces.current()).not.toBe(nonce)
  })

  test('is one that fits a header as it is', () => {
    expect(noncesAt(midnight).nonces.current()).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('is known to another process with the same key, and to none with another', () => {
    const nonce = noncesAt(midnight).nonces.current()
    const { clock, nonces } = noncesAt(midnight + WINDOW_MS, Buffer.from(key))
    expect(nonces.isGood(nonce)).toBe(true)
    expect(new DpopNonces(Buffer.alloc(32, 2), clock).isGood(nonce)).toBe(false)
  })
})

const near: readonly (readonly [name: string, change: (good: string) => string])[] = [
  ['empty', () => ''],
  ['padded', (good) => `${good}=`],
  ['with a space', (good) => `${good} `],
  ['cut short', (good) => good.slice(0, -1)],
  ['twice', (good) => good + good],
  ['in lower case', (good) => good.toLowerCase()],
  ['with another first character', (good) => (good.startsWith('A') ? 'B' : 'A') + good.slice(1)],
  [
    'that decodes to the same bytes',
    (good) => good.slice(0, -1) + String.fromCodePoint((good.codePointAt(42) ?? 0) + 1),
  ],
  ['of as many characters and more bytes', (good) => good.slice(0, -1) + 'é'],
  ['of as many bytes', (good) => good.slice(0, -2) + 'é'],
  ['the number of the window', () => String(midnight / WINDOW_MS)],
  ['very long', (good) => good.repeat(300)],
]

test.each(near)('no nonce of ours: %s', (_, change) => {
  const { nonces } = noncesAt(midnight)
  expect(nonces.isGood(change(nonces.current()))).toBe(false)
})
