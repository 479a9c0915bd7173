import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { outcomeOf, providerOf } from '../fakes/provider.ts'
import { part } from '../fakes/raw_token.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)
const token = await cluster.token()
const verifier = new Providers([await providerOf(cluster)], clock)
const other = await cluster.token({ claims: { jti: 'another' } })

const somewhere = fc.nat({ max: token.length - 1 })
const inserted = fc.oneof(
  fc.constantFrom('.', '=', ' ', '\n', '\t', '\0', '+', '/', '-', '_', 'A', '\u00e4', '\ud800'),
  fc.string({ minLength: 1, maxLength: 4 }),
)

/** The token with one thing done to it, in text. */
const mutated = fc.oneof(
  fc.tuple(somewhere, fc.integer({ min: 1, max: 255 })).map(([at, bits]) => {
    const changed = String.fromCharCode(token.charCodeAt(at) ^ bits)
    return token.slice(0, at) + changed + token.slice(at + 1)
  }),
  somewhere.map((at) => token.slice(0, at)),
  somewhere.map((at) => token.slice(at + 1)),
  somewhere.map((at) => token.slice(0, at) + token.slice(at + 1)),
  fc.tuple(somewhere, inserted).map(([at, text]) => token.slice(0, at) + text + token.slice(at)),
  fc.tuple(somewhere, somewhere).map(([from, to]) => token.slice(0, from) + token.slice(to)),
)

/** Parts of this token and another, in any order and number. */
const swapped = fc
  .array(fc.constantFrom(...token.split('.'), ...other.split('.'), ''), { maxLength: 5 })
  .map((parts) => parts.join('.'))
  .filter((text) => text !== other)

/** The token with bytes changed inside one of its parts, so that its base64url stays canonical. */
const changedInside = fc
  .tuple(fc.nat({ max: 2 }), fc.nat(), fc.integer({ min: 1, max: 255 }))
  .map(([which, at, bits]) => {
    const parts = token.split('.')
    const bytes = Buffer.from(parts[which] ?? '', 'base64url')
    const index = at % bytes.length
    bytes[index] = (bytes[index] ?? 0) ^ bits
    return parts.with(which, part(bytes)).join('.')
  })

const rubbish = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String(), fc.json())

test.each([
  ['a mutated token', mutated, 3_000],
  ['parts put together anew', swapped, 1_000],
  ['bytes changed inside a part', changedInside, 2_000],
  ['rubbish', rubbish, 1_000],
])('nothing but the token itself is accepted: %s', async (_, texts, numRuns) => {
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const accepted = outcomeOf(await verifier.verify(text)) === 'accepted'
      expect(accepted).toBe(text === token)
    }),
    { numRuns },
  )
})

const anyHeader = fc.record(
  {
    alg: fc.constantFrom('RS256', 'HS256', 'none', '', null, 1),
    kid: fc.oneof(fc.constant(cluster.kid), fc.string(), fc.constant(null)),
    typ: fc.constantFrom('JWT', 'at+jwt', null),
    crit: fc.jsonValue(),
    jwk: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const names = Object.keys(cluster.claims())
const anyClaims = fc
  .dictionary(fc.constantFrom(...names), fc.jsonValue())
  .map((changes) => ({ ...cluster.claims(), ...changes }))

test('whatever header and claims say, they need a signature', async () => {
  await fc.assert(
    fc.asyncProperty(anyHeader, anyClaims, fc.uint8Array({ maxLength: 300 }), async (...given) => {
      const [header, claims, signature] = given
      const text = `${part(JSON.stringify(header))}.${part(JSON.stringify(claims))}.${part(signature)}`
      expect(outcomeOf(await verifier.verify(text))).not.toBe('accepted')
    }),
    { numRuns: 1_000 },
  )
})

test('whatever is signed is judged, and nothing throws', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyClaims,
      fc.dictionary(fc.string(), fc.jsonValue()),
      async (claims, more) => {
        const text = await cluster.token({ claims: { ...claims, ...more } })
        expect(typeof outcomeOf(await verifier.verify(text))).toBe('string')
      },
    ),
    { numRuns: 300 },
  )
})
