import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compilePathPattern,
  compilePattern,
  intersects,
  matchesPattern,
  pathPatternFault,
  type Pattern,
} from '../../src/platform/pattern.ts'

const cases: readonly (readonly [pattern: string, text: string, expected: boolean])[] = [
  ['repo:a/b', 'repo:a/b', true],
  ['repo:a/b', 'repo:a/b:c', false],
  ['repo:a/*', 'repo:a/b', true],
  ['repo:a/*', 'repo:a/', true],
  ['repo:a/*', 'repo:a', false],
  ['repo:a/*', 'repo:a/b/c', false],
  ['repo:a/*', 'repo:a/b:c', false],
  ['repo:a/*:c', 'repo:a/b:c', true],
  ['repo:a/*:c', 'repo:a/b:d:c', false],
  ['repo:a/*:c', 'repo:a-evil/b:c', false],
  ['*', 'a', true],
  ['*', '', true],
  ['*', 'a/b', false],
  ['*:*', 'a:b', true],
  ['*:*', 'a:b:c', false],
  ['*/*', 'a:b', false],
  ['**', '', true],
  ['**', 'a/b:c', true],
  ['a**', 'a', true],
  ['a**', 'ab/c', true],
  ['a**', 'b', false],
  ['a/**', 'a', false],
  ['a/**', 'a/', true],
  ['a/**', 'a/b/c:d', true],
  ['a/**', 'a-evil/b', false],
  ['*/**', 'a/b/c', true],
  ['*/**', 'a:b/c', false],
  ['a*c', 'abc', true],
  ['a*c', 'a/c', false],
  ['a.c', 'abc', false],
  ['a*b*c', 'axbxc', true],
  ['a*b*c', 'ac', false],
  ['A', 'a', false],
]

describe('a star of a path stays between separators, two at the end do not', () => {
  test.each(cases)('%o and %o: %s', (pattern, text, expected) => {
    expect(matchesPattern(compilePathPattern(pattern), text)).toBe(expected)
  })
})

const END = '** may stand at the very end only'
const ALONE = 'the part that ends in ** must have no other star'

describe('the stars of a path pattern', () => {
  test.each([
    ['', undefined],
    ['a', undefined],
    ['*', undefined],
    ['**', undefined],
    ['a*b', undefined],
    ['a/**', undefined],
    ['a**', undefined],
    ['*/b:**', undefined],
    ['**a', END],
    ['a/**/b', END],
    ['a**/**', END],
    ['***', ALONE],
    ['****', END],
    ['a*b**', ALONE],
    ['a/*b**', ALONE],
    ['*/'.repeat(8), undefined],
    ['*/'.repeat(9), 'more than 8 stars'],
  ])('%o: %s', (pattern, fault) => {
    expect(pathPatternFault(pattern)).toBe(fault)
  })
})

/** What the stars mean, said as plainly as can be, however long it takes. */
function naive(kind: Pattern['kind'], pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (kind === 'path' && pattern === '**') return true
  const [sign, rest] = [pattern.slice(0, 1), pattern.slice(1)]
  if (sign !== '*') return text.startsWith(sign) && naive(kind, rest, text.slice(1))
  const crosses = kind === 'plain' || !/^[/:]/.test(text)
  return naive(kind, rest, text) || (text !== '' && crosses && naive(kind, pattern, text.slice(1)))
}

const patternOf = (maxLength: number) =>
  fc
    .string({ unit: fc.constantFrom('a', 'b', '/', ':', '*'), maxLength })
    .filter((source) => pathPatternFault(source) === undefined)

test('a path pattern says what the plain meaning says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', ':'), maxLength: 9 })
  fc.assert(
    fc.property(patternOf(8), text, (pattern, text) => {
      expect(matchesPattern(compilePathPattern(pattern), text)).toBe(naive('path', pattern, text))
    }),
    { numRuns: 10_000 },
  )
})

const meetings: readonly (readonly [one: string, two: string, expected: boolean])[] = [
  ['a', 'a', true],
  ['a', 'b', false],
  ['a*', 'ab', true],
  ['a*', 'a/b', false],
  ['a*', '*b', true],
  ['a*c', '*d', false],
  ['a/*', 'a/b*', true],
  ['a/*', '*/b', true],
  ['a/*', 'a:*', false],
  ['a/*', 'a/*/c', false],
  ['a/**', 'a/*/c', true],
  ['a/**', 'b/**', false],
  ['a/**', '**', true],
  ['a*b**', 'ac**', true],
  ['*:*', '*/*', false],
]

describe('two path patterns meet', () => {
  test.each(meetings)('%o and %o: %s', (one, two, expected) => {
    const [left, right] = [compilePathPattern(one), compilePathPattern(two)]
    expect(intersects(left, right)).toBe(expected)
    expect(intersects(right, left)).toBe(expected)
  })
})

/** Every text of up to five of these signs: as long as the signs of two patterns together. */
const texts = ['']
for (let length = 0; length < 5; length++) {
  const longest = texts.filter((text) => text.length === length)
  texts.push(...longest.flatMap((text) => ['a', 'b', '/'].map((sign) => text + sign)))
}

test('patterns of either kind meet where some text is of both, and nowhere else', () => {
  const kind = fc.constantFrom<Pattern['kind']>('plain', 'path')
  const source = fc
    .string({ unit: fc.constantFrom('a', 'b', '/', '*', '*'), maxLength: 3 })
    .filter((text) => pathPatternFault(text) === undefined && !text.startsWith('/'))
  const compile = { plain: compilePattern, path: compilePathPattern }
  fc.assert(
    fc.property(kind, source, kind, source, (kindOne, one, kindTwo, two) => {
      const signs = (one + two).replaceAll('*', '').length
      fc.pre(signs <= 5)
      const common = texts.some((text) => naive(kindOne, one, text) && naive(kindTwo, two, text))
      expect(intersects(compile[kindOne](one), compile[kindTwo](two))).toBe(common)
    }),
    { numRuns: 4_000 },
  )
})

test.each([
  ['many stars', 'a*'.repeat(8_000) + 'b'],
  ['many parts', '*/'.repeat(8_000) + 'b'],
  ['many stars before an open end', `${'a*'.repeat(8_000)}/**`],
])('16 KB of text and %s come to an end', (_, pattern) => {
  expect(matchesPattern(compilePathPattern(pattern), 'a'.repeat(16_384))).toBe(false)
})

test('two long patterns come to an end', () => {
  const [one, two] = ['a*'.repeat(128), '*b'.repeat(128)]
  expect(intersects(compilePathPattern(`${one}c`), compilePathPattern(`${two}d`))).toBe(false)
})
