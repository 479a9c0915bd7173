import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../src/broker/errors.ts'
import { rememberingWishes, wishOfBody, wishOfQuery, type Wish } from '../../src/broker/wish.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

const nothing = { audiences: [], resources: [], scope: undefined, minTtl: 0, agent: undefined }

function refusalOf(wish: Wish | BrokerError) {
  return wish instanceof BrokerError
    ? { status: wish.status, error: wish.error, code: wish.code }
    : wish
}

const invalid = (code: string) => ({ status: 400, error: 'invalid_request', code })
const badTarget = { status: 400, error: 'invalid_target', code: 'target_malformed' }
const badScope = { status: 400, error: 'invalid_scope', code: 'scope_malformed' }

const many = (count: number) => Array.from({ length: count }, (_, index) => `s${String(index)}`)

/** The same text as a query and as a form means the same. */
const goodForms: readonly [name: string, text: string, wish: object][] = [
  ['nothing', '', nothing],
  ['an audience', 'audience=a', { ...nothing, audiences: ['a'] }],
  ['several audiences', 'audience=a&audience=b', { ...nothing, audiences: ['a', 'b'] }],
  [
    'an encoded audience',
    'audience=https%3A%2F%2Fdocs.example.com',
    { ...nothing, audiences: ['https://docs.example.com'] },
  ],
  ['an audience with a fragment', 'audience=a%23b', { ...nothing, audiences: ['a#b'] }],
  ['a resource', 'resource=urn:a', { ...nothing, resources: ['urn:a'] }],
  [
    'several resources and an audience',
    'resource=https://a.example/x?y=1&resource=urn:b&audience=c',
    { ...nothing, audiences: ['c'], resources: ['https://a.example/x?y=1', 'urn:b'] },
  ],
  ['a scope of two', 'scope=read%20write', { ...nothing, scope: ['read', 'write'] }],
  ['a scope with plus signs', 'scope=read+write', { ...nothing, scope: ['read', 'write'] }],
  ['a scope value twice', 'scope=a+b+a', { ...nothing, scope: ['a', 'b'] }],
  ['100 scopes', `scope=${many(100).join('+')}`, { ...nothing, scope: many(100) }],
  ['min_ttl', 'min_ttl=300', { ...nothing, minTtl: 300 }],
  ['the longest min_ttl', 'min_ttl=999999', { ...nothing, minTtl: 999_999 }],
  ['min_ttl 0', 'min_ttl=0', nothing],
  ['an agent', 'agent=doc-analyst', { ...nothing, agent: 'doc-analyst' }],
  ['the longest agent', `agent=${'a'.repeat(255)}`, { ...nothing, agent: 'a'.repeat(255) }],
  ['ampersands alone', '&&', nothing],
]

const badForms: readonly [name: string, text: string, refusal: object][] = [
  ['an unknown parameter', 'audiance=a', invalid('parameter_unknown')],
  ['one in upper case', 'Audience=a', invalid('parameter_unknown')],
  ['one of the token endpoint', 'subject_token=a', invalid('parameter_unknown')],
  ['a member of every object', 'constructor=a', invalid('parameter_unknown')],
  ['another such member', '__proto__=a', invalid('parameter_unknown')],
  ['a scope twice', 'scope=a&scope=b', invalid('parameter_repeated')],
  ['the same scope twice', 'scope=a&scope=a', invalid('parameter_repeated')],
  ['an empty scope beside one', 'scope=&scope=a', invalid('parameter_repeated')],
  ['min_ttl twice', 'min_ttl=1&min_ttl=2', invalid('parameter_repeated')],
  ['an agent twice', 'agent=a&agent=b', invalid('parameter_repeated')],
  ['an unknown parameter twice', 'x=1&x=2', invalid('parameter_repeated')],
  ...['-1', '1.5', '1e3', '0x10', ' 1', '1 ', '+1', 'abc', '1000000', '１'].map(
    (value): [string, string, object] => [
      `min_ttl ${JSON.stringify(value)}`,
      `min_ttl=${encodeURIComponent(value)}`,
      invalid('parameter_malformed'),
    ],
  ),
  ['an agent that is too long', `agent=${'a'.repeat(256)}`, invalid('parameter_malformed')],
  ['a scope with two spaces', 'scope=a++b', badScope],
  ['a scope that begins with a space', 'scope=+a', badScope],
  ['a scope that ends with a space', 'scope=a+', badScope],
  ['a scope with a quote', 'scope=a%22b', badScope],
  ['a scope with a backslash', 'scope=a%5Cb', badScope],
  ['a scope with a line feed', 'scope=a%0Ab', badScope],
  ['a scope beyond ASCII', 'scope=%C3%A4', badScope],
  ['101 scopes', `scope=${many(101).join('+')}`, badScope],
  ['a scope that is too long', `scope=${'a'.repeat(4_097)}`, badScope],
  ['a resource with a fragment', 'resource=https://a.example/%23b', badTarget],
  ['a resource with an empty fragment', 'resource=https://a.example/%23', badTarget],
  ['a relative resource', 'resource=/a', badTarget],
  ['a resource without a scheme', 'resource=a.example', badTarget],
  ['a bad resource beside a good one', 'resource=urn:a&resource=b', badTarget],
  ['a resource that is too long', `resource=urn:${'a'.repeat(509)}`, badTarget],
  ['an audience with a space', 'audience=a%20b', badTarget],
  ['an audience with a line feed', 'audience=a%0Ab', badTarget],
  ['an audience beyond ASCII', 'audience=%C3%A4', badTarget],
  ['an audience that is too long', `audience=${'a'.repeat(513)}`, badTarget],
  ...[
    'audience=',
    'resource=',
    'scope=',
    'min_ttl=',
    'agent=',
    'scope',
    'audience=&audience=a',
  ].map((text): [string, string, object] => [
    `${text}, empty`,
    text,
    invalid('parameter_malformed'),
  ]),
  ['a percent sign alone', 'audience=%', invalid('body_malformed')],
  ['bytes that are no UTF-8', 'audience=%FF', invalid('body_malformed')],
  [
    '65 parameters',
    Array.from({ length: 65 }, () => 'audience=a').join('&'),
    invalid('body_malformed'),
  ],
]

describe('a query', () => {
  test.each(goodForms)('%s', (_name, text, wish) => {
    expect(wishOfQuery(text)).toEqual(wish)
  })
  test.each(badForms)('refused: %s', (_name, text, refusal) => {
    expect(refusalOf(wishOfQuery(text))).toEqual(refusal)
  })
})

describe('a query that is remembered', () => {
  test.each(goodForms)('%s means the same the second time', (_name, text, wish) => {
    const read = rememberingWishes()
    const first = read(text)
    expect([first, read(text)]).toEqual([wish, wish])
  })
  test.each(badForms)('refused both times: %s', (_name, text, refusal) => {
    const read = rememberingWishes()
    expect([refusalOf(read(text)), refusalOf(read(text))]).toEqual([refusal, refusal])
  })
  test('is told from all others, however many come', () => {
    const read = rememberingWishes()
    for (let round = 0; round < 2; round += 1) {
      for (let index = 0; index < 1_200; index += 1) {
        const audience = String(index)
        expect(read(`audience=${audience}`)).toEqual({ ...nothing, audiences: [audience] })
      }
    }
  })
})

describe('a form', () => {
  test.each(goodForms)('%s', (_name, text, wish) => {
    expect(wishOfBody(FORM, Buffer.from(text))).toEqual(wish)
  })
  test.each(badForms)('refused: %s', (_name, text, refusal) => {
    expect(refusalOf(wishOfBody(FORM, Buffer.from(text)))).toEqual(refusal)
  })
  test('refused: bytes that are no UTF-8', () => {
    const body = Buffer.from([0x61, 0x3d, 0xff])
    expect(refusalOf(wishOfBody(FORM, body))).toEqual(invalid('body_malformed'))
  })
})

describe('JSON', () => {
  const good: readonly [name: string, text: string, wish: object][] = [
    ['nothing', '{}', nothing],
    ['an empty body', '', nothing],
    ['an audience', '{"audience":"a"}', { ...nothing, audiences: ['a'] }],
    ['seconds as a number', '{"min_ttl":5}', { ...nothing, minTtl: 5 }],
    ['audiences', '{"audience":["a","b"]}', { ...nothing, audiences: ['a', 'b'] }],
    ['no audiences', '{"audience":[]}', nothing],
    ['resources', '{"resource":["urn:a"]}', { ...nothing, resources: ['urn:a'] }],
    [
      'all of them',
      '{"audience":"a","resource":"urn:b","scope":"c d","min_ttl":"5","agent":"e"}',
      { audiences: ['a'], resources: ['urn:b'], scope: ['c', 'd'], minTtl: 5, agent: 'e' },
    ],
  ]
  const bad: readonly [name: string, text: string, refusal: object][] = [
    ['no JSON', '{', invalid('body_malformed')],
    ['an array', '[]', invalid('body_malformed')],
    ['null', 'null', invalid('body_malformed')],
    ['a string', '"audience=a"', invalid('body_malformed')],
    ['a form', 'audience=a', invalid('body_malformed')],
    ['a member twice', '{"scope":"a","scope":"b"}', invalid('body_malformed')],
    ['a negative number', '{"min_ttl":-5}', invalid('parameter_malformed')],
    ['a part of a second', '{"min_ttl":5.5}', invalid('parameter_malformed')],
    ['a number beyond what is exact', '{"min_ttl":1e30}', invalid('parameter_malformed')],
    ['a number for a name', '{"agent":5}', invalid('parameter_malformed')],
    ['an empty value', '{"audience":""}', invalid('parameter_malformed')],
    ['an empty value in a list', '{"audience":["a",""]}', invalid('parameter_malformed')],
    ['null as a value', '{"audience":null}', invalid('parameter_malformed')],
    ['an object as a value', '{"audience":{}}', invalid('parameter_malformed')],
    ['a number in a list', '{"audience":["a",1]}', invalid('parameter_malformed')],
    ['a list of scopes', '{"scope":["a"]}', invalid('parameter_malformed')],
    ['an unknown member', '{"audiences":"a"}', invalid('parameter_unknown')],
    ['a member of every object', '{"__proto__":"a"}', invalid('parameter_unknown')],
    ['a resource with a fragment', '{"resource":"https://a.example/#b"}', badTarget],
    ['a malformed scope', '{"scope":"a  b"}', badScope],
  ]
  test.each(good)('%s', (_name, text, wish) => {
    expect(wishOfBody(JSON_TYPE, Buffer.from(text))).toEqual(wish)
  })
  test.each(bad)('refused: %s', (_name, text, refusal) => {
    expect(refusalOf(wishOfBody(JSON_TYPE, Buffer.from(text)))).toEqual(refusal)
  })
})

describe('the kind of a body', () => {
  const audience = Buffer.from('audience=a')
  test.each([
    FORM,
    'APPLICATION/X-WWW-FORM-URLENCODED',
    `${FORM};charset=utf-8`,
    `${FORM} ; Charset="UTF-8"`,
  ])('%s is read', (contentType) => {
    expect(wishOfBody(contentType, audience)).toEqual({ ...nothing, audiences: ['a'] })
  })
  test.each([
    undefined,
    '',
    'text/plain',
    'multipart/form-data',
    `${FORM};charset=latin1`,
    `${FORM}+x`,
  ])('%s is refused', (contentType) => {
    expect(refusalOf(wishOfBody(contentType, audience))).toEqual(invalid('media_type'))
  })
  test('none at all, with an empty body, is a wish for the plain token', () => {
    expect(wishOfBody(undefined, Buffer.alloc(0))).toEqual(nothing)
  })
  test('text/plain is refused even when it is empty', () => {
    expect(refusalOf(wishOfBody('text/plain', Buffer.alloc(0)))).toEqual(invalid('media_type'))
  })
})
