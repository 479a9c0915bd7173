import { describe, expect, test } from 'vitest'
import type { BodyForm } from '../../src/oauth/media_type.ts'
import { Parameters } from '../../src/oauth/parameters.ts'

/** The parameters of a body as an object, or what is wrong with it. */
function read(body: string | Buffer, form: BodyForm): Readonly<Record<string, unknown>> | string {
  return shown(Parameters.parse(Buffer.from(body), form))
}

function shown(parameters: ReturnType<typeof Parameters.ofForm>) {
  if (typeof parameters === 'string') return parameters
  return Object.fromEntries(parameters.names().map((name) => [name, parameters.all(name)]))
}

type Outcome = Readonly<Record<string, readonly string[]>> | string

const forms: readonly (readonly [name: string, body: string | Buffer, outcome: Outcome])[] = [
  ['nothing', '', {}],
  ['a parameter', 'a=1', { a: ['1'] }],
  ['two parameters', 'a=1&b=2', { a: ['1'], b: ['2'] }],
  ['an empty parameter', 'a=&b=2', { b: ['2'] }],
  ['a name alone', 'a', {}],
  ['a space as value', 'a=+', { a: [' '] }],
  ['a parameter twice', 'a=1&a=2', 'parameter_repeated'],
  ['a parameter twice, the same', 'a=1&a=1', 'parameter_repeated'],
  ['a parameter twice, once empty', 'a=1&a=', 'parameter_repeated'],
  ['a parameter twice, both empty', 'a=&a=', 'parameter_repeated'],
  ['a parameter twice, once escaped', 'a=1&%61=2', 'parameter_repeated'],
  ['a parameter twice, too far apart', `a=1${'&'.repeat(100)}a=2`, 'body_malformed'],
  ['no name twice', '=1&=2', 'parameter_repeated'],
  ['names that differ in case', 'a=1&A=2', { a: ['1'], A: ['2'] }],
  ['audience twice', 'audience=a&audience=b', { audience: ['a', 'b'] }],
  ['resource twice', 'resource=a&resource=b', { resource: ['a', 'b'] }],
  ['audience twice, once empty', 'audience=&audience=b', { audience: ['b'] }],
  ['audience twice, the same', 'audience=a&audience=a', { audience: ['a', 'a'] }],
  ['audience with a space', 'audience=a+b', { audience: ['a b'] }],
  ['scope twice', 'scope=a&scope=b', 'parameter_repeated'],
  [
    'a name that looks inherited',
    '__proto__=1&constructor=2',
    { ['__proto__']: ['1'], constructor: ['2'] },
  ],
  ['a name in brackets', 'a[]=1&a[]=2', 'parameter_repeated'],
  ['a percent sign', 'a=%', 'body_malformed'],
  ['bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff]), 'body_malformed'],
  ['half a letter', Buffer.from('a=ä').subarray(0, -1), 'body_malformed'],
  [
    '65 parameters',
    Array.from({ length: 65 }, (_, index) => `p${String(index)}=1`).join('&'),
    'body_malformed',
  ],
]

const texts = (count: number) => Array.from({ length: count }, () => 'a')

const jsons: readonly (readonly [name: string, body: string | Buffer, outcome: Outcome])[] = [
  ['nothing', '', {}],
  ['spaces', ' \r\n\t', {}],
  ['no members', '{}', {}],
  ['a member', '{"a":"1"}', { a: ['1'] }],
  ['an empty member', '{"a":"","b":"2"}', { b: ['2'] }],
  ['audience as a text', '{"audience":"a"}', { audience: ['a'] }],
  ['audience as a list', '{"audience":["a","b"]}', { audience: ['a', 'b'] }],
  ['resource as a list', '{"resource":["a"]}', { resource: ['a'] }],
  ['audience as an empty list', '{"audience":[]}', {}],
  ['audience as a list of an empty text', '{"audience":["","b"]}', { audience: ['b'] }],
  ['audience as a list of a list', '{"audience":[["a"]]}', 'parameter_malformed'],
  ['audience as a list with a number', '{"audience":["a",1]}', 'parameter_malformed'],
  ['audience as a list with null', '{"audience":[null]}', 'parameter_malformed'],
  ['audience as an object', '{"audience":{"0":"a"}}', 'parameter_malformed'],
  ['scope as a list', '{"scope":["a"]}', 'parameter_malformed'],
  ['scope as an empty list', '{"scope":[]}', 'parameter_malformed'],
  ['a number', '{"a":1}', 'parameter_malformed'],
  ['true', '{"a":true}', 'parameter_malformed'],
  ['null', '{"a":null}', 'parameter_malformed'],
  ['an object', '{"a":{}}', 'parameter_malformed'],
  ['a member twice', '{"a":"1","a":"2"}', 'body_malformed'],
  ['a member twice, once escaped', String.raw`{"a":"1","\u0061":"2"}`, 'body_malformed'],
  ['audience twice', '{"audience":"a","audience":"b"}', 'body_malformed'],
  ['a prototype', '{"__proto__":"1"}', { ['__proto__']: ['1'] }],
  ['a list', '[]', 'body_malformed'],
  ['a text', '"a"', 'body_malformed'],
  ['null alone', 'null', 'body_malformed'],
  ['a form', 'a=1', 'body_malformed'],
  ['a member cut off', '{"a":"1"', 'body_malformed'],
  ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'body_malformed'],
  ['UTF-16', Buffer.from('{"a":"1"}', 'utf16le'), 'body_malformed'],
  ['64 audiences', JSON.stringify({ audience: texts(64) }), { audience: texts(64) }],
  // As many as a form may have: the work that a body causes must not grow with its square.
  ['65 audiences', JSON.stringify({ audience: texts(65) }), 'body_malformed'],
]

describe('a form with', () => {
  test.each(forms)('%s', (_, body, outcome) => {
    expect(read(body, 'form')).toEqual(outcome)
  })
})

describe('a JSON body with', () => {
  test.each(jsons)('%s', (_, body, outcome) => {
    expect(read(body, 'json')).toEqual(outcome)
  })
})

test.each([
  ['a=1&audience=a&audience=b', { a: ['1'], audience: ['a', 'b'] }],
  ['', {}],
  ['a=1&a=2', 'parameter_repeated'],
  ['a=%', 'body_malformed'],
])('a query string %o', (text, outcome) => {
  expect(shown(Parameters.ofForm(text))).toEqual(outcome)
})

test('a parameter that is not there is undefined, and none of several', () => {
  const parameters = Parameters.ofForm('a=1&b=&audience=x&audience=y')
  if (typeof parameters === 'string') throw new Error(parameters)
  expect(['a', 'b', 'c', 'audience', 'toString'].map((name) => parameters.one(name))).toEqual([
    '1',
    undefined,
    undefined,
    'x',
    undefined,
  ])
  expect(parameters.all('c')).toEqual([])
})
