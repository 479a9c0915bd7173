import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { outcomeOf } from '../fakes/provider.ts'
import { part } from '../fakes/raw_token.ts'
import { changeInside, mutation, rubbish } from '../fuzz/mutations.ts'
import { share } from '../fuzz/share.ts'
import { issuers, now, platforms, verifier } from '../fuzz/verifier.ts'

const tokens = platforms.map((platform) => issuers[platform].token())
const others = platforms.map((platform) => issuers[platform].token({ claims: { jti: 'another' } }))
const good = new Set([...tokens, ...others])

const anyToken = fc.constantFrom(...tokens)
const mutated = fc.tuple(anyToken, mutation).map(([token, mutate]) => mutate(token))
const mutatedTwice = fc
  .tuple(anyToken, mutation, mutation)
  .map(([token, first, second]) => second(first(token)))
const changedInside = fc.tuple(anyToken, changeInside).map(([token, change]) => change(token))

/** Parts of tokens of all platforms, in any order and number. */
const parts = [...good].flatMap((token) => token.split('.'))
const swapped = fc
  .array(fc.constantFrom(...parts, ''), { maxLength: 5 })
  .map((chosen) => chosen.join('.'))

test('the tokens that the others are made of are good', async () => {
  for (const token of good) expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
})

test.each([
  ['a mutated token', mutated, 0.15],
  ['a token mutated twice', mutatedTwice, 0.05],
  ['bytes changed inside a part', changedInside, 0.15],
  ['parts put together anew', swapped, 0.05],
  ['rubbish', rubbish, 0.05],
])('nothing but a token itself is accepted: %s', async (_, texts, of) => {
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const accepted = outcomeOf(await verifier.verify(text)) === 'accepted'
      expect(accepted).toBe(good.has(text))
    }),
    share(of),
  )
})

const anyHeader = fc.record(
  {
    alg: fc.constantFrom('RS256', 'ES256', 'HS256', 'none', '', null, 1),
    kid: fc.oneof(
      fc.constantFrom('p256', 'RSA_0', ...platforms.map((platform) => issuers[platform].kid)),
      fc.string(),
      fc.constant(null),
    ),
    typ: fc.constantFrom('JWT', 'at+jwt', null),
    crit: fc.jsonValue({ maxDepth: 1 }),
    jwk: fc.jsonValue({ maxDepth: 1 }),
    jku: fc.constant('https://attacker.example/keys'),
  },
  { requiredKeys: ['alg', 'kid'] },
)
const anyClaims = fc
  .tuple(
    fc.constantFrom(...platforms),
    fc.dictionary(
      fc.constantFrom('iss', 'sub', 'aud', 'exp', 'jti', 'x'),
      fc.jsonValue({ maxDepth: 1 }),
    ),
  )
  .map(([platform, changes]) => ({ ...issuers[platform].good(), exp: now + 60, ...changes }))
const anySignature = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(...tokens).map((token) => Buffer.from(token.split('.')[2] ?? '', 'base64url')),
  fc.constantFrom(64, 256).map((length) => Buffer.alloc(length)),
)

test('whatever header and claims say, they need a signature', async () => {
  await fc.assert(
    fc.asyncProperty(anyHeader, anyClaims, anySignature, async (header, claims, signature) => {
      const text = `${part(JSON.stringify(header))}.${part(JSON.stringify(claims))}.${part(signature)}`
      expect(outcomeOf(await verifier.verify(text))).not.toBe('accepted')
    }),
    share(0.15),
  )
})
