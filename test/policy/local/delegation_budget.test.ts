import { describe, expect, test } from 'vitest'
import { DelegationBudget } from '../../../src/policy/local/delegation_budget.ts'
import { MAX_SUBJECTS_AT_ONCE } from '../../../src/config/bounds.ts'
import { subjectKey } from '../../../src/policy/local/subject_key.ts'
import { FakeClock } from '../../fakes/clock.ts'

const keyOf = (sub: string) => subjectKey({ iss: 'https://auth.example', sub })
const limits = { subjectsAtOnce: 2, exchangesPerSubjectPerMinute: 2 }
const nothing = () => undefined

function begun() {
  const clock = new FakeClock()
  const budget = new DelegationBudget(clock)
  return {
    clock,
    budget,
    spend: (sub: string, changes: Partial<typeof limits> = {}) => {
      const exceeded = budget.spend(keyOf(sub), { ...limits, ...changes }, nothing)
      return exceeded ? `${exceeded.code} ${String(exceeded.retryAfterSeconds)}` : 'ok'
    },
  }
}

describe('a subject is told by its issuer and sub', () => {
  test.each([
    ['another sub', { iss: 'a', sub: 'c' }, false],
    ['another issuer', { iss: 'c', sub: 'b","c' }, false],
    ['the same letters, cut elsewhere', { iss: 'a","b', sub: 'c' }, false],
    ['none', { iss: 'a', sub: undefined }, false],
    ['the same', { iss: 'a', sub: 'b","c' }, true],
  ])('%s', (_, other, isSame) => {
    expect(subjectKey(other) === subjectKey({ iss: 'a', sub: 'b","c' })).toBe(isSame)
  })

  test('in 16 characters, however long they are, none of which is readable', () => {
    expect(subjectKey({ iss: 'a', sub: 'user_a'.repeat(10_000) })).toMatch(/^[\w-]{16}$/)
  })
})

test('another subject passes when the one of the longest ago is a minute old', () => {
  const { clock, spend } = begun()
  expect(spend('a')).toBe('ok')
  clock.advance(10_000)
  expect(spend('b')).toBe('ok')
  expect(spend('c')).toBe('subjects_exhausted 50')
  // Used again, it is the other that goes first.
  expect(spend('a')).toBe('ok')
  expect(spend('c')).toBe('subjects_exhausted 60')
  clock.advance(60_000)
  expect(spend('c')).toBe('ok')
})

test('letting go of a subject makes no room for the minute after its last exchange', () => {
  const { clock, budget, spend } = begun()
  for (const sub of ['a', 'b']) {
    const release = budget.hold(keyOf(sub))
    expect(spend(sub)).toBe('ok')
    release()
  }
  clock.advance(59_999)
  expect(spend('c')).toBe('subjects_exhausted 1')
  clock.advance(1)
  expect(spend('c')).toBe('ok')
})

test('what is held is known for as long as it is, by whoever was first or last', () => {
  const { clock, budget, spend } = begun()
  const [one, two] = [budget.hold(keyOf('a')), budget.hold(keyOf('a'))]
  const other = budget.hold(keyOf('b'))
  clock.advance(3_600_000)
  expect(spend('c')).toBe('subjects_exhausted 60')
  one()
  one()
  expect(spend('c')).toBe('subjects_exhausted 60')
  two()
  expect(spend('c')).toBe('ok')
  other()
  expect(budget.subjects).toBe(1)
})

test('what is refused elsewhere takes nothing here, and what is refused here nothing elsewhere', () => {
  const { budget } = begun()
  let paid = 0
  const rest = () => {
    paid += 1
    return paid > 2 ? ({ code: 'exchanges_exhausted', retryAfterSeconds: 7 } as const) : undefined
  }
  const codes = ['a', 'a', 'a', 'b', 'b', 'b'].map(
    (sub) => budget.spend(keyOf(sub), limits, rest)?.code,
  )
  expect(codes).toEqual([
    undefined,
    undefined,
    'subject_exchanges_exhausted',
    ...Array.from({ length: 3 }, () => 'exchanges_exhausted'),
  ])
  expect([paid, budget.subjects]).toEqual([5, 1])
})

test('a lower limit comes to hold, whatever is in use; what is held stays', () => {
  const { budget, spend } = begun()
  const many = { subjectsAtOnce: 4 }
  budget.hold(keyOf('a'))
  for (const sub of ['a', 'b', 'c', 'd']) expect(spend(sub, many)).toBe('ok')
  expect(['a', 'b', 'c', 'd'].map((sub) => spend(sub))).toEqual([
    'ok',
    'subjects_exhausted 60',
    'subjects_exhausted 60',
    'ok',
  ])
})

test('a lower limit than are held forgets no exchange of theirs', () => {
  const { budget, spend } = begun()
  for (const sub of ['a', 'b', 'c']) budget.hold(keyOf(sub))
  expect(['a', 'a', 'a', 'b', 'a'].map((sub) => spend(sub))).toEqual([
    'ok',
    'ok',
    'subject_exchanges_exhausted 60',
    'ok',
    'subject_exchanges_exhausted 60',
  ])
})

test('no more subjects are known than can be, whatever the limit, and none after a minute', () => {
  const { clock, spend, budget } = begun()
  const all = { subjectsAtOnce: Infinity }
  for (let index = 0; index < MAX_SUBJECTS_AT_ONCE; index += 1) spend(String(index), all)
  expect(spend('one more', all)).toBe('subjects_exhausted 60')
  expect(budget.subjects).toBe(MAX_SUBJECTS_AT_ONCE)
  clock.advance(60_000)
  expect(spend('one more', all)).toBe('ok')
  expect(budget.subjects).toBe(1)
})
