import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cacheKey, type KeyParts } from '../../src/cache/key.ts'
import { ProofFault } from '../../src/broker/proof.ts'
import { testBroker } from '../fakes/broker.ts'

/** Few values, so that equal parts are common, and such as a careless joining of texts would confuse. */
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    'a b',
    'a,b',
    '"',
    '","',
    '\\',
    '[]',
    'null',
    '\0',
    'ä',
    '__proto__',
  ),
  fc.string({ maxLength: 6, unit: 'binary' }),
)
const texts = fc.array(text, { maxLength: 4 })
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined })

const partsOf: fc.Arbitrary<KeyParts> = fc.record({
  tenant: text,
  client: maybe(text),
  subject: fc.record({ issuer: text, sub: text, instance: text }),
  actors: texts,
  audiences: texts,
  resources: texts,
  scope: maybe(texts),
  tokenType: text,
  confirmation: maybe(text),
})

/** Pairs that differ in few parts, and pairs that differ in any. */
const pairs: fc.Arbitrary<readonly [KeyParts, KeyParts]> = fc.oneof(
  fc.tuple(partsOf, partsOf),
  fc
    .tuple(
      partsOf,
      partsOf,
      fc.subarray([
        'tenant',
        'client',
        'subject',
        'actors',
        'audiences',
        'resources',
        'scope',
        'tokenType',
        'confirmation',
      ] as const),
    )
    .map(
      ([one, other, names]) =>
        [one, { ...one, ...Object.fromEntries(names.map((name) => [name, other[name]])) }] as const,
    ),
)

const setEqual = (one: readonly string[], other: readonly string[]): boolean =>
  one.every((value) => other.includes(value)) && other.every((value) => one.includes(value))
const listEqual = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((value, index) => value === other[index])

/** When two wishes are for the same token, said without making a key. */
function sameToken(one: KeyParts, other: KeyParts): boolean {
  return (
    one.tenant === other.tenant &&
    one.client === other.client &&
    one.subject.issuer === other.subject.issuer &&
    one.subject.sub === other.subject.sub &&
    one.subject.instance === other.subject.instance &&
    listEqual(one.actors, other.actors) &&
    setEqual(one.audiences, other.audiences) &&
    setEqual(one.resources, other.resources) &&
    (one.scope === undefined || other.scope === undefined
      ? one.scope === other.scope
      : setEqual(one.scope, other.scope)) &&
    one.tokenType === other.tokenType &&
    one.confirmation === other.confirmation
  )
}

test('two sets of parts have the same key when they name the same token, and only then', () => {
  fc.assert(
    fc.property(pairs, ([one, other]) => {
      expect(cacheKey(one) === cacheKey(other)).toBe(sameToken(one, other))
    }),
    { numRuns: 5_000 },
  )
})

test('order and repetition make no difference where the parts are sets', () => {
  const shuffled = (values: readonly string[]) =>
    fc
      .shuffledSubarray([...values], { minLength: values.length })
      .map((all) => [...all, ...all.slice(0, 1)])
  const withShuffled = partsOf.chain((parts) =>
    fc
      .tuple(shuffled(parts.audiences), shuffled(parts.resources), shuffled(parts.scope ?? []))
      .map(
        ([audiences, resources, scope]) =>
          [parts, { ...parts, audiences, resources, scope: parts.scope && scope }] as const,
      ),
  )
  fc.assert(
    fc.property(withShuffled, ([one, other]) => {
      expect(cacheKey(other)).toBe(cacheKey(one))
    }),
    { numRuns: 2_000 },
  )
})

const plain: KeyParts = {
  tenant: 'acme-corp',
  client: undefined,
  subject: { issuer: 'https://cluster.example', sub: 'system:serviceaccount:a:b', instance: 'uid' },
  actors: [],
  audiences: [],
  resources: [],
  scope: undefined,
  tokenType: 'Bearer',
  confirmation: undefined,
}

describe('each part alone makes another key', () => {
  const { subject } = plain
  const others: readonly [name: string, parts: KeyParts][] = [
    ['tenant', { ...plain, tenant: 'other' }],
    ['client', { ...plain, client: 'doc-analyst' }],
    ['an empty client', { ...plain, client: '' }],
    ['issuer', { ...plain, subject: { ...subject, issuer: 'https://other.example' } }],
    ['sub', { ...plain, subject: { ...subject, sub: 'system:serviceaccount:a:c' } }],
    ['instance', { ...plain, subject: { ...subject, instance: 'other' } }],
    ['an actor', { ...plain, actors: ['a'] }],
    ['two actors', { ...plain, actors: ['a', 'b'] }],
    ['two actors the other way round', { ...plain, actors: ['b', 'a'] }],
    ['an actor twice', { ...plain, actors: ['a', 'a'] }],
    ['an audience', { ...plain, audiences: ['urn:a'] }],
    ['two audiences', { ...plain, audiences: ['urn:a', 'urn:b'] }],
    ['a resource', { ...plain, resources: ['urn:a'] }],
    ['an audience and a resource', { ...plain, audiences: ['urn:a'], resources: ['urn:b'] }],
    ['the other way round', { ...plain, audiences: ['urn:b'], resources: ['urn:a'] }],
    ['the empty scope', { ...plain, scope: [] }],
    ['a scope', { ...plain, scope: ['a'] }],
    ['two scopes', { ...plain, scope: ['a', 'b'] }],
    ['a scope with a space', { ...plain, scope: ['a b'] }],
    ['token type', { ...plain, tokenType: 'DPoP' }],
    ['confirmation', { ...plain, confirmation: 'thumbprint' }],
  ]
  test.each(others)('%s', (name, parts) => {
    const rest = [plain, ...others.filter(([other]) => other !== name).map(([, other]) => other)]
    expect(rest.map(cacheKey)).not.toContain(cacheKey(parts))
  })
})

test('no part of the proof appears in it, only what the proof says of the subject', async () => {
  const proof = await testBroker().proofs.read()
  if (proof instanceof ProofFault) throw new Error(proof.detail)
  const key = cacheKey({ ...plain, subject: proof.subject })
  expect(proof.token.split('.').filter((part) => key.includes(part))).toEqual([])
  expect(JSON.parse(key)).toEqual([
    'acme-corp',
    null,
    'https://cluster.example',
    'system:serviceaccount:research:doc-analyst',
    '22222222',
    [],
    [],
    [],
    null,
    'Bearer',
    null,
  ])
})
