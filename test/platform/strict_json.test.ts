import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isJsonObject, JsonFault, parseStrictJson } from '../../src/platform/strict_json.ts'

const repeats: readonly (readonly [name: string, text: string])[] = [
  ['twice in a row', '{"a":1,"a":2}'],
  ['twice with the same value', '{"a":1,"a":1}'],
  ['far apart', '{"a":1,"b":{"c":[1,2,{"d":3}]},"a":2}'],
  ['twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
  ['twice, escaped in two ways', String.raw`{"\/":1,"\u002F":2}`],
  ['twice, with an escaped quote', String.raw`{"a\"":1,"a\u0022":2}`],
  ['twice, with an escaped backslash', String.raw`{"\\":1,"\u005c":2}`],
  ['twice, as a pair of surrogates', String.raw`{"😀":1,"\ud83d\ude00":2}`],
  ['twice, and empty', '{"":1,"":2}'],
  ['twice, and a prototype', '{"__proto__":1,"__proto__":2}'],
  ['twice in an object within', '{"a":{"b":1,"b":2}}'],
  ['twice in an object of a list', '[1,[{"a":1,"a":2}]]'],
  ['twice behind a list', '{"a":[{"b":1}],"a":2}'],
  ['twice behind an empty object', '{"a":{},"a":{}}'],
  ['twice across lines', '{\n\t"a" : 1 ,\r\n "a" : 2\n}'],
  ['twice where the first value is its name', '{"a":"a","a":1}'],
]

describe('a member', () => {
  test.each(repeats)('%s is refused', (_, text) => {
    expect(JSON.parse(text)).toBeDefined()
    expect(() => parseStrictJson(text)).toThrow(new JsonFault('a member stands twice'))
  })
})

const fine: readonly (readonly [name: string, text: string])[] = [
  ['the same name in two objects', '[{"a":1},{"a":1}]'],
  ['the same name in an object within', '{"a":{"a":{"a":1}}}'],
  ['the same name as a value', '{"a":"b","b":"a"}'],
  ['the same texts in a list', '["a","a",{"a":"a"},"a"]'],
  ['names that differ in case', '{"a":1,"A":2}'],
  ['names that differ in form', String.raw`{"\u00e9":1,"e\u0301":2}`],
  ['brackets in texts', '{"a":"{\\"a\\":1,","b":"[","c":"}"}'],
  ['names that look inherited', '{"__proto__":1,"constructor":2,"toString":3}'],
  ['a text', '"a"'],
  ['a number', '-1.5e-7'],
  ['null', ' null '],
]

test.each(fine)('%s is fine', (_, text) => {
  expect(parseStrictJson(text)).toEqual(JSON.parse(text))
})

test('a member named __proto__ is a member and nothing else', () => {
  const value = parseStrictJson('{"__proto__":{"admin":true}}')
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(value).not.toHaveProperty('admin')
})

describe('what is not JSON', () => {
  test.each([
    ['nothing', ''],
    ['a space', ' '],
    ['a BOM before it', '\uFEFF{}'],
    ['a comma too many', '{"a":1,}'],
    ['a comment', '{}//'],
    ['single quotes', "{'a':1}"],
    ['no quotes', '{a:1}'],
    ['a line end in a text', '"a\nb"'],
    ['NaN', 'NaN'],
    ['a leading zero', '01'],
    ['two values', '{}{}'],
    ['an object that is open', '{"a":1'],
    ['a text that is open', '{"a'],
  ])('%s', (_, text) => {
    expect(() => parseStrictJson(text)).toThrow(new JsonFault('not JSON'))
  })

  test('is not quoted in the message', () => {
    const canary = '{"secret":"canary-7f3a"'
    expect(() => parseStrictJson(canary)).toThrow(/^not JSON$/)
  })
})

describe('depth', () => {
  const nested = (open: string, close: string, depth: number) =>
    open.repeat(depth) + '1' + close.repeat(depth)

  test.each([
    ['[', ']'],
    ['{"a":', '}'],
  ])('of 32 %s is fine, one more is not', (open, close) => {
    expect(parseStrictJson(nested(open, close, 32))).toBeDefined()
    expect(() => parseStrictJson(nested(open, close, 33))).toThrow(
      new JsonFault('nested too deeply'),
    )
  })

  test('counts what is open and not what was', () => {
    expect(parseStrictJson(`[${'[],'.repeat(100)}1]`)).toHaveLength(101)
  })

  test('of a hundred thousand is refused, not overflowed', () => {
    expect(() => parseStrictJson(nested('[', ']', 100_000))).toThrow(JsonFault)
  })
})

/** How many members the text names, told from the colons outside of its texts. */
function named(text: string): number {
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1
}

/** How many members the value has, at any depth. */
function held(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside: unknown[] = Object.values(value)
  return inside.reduce<number>(
    (sum, one) => sum + held(one),
    Array.isArray(value) ? 0 : inside.length,
  )
}

/** What parsing came to: a value, or nothing. */
function attempt(parse: (text: string) => unknown, text: string): readonly unknown[] {
  try {
    return [parse(text)]
  } catch (error) {
    if (error instanceof JsonFault || error instanceof SyntaxError) return []
    throw error
  }
}

/** Accepts what JSON.parse accepts, unless the value holds fewer members than the text names. */
function agrees(text: string): void {
  const lenient = attempt(JSON.parse, text)
  const [value] = lenient
  const expected = lenient.length === 1 && named(text) === held(value) ? lenient : []
  expect(attempt(parseStrictJson, text)).toEqual(expected)
}

describe('agrees with JSON.parse but for repeated members', () => {
  const json = fc.oneof(
    fc.json({ maxDepth: 5 }),
    fc.json({ maxDepth: 5, stringUnit: 'binary' }),
    fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.stringify(value, null, 2)),
  )

  test('on JSON', () => {
    fc.assert(
      fc.property(json, (text) => {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
      { numRuns: 2_000 },
    )
  })

  test('on JSON with a character more or less', () => {
    const character = fc.constantFrom(...'{}[]",:\\ 1ae-.'.split(''), '\n', '\u0000', '\u2028')
    const broken = fc
      .tuple(json, fc.nat(), character, fc.boolean())
      .map(([text, at, more, less]) => {
        const index = at % (text.length + 1)
        return text.slice(0, index) + more + text.slice(index + (less ? 1 : 0))
      })
    fc.assert(fc.property(broken, agrees), { numRuns: 3_000 })
  })

  test('on objects of few names, spelled in several ways', () => {
    const name = fc.constantFrom('"a"', String.raw`"\u0061"`, '"b"', '""', String.raw`"\""`)
    const space = fc.constantFrom('', ' ', '\n')
    const { object } = fc.letrec<{ object: string; value: string }>((tie) => ({
      object: fc
        .array(fc.tuple(name, space, tie('value')), { maxLength: 3 })
        .map(
          (members) => `{${members.map(([key, gap, value]) => key + gap + ':' + value).join()}}`,
        ),
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('1', '"a"', 'null', String.raw`"\"a\":"`),
        tie('object'),
        fc.array(tie('value'), { maxLength: 2 }).map((values) => `[${values.join()}]`),
      ),
    }))
    fc.assert(fc.property(object, agrees), { numRuns: 3_000 })
  })

  test('on any text', () => {
    const anyText = fc.string({ unit: fc.constantFrom(...'{}[]",:1a '.split('')) })
    fc.assert(fc.property(anyText, agrees), { numRuns: 2_000 })
  })
})

test.each([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  ['{}', false],
  [1, false],
  [undefined, false],
])('%o is a JSON object: %s', (value, expected) => {
  expect(isJsonObject(value)).toBe(expected)
})
