import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeForm, decodeFormText } from '../../src/oauth/form.ts'

type Pairs = readonly (readonly [name: string, value: string])[]

const count = (many: number) => Array.from({ length: many }, (_, index) => `n${String(index)}=v`)
const counted = (many: number): Pairs =>
  Array.from({ length: many }, (_, index) => [`n${String(index)}`, 'v'] as const)

const cases: readonly (readonly [name: string, text: string, pairs: Pairs | undefined])[] = [
  ['nothing', '', []],
  ['one pair', 'a=b', [['a', 'b']]],
  [
    'two pairs',
    'a=b&c=d',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'a name twice',
    'a=1&a=2',
    [
      ['a', '1'],
      ['a', '2'],
    ],
  ],
  ['no value', 'a=', [['a', '']]],
  ['no sign of equality', 'a', [['a', '']]],
  ['no name', '=b', [['', 'b']]],
  ['an equality in a value', 'a=b=c==', [['a', 'b=c==']]],
  [
    'empty pieces',
    '&&a=b&&c=d&',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['a semicolon, which separates nothing', 'a=b;c=d', [['a', 'b;c=d']]],
  ['plus signs', 'a+b=c+d', [['a b', 'c d']]],
  ['an escaped plus sign', 'a=%2B', [['a', '+']]],
  ['escapes', '%61=%3D%26%25', [['a', '=&%']]],
  ['escapes in lower case', 'a=%c3%a4', [['a', 'ä']]],
  ['four bytes', 'a=%F0%9F%98%80', [['a', '😀']]],
  ['plain UTF-8', 'a=ä', [['a', 'ä']]],
  ['an escaped NUL', 'a=%00', [['a', '\0']]],
  ['an escaped BOM', 'a=%EF%BB%BF', [['a', '\uFEFF']]],
  ['a lone percent sign', 'a=%', undefined],
  ['a percent sign and one digit', 'a=%4', undefined],
  ['a percent sign and no digits', 'a=100%zz', undefined],
  ['a lone percent sign in a name', '%=a', undefined],
  ['an escape of an old browser', 'a=%u0061', undefined],
  ['half a letter', 'a=%C3', undefined],
  ['a byte that begins nothing', 'a=%FF', undefined],
  ['a letter in too many bytes', 'a=%C0%AF', undefined],
  ['half of a pair of surrogates', 'a=%ED%A0%80', undefined],
  ['a letter beyond Unicode', 'a=%F4%90%80%80', undefined],
  ['one bad pair among good ones', 'a=b&c=%&d=e', undefined],
  ['64 pairs', count(64).join('&'), counted(64)],
  ['65 pairs', count(65).join('&'), undefined],
  ['32 pairs and as many empty pieces', `${count(32).join('&&')}&`, counted(32)],
  // Never read in part: what stands behind the last piece that counts would be hidden.
  ['65 pieces, of which one is a pair', `a=b${'&'.repeat(64)}`, undefined],
  ['a pair behind a hundred empty pieces', `a=b${'&'.repeat(100)}c=d`, undefined],
  ['64 pairs among empty pieces', count(64).join('&&'), undefined],
]

describe('a form of', () => {
  test.each(cases)('%s', (_, text, pairs) => {
    expect(decodeForm(text)).toEqual(pairs)
  })

  test('no pair is lost: all of them are read, or none', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
    const gap = fc.constantFrom('&', '&&', '&'.repeat(20))
    const form = fc.array(fc.tuple(name, fc.string({ unit: 'grapheme' }), gap), { maxLength: 10 })
    fc.assert(
      fc.property(form, (written) => {
        const text = written
          .map(
            ([key, value, gap]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}${gap}`,
          )
          .join('')
        const pairs = written.map(([key, value]) => [key, value])
        expect(decodeForm(text)).toEqual(text.split('&').length > 64 ? undefined : pairs)
      }),
      { numRuns: 500 },
    )
  })

  test('what URLSearchParams writes is read back', () => {
    const pairs = fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string()), { maxLength: 20 })
    fc.assert(
      fc.property(pairs, (pairs) => {
        expect(decodeForm(new URLSearchParams(pairs).toString())).toEqual(pairs)
      }),
      { numRuns: 1_000 },
    )
  })

  test('any text at all is read or refused', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '=', '&', '%', '+', '4', 'C', '3', 'ä', '\0'),
    })
    fc.assert(
      fc.property(text, (text) => {
        const pairs = decodeForm(text)
        if (pairs === undefined) expect(text).toContain('%')
        else expect(pairs.length).toBe(text.split('&').filter((piece) => piece !== '').length)
      }),
      { numRuns: 2_000 },
    )
  })
})

test.each([
  ['a+b', 'a b'],
  ['a%20b', 'a b'],
  ['a%2Bb', 'a+b'],
  ['', ''],
])('the text %o means %o', (text, meaning) => {
  expect(decodeFormText(text)).toBe(meaning)
})

test('a text that is not well-formed throws', () => {
  expect(() => decodeFormText('%')).toThrow(URIError)
})
