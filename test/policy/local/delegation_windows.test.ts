import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  DelegationBudget,
  type DelegationExceeded,
  type DelegationLimits,
} from '../../../src/policy/local/delegation_budget.ts'
import { subjectKey } from '../../../src/policy/local/subject_key.ts'
import { FakeClock } from '../../fakes/clock.ts'

const MINUTE = 60_000

type Step =
  | { readonly kind: 'pause'; readonly ms: number }
  | { readonly kind: 'exchange' | 'hold' | 'release'; readonly subject: string }

/** In quarters of a second, which is how finely exchanges are counted: what happens in one happens at once. */
const pause = fc.oneof(
  fc.constantFrom(0, 250, MINUTE - 250, MINUTE),
  fc.integer({ min: 0, max: 260 }).map((quarters) => quarters * 250),
)
const subject = fc.constantFrom('a', 'b', 'c', 'd', 'e')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: pause.map((ms) => ({ kind: 'pause' as const, ms })) },
  { weight: 5, arbitrary: subject.map((name) => ({ kind: 'exchange' as const, subject: name })) },
  { weight: 2, arbitrary: subject.map((name) => ({ kind: 'hold' as const, subject: name })) },
  { weight: 2, arbitrary: subject.map((name) => ({ kind: 'release' as const, subject: name })) },
)
const steps = fc.array(step, { maxLength: 80 })
const limits: fc.Arbitrary<DelegationLimits> = fc.record({
  subjectsAtOnce: fc.integer({ min: 1, max: 4 }),
  exchangesPerSubjectPerMinute: fc.integer({ min: 1, max: 4 }),
})

const keyOf = (sub: string) => subjectKey({ iss: 'https://auth.example', sub })

/** The same, counted anew each time from all that ever happened. */
class NaiveModel {
  now = 0
  readonly exchanges: { readonly subject: string; readonly at: number }[] = []
  readonly holders: string[] = []

  recent(subject?: string, at = this.now) {
    return this.exchanges.filter(
      (each) => at - each.at < MINUTE && (subject === undefined || each.subject === subject),
    )
  }

  known(at = this.now): ReadonlySet<string> {
    return new Set([...this.holders, ...this.recent(undefined, at).map((each) => each.subject)])
  }

  admits(subject: string, { subjectsAtOnce }: DelegationLimits, at = this.now): boolean {
    const known = this.known(at)
    return known.has(subject) || known.size < subjectsAtOnce
  }

  /** The first whole second after which it would be otherwise; a minute where no second brings that. */
  secondsUntil(passes: (at: number) => boolean): number {
    for (let second = 1; second < 60; second += 1) {
      if (passes(this.now + second * 1_000)) return second
    }
    return 60
  }

  refusal(subject: string, limits: DelegationLimits): DelegationExceeded | undefined {
    if (this.admits(subject, limits)) return undefined
    const retryAfterSeconds = this.secondsUntil((at) => this.admits(subject, limits, at))
    return { code: 'subjects_exhausted', retryAfterSeconds }
  }

  spend(subject: string, limits: DelegationLimits): DelegationExceeded | undefined {
    const refused = this.refusal(subject, limits)
    if (refused) return refused
    const most = limits.exchangesPerSubjectPerMinute
    if (this.recent(subject).length >= most) {
      const seconds = this.secondsUntil((at) => this.recent(subject, at).length < most)
      return { code: 'subject_exchanges_exhausted', retryAfterSeconds: seconds }
    }
    this.exchanges.push({ subject, at: this.now })
    return undefined
  }
}

test('subjects at once, and exchanges for each, are those of a naive count', () => {
  fc.assert(
    fc.property(steps, limits, (steps, limits) => {
      const clock = new FakeClock()
      const budget = new DelegationBudget(clock)
      const model = new NaiveModel()
      const releases: { readonly subject: string; readonly release: () => void }[] = []
      for (const each of steps) {
        if (each.kind === 'pause') {
          clock.advance(each.ms)
          model.now += each.ms
          continue
        }
        const key = keyOf(each.subject)
        if (each.kind === 'exchange') {
          const spent = budget.spend(key, limits, () => undefined)
          expect(spent).toEqual(model.spend(each.subject, limits))
        } else if (each.kind === 'hold') {
          const refused = budget.refuses(key, limits)
          expect(refused).toEqual(model.refusal(each.subject, limits))
          if (refused) continue
          releases.push({ subject: each.subject, release: budget.hold(key) })
          model.holders.push(each.subject)
        } else {
          const at = releases.findIndex(({ subject }) => subject === each.subject)
          const [released] = at === -1 ? [] : releases.splice(at, 1)
          if (!released) continue
          // The second time is none: somebody else may hold it still.
          released.release()
          released.release()
          model.holders.splice(model.holders.indexOf(each.subject), 1)
        }
        budget.refuses(key, limits)
        expect(budget.subjects).toBe(model.known().size)
        expect(budget.subjects).toBeLessThanOrEqual(limits.subjectsAtOnce)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('no minute, wherever it begins, sees more than the limits', () => {
  const finePause = fc.integer({ min: 0, max: 80_000 }).map((quarters) => quarters / 4)
  const asks = fc.array(fc.record({ pause: finePause, subject }), { maxLength: 60 })
  fc.assert(
    fc.property(asks, limits, (asks, limits) => {
      const clock = new FakeClock()
      const budget = new DelegationBudget(clock)
      const passed: { readonly at: number; readonly subject: string }[] = []
      for (const { pause, subject } of asks) {
        clock.advance(pause)
        const at = clock.monotonic()
        if (!budget.spend(keyOf(subject), limits, () => undefined)) passed.push({ at, subject })
        const window = passed.filter((other) => at - other.at < MINUTE)
        const counts = Map.groupBy(window, (each) => each.subject)
        expect(counts.size).toBeLessThanOrEqual(limits.subjectsAtOnce)
        for (const some of counts.values()) {
          expect(some.length).toBeLessThanOrEqual(limits.exchangesPerSubjectPerMinute)
        }
      }
    }),
    { numRuns: 500 },
  )
})
