import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Budget, type BudgetLimits } from '../../../src/policy/local/budget.ts'
import { RecentExchanges } from '../../../src/policy/local/recent_exchanges.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

interface Passed {
  readonly at: number
  readonly targets: readonly string[]
}

interface Ask {
  readonly pause: number
  readonly targets: readonly string[]
}

/** Pauses that meet the edges of slots and windows, and any others, in quarters of a millisecond: sums of them are exact. */
const pause = fc.oneof(
  fc.constantFrom(0, 1, 249, 250, 251, 59_999, MINUTE, HOUR - 1, HOUR),
  fc.integer({ min: 0, max: 80_000 }).map((quarters) => quarters / 4),
  fc.integer({ min: 0, max: HOUR * 2 }).map((quarters) => quarters / 4),
)
const target = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const asks: fc.Arbitrary<readonly Ask[]> = fc.array(
  fc.record({ pause, targets: fc.array(target, { maxLength: 3 }) }),
  { maxLength: 60 },
)
const limits: fc.Arbitrary<BudgetLimits> = fc.record({
  exchangesPerMinute: fc.integer({ min: 1, max: 6 }),
  audiencesPerHour: fc.integer({ min: 1, max: 4 }),
})

/** The asks that pass, with the time of each. */
function passing(asks: readonly Ask[], limits: BudgetLimits): readonly Passed[] {
  const clock = new FakeClock()
  const budget = new Budget(clock)
  return asks.flatMap(({ pause, targets }) => {
    clock.advance(pause)
    const passed = budget.spend(targets, limits) === undefined
    expect(budget.audiences).toBeLessThanOrEqual(limits.audiencesPerHour)
    return passed ? [{ at: clock.monotonic(), targets }] : []
  })
}

/** What passed in the window of this length that ends with each. */
function windows(passed: readonly Passed[], length: number): readonly (readonly Passed[])[] {
  return passed.map(({ at }, index) =>
    passed.slice(0, index + 1).filter((other) => at - other.at < length),
  )
}

const distinct = (passed: readonly Passed[]): number =>
  new Set(passed.flatMap(({ targets }) => (targets.length === 0 ? [''] : targets))).size

test('no window of a minute sees more exchanges than the limit, no hour more targets', () => {
  fc.assert(
    fc.property(asks, limits, (asks, limits) => {
      const passed = passing(asks, limits)
      for (const window of windows(passed, MINUTE)) {
        expect(window.length).toBeLessThanOrEqual(limits.exchangesPerMinute)
      }
      for (const window of windows(passed, HOUR)) {
        expect(distinct(window)).toBeLessThanOrEqual(limits.audiencesPerHour)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('what is refused passes after the wait that was told, and not a second sooner', () => {
  fc.assert(
    fc.property(asks, limits, (asks, limits) => {
      const [early, late] = [new FakeClock(), new FakeClock()]
      const budgets = [new Budget(early), new Budget(late)] as const
      for (const { pause, targets } of asks) {
        for (const clock of [early, late]) clock.advance(pause)
        const [refused] = budgets.map((budget) => budget.spend(targets, limits))
        if (!refused || new Set(targets).size > limits.audiencesPerHour) continue
        const wait = refused.retryAfterSeconds * 1_000
        early.advance(wait - 1_000)
        expect(budgets[0].spend(targets, limits)).toBeDefined()
        late.advance(wait)
        expect(budgets[1].spend(targets, limits)).toBeUndefined()
        return
      }
    }),
    { numRuns: 1_000 },
  )
})

test('a call that was refused changes nothing for those behind it', () => {
  fc.assert(
    fc.property(asks, limits, (asks, limits) => {
      const clock = new FakeClock()
      const budget = new Budget(clock)
      const passed = passing(asks, limits)
      for (const { at, targets } of passed) {
        clock.advance(at - clock.monotonic())
        expect(budget.spend(targets, limits)).toBeUndefined()
      }
    }),
    { numRuns: 500 },
  )
})

test('the whole limit can be had at once, whatever it is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), (limit) => {
      const budget = new Budget(new FakeClock())
      const limits = { exchangesPerMinute: limit, audiencesPerHour: 1 }
      for (let count = 0; count < limit; count++) {
        expect(budget.spend(['a'], limits)).toBeUndefined()
      }
      expect(budget.spend(['a'], limits)).toEqual({
        code: 'exchanges_exhausted',
        retryAfterSeconds: 60,
      })
    }),
    { numRuns: 10 },
  )
})

test('a minute of a hundred thousand exchanges takes no more room than a few hundred', () => {
  const exchanges = new RecentExchanges()
  let most = 0
  let passed = 0
  for (let now = 0; now < MINUTE * 1.5; now += 0.5) {
    if (exchanges.wait(100_000, now) > 0) continue
    exchanges.add(now)
    passed += 1
    most = Math.max(most, exchanges.entries)
  }
  // All of the first limit, and from the sixtieth second on what each quarter of a second sets free.
  expect(passed).toBeGreaterThan(100_000)
  expect(most).toBeLessThanOrEqual(241)
})
