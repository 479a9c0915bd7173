import { describe, expect, test } from 'vitest'
import { Budget, type BudgetExceeded } from '../../../src/policy/local/budget.ts'
import { FakeClock } from '../../fakes/clock.ts'

/** When, for which targets; then what comes of it: `ok`, or which limit and the seconds to wait. */
type Step = readonly [seconds: number, targets: string, outcome: string]

interface Case {
  readonly name: string
  readonly perMinute?: number
  readonly perHour?: number
  readonly steps: readonly Step[]
}

const cases: readonly Case[] = [
  {
    name: 'a minute that is full, and the next one',
    perMinute: 2,
    steps: [
      [0, 'a', 'ok'],
      [20, 'a', 'ok'],
      [20, 'a', 'exchanges 40'],
      [59, 'a', 'exchanges 1'],
      [60, 'a', 'ok'],
      [60, 'a', 'exchanges 20'],
      [80, 'a', 'ok'],
    ],
  },
  {
    name: 'refused exchanges count for nothing',
    perMinute: 1,
    steps: [
      [0, 'a', 'ok'],
      [30, 'a', 'exchanges 30'],
      [59, 'a', 'exchanges 1'],
      [60, 'a', 'ok'],
    ],
  },
  {
    name: 'what came at once ends at once',
    perMinute: 3,
    steps: [
      [0, 'a', 'ok'],
      [0, 'a', 'ok'],
      [0, 'a', 'ok'],
      [0, 'a', 'exchanges 60'],
      [60, 'a', 'ok'],
      [60, 'a', 'ok'],
      [60, 'a', 'ok'],
      [60, 'a', 'exchanges 60'],
    ],
  },
  {
    name: 'a wait is rounded up to whole seconds',
    perMinute: 1,
    steps: [
      [0.4, 'a', 'ok'],
      [1, 'a', 'exchanges 60'],
      [60, 'a', 'exchanges 1'],
      [60.4, 'a', 'ok'],
    ],
  },
  {
    name: 'exchanges close together end with the last of them',
    perMinute: 2,
    steps: [
      [0, 'a', 'ok'],
      [0.2, 'a', 'ok'],
      [60.1, 'a', 'exchanges 1'],
      [60.2, 'a', 'ok'],
      [60.2, 'a', 'ok'],
      [60.2, 'a', 'exchanges 60'],
    ],
  },
  {
    name: 'an hour of targets',
    perHour: 2,
    steps: [
      [0, 'a', 'ok'],
      [10, 'b', 'ok'],
      [20, 'c', 'audiences 3580'],
      [20, 'b', 'ok'],
      [3_599, 'c', 'audiences 1'],
      [3_600, 'c', 'ok'],
      [3_600, 'a', 'audiences 20'],
      [3_620, 'a', 'ok'],
    ],
  },
  {
    name: 'a target in use stays one of the hour',
    perHour: 1,
    steps: [
      [0, 'a', 'ok'],
      [3_500, 'a', 'ok'],
      [3_600, 'b', 'audiences 3500'],
      [7_100, 'b', 'ok'],
    ],
  },
  {
    name: 'a refused call keeps no target alive',
    perHour: 2,
    steps: [
      [0, 'a', 'ok'],
      [0, 'b', 'ok'],
      [3_000, 'a c', 'audiences 600'],
      [3_600, 'c d', 'ok'],
    ],
  },
  {
    name: 'several targets cost one each, and one exchange',
    perMinute: 2,
    perHour: 3,
    steps: [
      [0, 'a b', 'ok'],
      [0, 'c d', 'audiences 3600'],
      [0, 'c c', 'ok'],
      [0, 'a', 'exchanges 60'],
    ],
  },
  {
    name: 'more targets at once than the limit',
    perHour: 2,
    steps: [
      [0, 'a b c', 'audiences 3600'],
      [3_600, 'a b c', 'audiences 3600'],
      [3_600, 'a b', 'ok'],
    ],
  },
  {
    name: 'no target is one target',
    perHour: 1,
    steps: [
      [0, '', 'ok'],
      [0, '', 'ok'],
      [0, 'a', 'audiences 3600'],
    ],
  },
  {
    name: 'the longer wait is told',
    perMinute: 1,
    perHour: 1,
    steps: [
      [0, 'a', 'ok'],
      [0, 'b', 'audiences 3600'],
      [3_570, 'a', 'ok'],
      [3_580, 'a', 'exchanges 50'],
    ],
  },
]

function show(exceeded: BudgetExceeded | undefined): string {
  if (!exceeded) return 'ok'
  return `${exceeded.code.replace('_exhausted', '')} ${String(exceeded.retryAfterSeconds)}`
}

const listOf = (text: string): readonly string[] => (text === '' ? [] : text.split(' '))

describe('a budget', () => {
  test.each(cases)('$name', ({ perMinute = 100, perHour = 100, steps }) => {
    const clock = new FakeClock()
    const budget = new Budget(clock)
    const outcomes = steps.map(([seconds, targets]) => {
      clock.advance(Math.round(seconds * 1_000) - clock.monotonic())
      return show(
        budget.spend(listOf(targets), { exchangesPerMinute: perMinute, audiencesPerHour: perHour }),
      )
    })
    expect(outcomes).toEqual(steps.map(([, , outcome]) => outcome))
  })

  test('heeds no wall clock', () => {
    const clock = new FakeClock()
    const budget = new Budget(clock)
    const limits = { exchangesPerMinute: 1, audiencesPerHour: 1 }
    budget.spend(['a'], limits)
    clock.jump(86_400_000)
    expect(show(budget.spend(['a'], limits))).toBe('exchanges 60')
  })
})

describe('limits that change', () => {
  /** Targets spent on in turn, one a second, each with limits of its own. */
  function run(steps: readonly (readonly [targets: string, perMinute: number, perHour: number])[]) {
    const clock = new FakeClock()
    const budget = new Budget(clock)
    return steps.map(([targets, exchangesPerMinute, audiencesPerHour]) => {
      clock.advance(1_000)
      return show(budget.spend(listOf(targets), { exchangesPerMinute, audiencesPerHour }))
    })
  }

  test.each([
    [
      'more exchanges',
      [
        ['a', 1, 9],
        ['a', 1, 9],
        ['a', 2, 9],
      ],
      ['ok', 'exchanges 59', 'ok'],
    ],
    [
      'fewer exchanges, until enough of them are past',
      [
        ['a', 9, 9],
        ['a', 9, 9],
        ['a', 9, 9],
        ['a', 2, 9],
      ],
      ['ok', 'ok', 'ok', 'exchanges 58'],
    ],
    [
      'more audiences',
      [
        ['a', 9, 1],
        ['b', 9, 1],
        ['b', 9, 2],
      ],
      ['ok', 'audiences 3599', 'ok'],
    ],
    [
      'fewer audiences: the latest ones stay',
      [
        ['a', 9, 3],
        ['b', 9, 3],
        ['c', 9, 3],
        ['c', 9, 2],
        ['b', 9, 2],
        ['a', 9, 2],
      ],
      ['ok', 'ok', 'ok', 'ok', 'ok', 'audiences 3598'],
    ],
    [
      'none at all',
      [
        ['a', 0, 9],
        ['a', 9, 0],
      ],
      ['exchanges 60', 'audiences 3600'],
    ],
  ] as const)('%s', (_, steps, outcomes) => {
    expect(run(steps)).toEqual(outcomes)
  })
})

test('a lowered limit waits for all that came at once', () => {
  const clock = new FakeClock()
  const budget = new Budget(clock)
  const spend = (exchangesPerMinute: number): string =>
    show(budget.spend(['a'], { exchangesPerMinute, audiencesPerHour: 1 }))
  expect([spend(9), spend(9), spend(9)]).toEqual(['ok', 'ok', 'ok'])
  clock.advance(10_000)
  expect([spend(9), spend(2)]).toEqual(['ok', 'exchanges 50'])
  clock.advance(50_000)
  expect([spend(2), spend(2)]).toEqual(['ok', 'exchanges 10'])
})

test('remembers no more targets than the limit, and never more than ten thousand', () => {
  const budget = new Budget(new FakeClock())
  const limits = { exchangesPerMinute: Infinity, audiencesPerHour: Infinity }
  const targets = (from: number, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `https://${String(from + index)}.example`)
  expect(show(budget.spend(targets(0, 10_000), limits))).toBe('ok')
  expect(show(budget.spend(targets(10_000, 1), limits))).toBe('audiences 3600')
  expect(show(budget.spend(targets(20_000, 50_000), limits))).toBe('audiences 3600')
  expect(budget.audiences).toBe(10_000)
  expect(show(budget.spend(targets(9_999, 1), { ...limits, audiencesPerHour: 7 }))).toBe('ok')
  expect(budget.audiences).toBe(7)
})
