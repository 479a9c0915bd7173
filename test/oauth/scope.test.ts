import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitsScope, isScopeToken, parseScope, showScope } from '../../src/oauth/scope.ts'

const many = (count: number) => Array.from({ length: count }, (_, index) => `s${String(index)}`)

const cases: readonly (readonly [
  name: string,
  text: string,
  scope: readonly string[] | undefined,
])[] = [
  ['one value', 'read', ['read']],
  ['two values', 'read write', ['read', 'write']],
  ['in another order', 'write read', ['write', 'read']],
  ['a value twice', 'read write read', ['read', 'write']],
  ['values that differ in case', 'read Read', ['read', 'Read']],
  [
    'colons and slashes',
    'agent:self https://a.example/read',
    ['agent:self', 'https://a.example/read'],
  ],
  ['the first and last signs that may be', '! ~ # [ ]', ['!', '~', '#', '[', ']']],
  ['nothing', '', undefined],
  ['a space', ' ', undefined],
  ['a space before', ' read', undefined],
  ['a space behind', 'read ', undefined],
  ['two spaces between', 'read  write', undefined],
  ['a tab between', 'read\twrite', undefined],
  ['a line end behind', 'read\n', undefined],
  ['a quote', 'read"', undefined],
  ['a backslash', String.raw`read\write`, undefined],
  ['NUL', 'read\0', undefined],
  ['DEL', 'read\u007f', undefined],
  ['a letter beyond ASCII', 'größe', undefined],
  ['a space beyond ASCII', 'read\u00a0write', undefined],
  ['a hundred values', many(100).join(' '), many(100)],
  ['a hundred and one', many(101).join(' '), undefined],
  ['a hundred, some twice', [...many(100), 's0'].join(' '), many(100)],
  ['4096 letters', 'x'.repeat(4_096), ['x'.repeat(4_096)]],
  ['4097 letters', 'x'.repeat(4_097), undefined],
]

describe('a scope parameter (RFC 6749 section 3.3) of', () => {
  test.each(cases)('%s', (_, text, scope) => {
    expect(parseScope(text)).toEqual(scope)
  })
})

test.each([
  ['read', true],
  ['agent:self', true],
  ['read write', false],
  ['', false],
  [' ', false],
  ['a"b', false],
  ['a\n', false],
])('%o is a single scope value: %s', (text, expected) => {
  expect(isScopeToken(text)).toBe(expected)
})

const fitting: readonly (readonly [name: string, values: readonly string[], fits: boolean])[] = [
  ['none', [], true],
  ['a hundred', many(100), true],
  ['a hundred and one', many(101), false],
  ['a hundred, some twice', [...many(100), ...many(10)], true],
  ['4096 letters with the space', ['x'.repeat(2_000), 'y'.repeat(2_095)], true],
  ['4097 letters with the space', ['x'.repeat(2_000), 'y'.repeat(2_096)], false],
  ['4096 letters, twice', ['x'.repeat(4_096), 'x'.repeat(4_096)], true],
]

test.each(fitting)('values that can be asked for at once: %s', (_, values, fits) => {
  expect(fitsScope(values)).toBe(fits)
})

test('what is shown is parsed to the same', () => {
  const values = fc.uniqueArray(fc.stringMatching(/^[\x21\x23-\x5b\x5d-\x7e]{1,20}$/), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(values, (scope) => {
      expect(parseScope(showScope(scope))).toEqual(scope)
    }),
    { numRuns: 1_000 },
  )
})

test('every value of a scope that was parsed is a single one', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '"', '\t', 'ä') }), (text) => {
      const scope = parseScope(text) ?? []
      expect(scope.filter((value) => !isScopeToken(value))).toEqual([])
      expect(new Set(scope).size).toBe(scope.length)
    }),
    { numRuns: 2_000 },
  )
})
