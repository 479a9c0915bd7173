import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Ceiling, type Allowed, type Excess, type GrantPair } from '../../src/policy/ceiling.ts'

const A = 'https://a.example'
const B = 'https://b.example'

const pairs: readonly GrantPair[] = [
  { scopes: ['agent:self', 'profile'] },
  { target: A, scopes: ['read', 'list'] },
  { target: B, scopes: ['write', 'list'] },
  { target: 'quiet', scopes: [] },
]

function ask(
  targets: readonly string[],
  scope?: readonly string[],
  maxTargets = 5,
): Allowed | Excess {
  return Ceiling.of(pairs, maxTargets).allow({ targets, scope })
}

const cases: readonly (readonly [
  name: string,
  targets: readonly string[],
  scope: readonly string[] | undefined,
  outcome: readonly string[] | Excess,
])[] = [
  ['no target and no scope', [], undefined, ['agent:self', 'profile']],
  ['no target and one of its scopes', [], ['profile'], ['profile']],
  ['no target and a scope of a target', [], ['read'], 'scope_not_allowed'],
  ['a target and no scope', [A], undefined, ['read', 'list']],
  ['a target and its scope', [A], ['read'], ['read']],
  ['a target and its scopes in another order', [A], ['list', 'read'], ['list', 'read']],
  ['a target and a scope of the other', [A], ['write'], 'scope_not_allowed'],
  ['a target and a scope without target', [A], ['agent:self'], 'scope_not_allowed'],
  ['a target and one scope too many', [A], ['read', 'write'], 'scope_not_allowed'],
  ['both targets and no scope', [A, B], undefined, ['list']],
  ['both targets and what both allow', [A, B], ['list'], ['list']],
  ['both targets and read', [A, B], ['read'], 'scope_not_allowed'],
  ['both targets and write', [A, B], ['write'], 'scope_not_allowed'],
  ['both targets, read and write', [A, B], ['read', 'write'], 'scope_not_allowed'],
  ['both targets, all scopes', [A, B], ['read', 'list', 'write'], 'scope_not_allowed'],
  ['a target without scopes', ['quiet'], undefined, []],
  ['a target without scopes and one', ['quiet'], ['list'], 'scope_not_allowed'],
  ['a target without scopes beside another', [A, 'quiet'], undefined, []],
  ['an unknown target', ['https://c.example'], undefined, 'target_not_allowed'],
  [
    'an unknown target beside a known one',
    [A, 'https://c.example'],
    undefined,
    'target_not_allowed',
  ],
  [
    'a known target behind an unknown one',
    ['https://c.example', A],
    undefined,
    'target_not_allowed',
  ],
  ['a target with a slash more', [`${A}/`], undefined, 'target_not_allowed'],
  ['a target in upper case', [A.toUpperCase()], undefined, 'target_not_allowed'],
  ['the name of every object', ['__proto__'], undefined, 'target_not_allowed'],
  ['a scope in upper case', [A], ['READ'], 'scope_not_allowed'],
  ['a scope that is a prefix', [A], ['rea'], 'scope_not_allowed'],
]

describe('asking for', () => {
  test.each(cases)('%s', (_, targets, scope, outcome) => {
    const expected = typeof outcome === 'string' ? outcome : { targets, scope: outcome }
    expect(ask(targets, scope)).toEqual(expected)
  })

  test.each([
    [1, 1, { targets: ['t0'], scope: ['s'] }],
    [1, 2, 'targets_too_many'],
    [2, 2, { targets: ['t0', 't1'], scope: ['s'] }],
    [5, 6, 'targets_too_many'],
  ])('at most %i targets where there are %i', (most, count, outcome) => {
    const targets = Array.from({ length: count }, (_, index) => `t${String(index)}`)
    const grants = targets.map((target) => ({ target, scopes: ['s'] }))
    expect(Ceiling.of(grants, most).allow({ targets, scope: ['s'] })).toEqual(outcome)
  })

  test('too many targets is said before what they are', () => {
    expect(ask(['x', 'y'], ['z'], 1)).toBe('targets_too_many')
  })
})

describe('a ceiling without a pair', () => {
  test('allows an empty token without a target, and nothing more', () => {
    const nothing = Ceiling.of([], 5)
    expect(nothing.allow({ targets: [], scope: undefined })).toEqual({ targets: [], scope: [] })
    expect(nothing.allow({ targets: [], scope: ['read'] })).toBe('scope_not_allowed')
    expect(nothing.allow({ targets: [A], scope: undefined })).toBe('target_not_allowed')
  })

  test('shows the pair without target that always exists', () => {
    const ceiling = Ceiling.of([], 1)
    expect(ceiling.allow({ targets: [], scope: undefined })).toEqual({ targets: [], scope: [] })
    expect(ceiling.allow({ targets: [A], scope: undefined })).toBe('target_not_allowed')
  })
})

test('two pairs of one target are one', () => {
  const ceiling = Ceiling.of(
    [
      { target: A, scopes: ['read', 'list'] },
      { target: A, scopes: ['write', 'read'] },
    ],
    1,
  )
  expect(ceiling.allow({ targets: [], scope: undefined })).toEqual({ targets: [], scope: [] })
  expect(ceiling.allow({ targets: [A], scope: undefined })).toEqual({
    targets: [A],
    scope: ['read', 'list', 'write'],
  })
  expect(ceiling.allow({ targets: [A], scope: ['read', 'write'] })).toEqual({
    targets: [A],
    scope: ['read', 'write'],
  })
})

test('pairs that change later change nothing', () => {
  const scopes = ['read']
  const ceiling = Ceiling.of([{ target: A, scopes }], 1)
  scopes.push('write')
  expect(ceiling.allow({ targets: [A], scope: ['write'] })).toBe('scope_not_allowed')
})

const anyScopes = fc.uniqueArray(fc.constantFrom('r', 'w', 'x', 'y'))
const anyTarget = fc.constantFrom(A, B, 'c')
const anyPairs = fc.array(
  fc.record({ target: fc.option(anyTarget, { nil: undefined }), scopes: anyScopes }),
  { maxLength: 6 },
)
const anyWish = fc.record({
  targets: fc.uniqueArray(anyTarget),
  scope: fc.option(anyScopes, { nil: undefined }),
})

/** The scopes that the pairs give at one place; undefined where no pair names it. */
function given(pairs: readonly GrantPair[], target: string | undefined): string[] | undefined {
  const found = pairs.filter((pair) => pair.target === target)
  if (found.length === 0) return target === undefined ? [] : undefined
  return found.flatMap(({ scopes }) => scopes)
}

test('what is allowed is within every target, and what is refused is beyond one', () => {
  fc.assert(
    fc.property(anyPairs, anyWish, fc.integer({ min: 1, max: 5 }), (pairs, wish, most) => {
      const outcome = Ceiling.of(pairs, most).allow(wish)
      const places = wish.targets.length === 0 ? [undefined] : wish.targets
      const perPlace = places.map((target) => given(pairs, target))
      const everywhere = (scope: string) => perPlace.every((scopes) => scopes?.includes(scope))
      if (wish.targets.length > most) expect(outcome).toBe('targets_too_many')
      else if (perPlace.includes(undefined)) expect(outcome).toBe('target_not_allowed')
      else if (wish.scope && !wish.scope.every(everywhere))
        expect(outcome).toBe('scope_not_allowed')
      else {
        const { targets, scope } = outcome as Allowed
        expect(targets).toEqual(wish.targets)
        expect(scope.toSorted()).toEqual(
          (wish.scope ?? ['r', 'w', 'x', 'y'].filter(everywhere)).toSorted(),
        )
      }
    }),
    { numRuns: 5_000 },
  )
})

test('another target never widens what is allowed', () => {
  fc.assert(
    fc.property(anyPairs, anyWish, anyTarget, (pairs, wish, more) => {
      fc.pre(wish.targets.length > 0 && !wish.targets.includes(more))
      const ceiling = Ceiling.of(pairs, 5)
      const wide = ceiling.allow({ ...wish, targets: [...wish.targets, more] })
      const narrow = ceiling.allow(wish)
      if (typeof wide === 'string') return
      expect(narrow).toMatchObject({ targets: wish.targets })
      const within = typeof narrow === 'string' ? [] : narrow.scope
      expect(wide.scope.filter((scope) => !within.includes(scope))).toEqual([])
    }),
    { numRuns: 2_000 },
  )
})
