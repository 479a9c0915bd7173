import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePattern, matchesPattern } from '../../src/platform/pattern.ts'

const matches = (pattern: string, text: string) => matchesPattern(compilePattern(pattern), text)

describe('a pattern without a star matches itself alone', () => {
  test.each([
    ['doc', 'doc', true],
    ['doc', 'docs', false],
    ['doc', 'adoc', false],
    ['doc', 'Doc', false],
    ['doc', '', false],
    ['', '', true],
    ['', 'a', false],
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
    ['[a-z]', 'a', false],
    ['doc', 'doc\n', false],
  ])('%o and %o: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })
})

describe('a star stands for any text, and nothing else is special', () => {
  test.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['**', '', true],
    ['doc-*', 'doc-', true],
    ['doc-*', 'doc-analyst', true],
    ['doc-*', 'doc', false],
    ['doc-*', 'my-doc-analyst', false],
    ['*-analyst', 'doc-analyst', true],
    ['*-analyst', 'doc-analyst-0', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a*b*c', 'ac', false],
    ['ab*ba', 'aba', false],
    ['ab*ba', 'abba', true],
    ['a*a', 'a', false],
    ['a*aa*a', 'aaa', false],
    ['a*aa*a', 'aaaa', true],
    ['a***b', 'ab', true],
    ['*.x', 'axx', false],
    ['a*b', 'a\nb', true],
    ['*a*', 'bcd', false],
    ['*needle*', 'hay-needle-hay', true],
  ])('%o and %o: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })
})

/** What a star means, said as plainly as can be, however long it takes. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) {
    return naive(pattern.slice(1), text) || (text !== '' && naive(pattern, text.slice(1)))
  }
  return text !== '' && text[0] === pattern[0] && naive(pattern.slice(1), text.slice(1))
}

test('says what the plain meaning says', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 })
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      expect(matches(pattern, text)).toBe(naive(pattern, text))
    }),
    { numRuns: 10_000 },
  )
})

test('every text made by filling the stars matches', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 4 })
  const filled = fc.array(fc.tuple(piece, piece), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(filled, (pairs) => {
      const pattern = pairs.map(([literal]) => literal).join('*')
      const [first = '', ...rest] = pairs.map(([literal]) => literal)
      const text = first + rest.map((literal, at) => (pairs[at]?.[1] ?? '') + literal).join('')
      expect(matches(pattern, text)).toBe(true)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  ['many stars', 'a*'.repeat(8_000) + 'b'],
  ['many stars and nothing between', '*'.repeat(16_384) + 'b'],
  ['many pieces that nearly fit', '*' + 'aab*'.repeat(4_000)],
])('16 KB of text and %s come to an end', (_, pattern) => {
  expect(matches(pattern, 'a'.repeat(16_384))).toBe(false)
})
