import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { localRuleOf, type LocalDenialCode } from '../../../src/policy/local/rule.ts'
import type { AllowEntry } from '../../../src/policy/local/schema.ts'

const A = 'https://a.example'
const B = 'https://b.example'
const audience: LocalDenialCode = 'audience_not_allowed'
const scope: LocalDenialCode = 'scope_not_allowed'

const pairs: readonly AllowEntry[] = [
  { scopes: ['agent:self'] },
  { audience: A, scopes: ['read', 'list'] },
  { audience: A, scopes: ['find'] },
  { audience: B, scopes: ['write', 'list'] },
  { audience: 'quiet', scopes: [] },
  { audience: 'open' },
  { audience: 'https://me@a.example' },
  { audience: 'https://api.example/team/*', scopes: ['read'] },
  { audience: 'https://api.example/team/x', scopes: ['write'] },
  { audience: 'https://*.apps.example/**', scopes: ['read'] },
]

type Wanted = readonly [targets: readonly string[], scope: readonly string[] | undefined]

function ruleOf(allow: readonly AllowEntry[] | undefined) {
  return localRuleOf({ name: 'r', ...(allow && { allow: [...allow] }) })
}

function denial(
  allow: readonly AllowEntry[] | undefined,
  ...[targets, scope]: Wanted
): LocalDenialCode | undefined {
  return ruleOf(allow).denies({ targets, scope })
}

const cases: readonly (readonly [
  name: string,
  targets: readonly string[],
  scope: readonly string[] | undefined,
  denial: LocalDenialCode | undefined,
])[] = [
  ['no target, no scope', [], undefined, undefined],
  ['no target, its scope', [], ['agent:self'], undefined],
  ['no target, the scope of a target', [], ['read'], scope],
  ['a target, no scope', [A], undefined, undefined],
  ['a target, its scopes', [A], ['read', 'list'], undefined],
  ['a target, scopes of two of its pairs', [A], ['read', 'find'], undefined],
  ['a target, the scope of another', [A], ['write'], scope],
  ['a target, the scope without target', [A], ['agent:self'], scope],
  ['a target, one scope too many', [A], ['read', 'write'], scope],
  ['a target, an empty scope', [A], [], undefined],
  ['two targets, no scope', [A, B], undefined, undefined],
  ['two targets, what both have', [A, B], ['list'], undefined],
  ['two targets, read of the first', [A, B], ['read'], scope],
  ['two targets, write of the second', [A, B], ['write'], scope],
  ['two targets, read and write', [A, B], ['read', 'write'], scope],
  ['the same target twice', [A, A], ['read'], undefined],
  ['a target without scopes, none', ['quiet'], undefined, undefined],
  ['a target without scopes, one', ['quiet'], ['list'], scope],
  ['a target with any scope', ['open'], ['whatever'], undefined],
  ['any scope there, but not here', [A, 'open'], ['whatever'], scope],
  ['any scope there, and this one here', ['open', A], ['read'], undefined],
  ['an unknown target', ['https://c.example'], undefined, audience],
  ['an unknown target behind a known one', [A, 'https://c.example'], ['read'], audience],
  ['an unknown target before a known one', ['https://c.example', A], ['read'], audience],
  ['an unknown target and an unknown scope', ['https://c.example'], ['nothing'], audience],
  ['a slash more', [`${A}/`], undefined, audience],
  ['upper case', [A.toUpperCase()], undefined, audience],
  ['a longer one', [`${A}.attacker.test`], undefined, audience],
  ['an empty one', [''], undefined, audience],
  ['a scope in upper case', [A], ['READ'], scope],
  ['a scope that is a prefix', [A], ['rea'], scope],
  ['a star', ['https://api.example/team/y'], ['read'], undefined],
  ['a star, another scope', ['https://api.example/team/y'], ['write'], scope],
  ['a star and an exact pair', ['https://api.example/team/x'], ['read', 'write'], undefined],
  ['a star, one part more', ['https://api.example/team/y/z'], ['read'], audience],
  ['a star, nothing where the part is', ['https://api.example/team'], ['read'], audience],
  ['a host and a path', ['https://one.apps.example/a/b'], ['read'], undefined],
  ['a host of two parts', ['https://one.two.apps.example/a'], ['read'], undefined],
  ['another host', ['https://apps.attacker.test/'], ['read'], audience],
  ['another host and a query', ['https://attacker.test?.apps.example/'], ['read'], audience],
  ['another host and a fragment', ['https://attacker.test#.apps.example/'], ['read'], audience],
  ['another host and a backslash', ['https://attacker.test\\.apps.example/'], ['read'], audience],
  ['the name of a user', ['https://me@one.apps.example/'], ['read'], audience],
  ['the name of a user, as written', ['https://me@a.example'], ['read'], undefined],
  ['a query behind the path', ['https://one.apps.example/a?b@c#d'], ['read'], undefined],
]

describe('asking for', () => {
  test.each(cases)('%s', (_, targets, scope, expected) => {
    expect(denial(pairs, targets, scope)).toBe(expected)
  })

  test.each(cases)('%s, by what came', (_, targets, granted, expected) => {
    expect(ruleOf(pairs).deniesGranted({ targets }, granted ?? [])).toBe(expected)
  })
})

test('what comes for no scope is judged by what it is', () => {
  const rule = ruleOf(pairs)
  expect(rule.denies({ targets: [A], scope: undefined })).toBe(undefined)
  expect(rule.deniesGranted({ targets: [A] }, ['read', 'write'])).toBe(scope)
  expect(rule.deniesGranted({ targets: [A] }, ['read'])).toBe(undefined)
})

test.each([
  ['no list, whatever is asked', undefined, [A], ['read'], undefined],
  ['no list, no target', undefined, [], ['read'], undefined],
  ['an empty list', [], [A], undefined, audience],
  ['an empty list, no target', [], [], undefined, audience],
  ['a list of targets only, no target', [{ audience: A }], [], undefined, audience],
  ['a list of any target, no target', [{ audience: '**' }], [], undefined, audience],
  ['a list of any target', [{ audience: '**' }], ['urn:x:y'], ['any'], undefined],
  ['a list without targets, any scope', [{}], [], ['any'], undefined],
  ['a list without targets, a target', [{}], [A], undefined, audience],
] as const)('%s', (_, allow, targets, scope, expected) => {
  const written = allow?.map((entry: AllowEntry) => entry)
  expect(denial(written, targets, scope)).toBe(expected)
})

test('shows what was written', () => {
  const rule = localRuleOf({
    name: 'analyst',
    allow: [...pairs],
    exchangesPerMinute: 3,
    audiencesPerHour: 4,
  })
  expect(rule).toMatchObject({
    name: 'analyst',
    allow: pairs,
    exchangesPerMinute: 3,
    audiencesPerHour: 4,
  })
  expect(ruleOf(undefined)).toMatchObject({
    allow: undefined,
    exchangesPerMinute: undefined,
    delegation: {},
  })
})

test.each<[string, readonly string[], readonly string[] | undefined]>([
  ['no target', [], ['agent:self']],
  ['two pairs of a target', [A], ['read', 'list', 'find']],
  ['two targets', [A, B], ['list']],
  ['two targets, the other way round', [B, A], ['list']],
  ['two targets with nothing in common', [B, 'https://api.example/team/y'], []],
  ['a target without scopes', ['quiet'], []],
  ['a target with any', ['open'], undefined],
  ['a target with any, and one without', ['open', A], ['read', 'list', 'find']],
  ['a target that is not allowed', [A, 'https://c.example'], undefined],
])('the scopes at %s', (_name, targets, expected) => {
  expect(ruleOf(pairs).scopesAt(targets)).toEqual(expected)
})

test('no list bounds no scopes', () => {
  expect(ruleOf(undefined).scopesAt([A])).toBeUndefined()
})

const texts = fc.constantFrom('t', 'u', 'u/1', 'u/2')
const values = fc.uniqueArray(fc.constantFrom('r', 's', 'w'))
const allows: fc.Arbitrary<readonly AllowEntry[]> = fc.array(
  fc.record(
    { audience: fc.constantFrom('t', 'u', 'u/*', 'u/1', '*', '**'), scopes: values },
    { requiredKeys: [] },
  ),
  { maxLength: 5 },
)
const targetLists = fc.array(texts, { maxLength: 3 })

test('what is denied stays denied when more is asked for, or less allowed', () => {
  fc.assert(
    fc.property(
      allows,
      allows,
      fc.array(texts, { minLength: 1, maxLength: 3 }),
      targetLists,
      values,
      values,
      (allow, more, targets, otherTargets, scope, otherScope) => {
        const widest = denial([...allow, ...more], targets, scope)
        if (widest === undefined) return
        expect(denial(allow, targets, scope)).toBeDefined()
        expect(denial([...more, ...allow], targets, scope)).toBe(widest)
        expect(denial([...allow, ...more], [...targets, ...otherTargets], scope)).toBeDefined()
        expect(denial([...allow, ...more], targets, [...scope, ...otherScope])).toBeDefined()
      },
    ),
    { numRuns: 2_000 },
  )
})

test('several targets and scopes are allowed just where each pair of them is', () => {
  fc.assert(
    fc.property(allows, targetLists, values, (allow, targets, scope) => {
      const each = (targets.length === 0 ? [[]] : targets.map((target) => [target])).flatMap(
        (target) =>
          [undefined, ...scope.map((value) => [value])].map((one) => [target, one] as const),
      )
      const allowed = each.every(([target, one]) => denial(allow, target, one) === undefined)
      expect(denial(allow, targets, scope) === undefined).toBe(allowed)
    }),
    { numRuns: 2_000 },
  )
})

test('the scopes at some targets are all that is allowed there', () => {
  fc.assert(
    fc.property(allows, targetLists, (allow, targets) => {
      const scopes = ruleOf(allow).scopesAt(targets)
      const isAllowed = (one: string) => denial(allow, targets, [one]) === undefined
      const expected = ['r', 's', 'w', 'other'].filter(isAllowed)
      // Undefined where any is allowed, or the targets are not.
      if (scopes) expect(scopes.toSorted()).toEqual(expected)
      else expect([0, 4]).toContain(expected.length)
    }),
    { numRuns: 2_000 },
  )
})
