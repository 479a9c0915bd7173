import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { DpopExpectation } from '../../../src/endpoint/dpop/proof.ts'
import { OAuthError } from '../../../src/oauth/errors.ts'
import { StoreFault } from '../../../src/store/store.ts'
import { DpopWorld } from '../../fakes/dpop.ts'

const TOKEN = 'an.access.token'
const ath = createHash('sha256').update(TOKEN).digest('base64url')
const PLACE = '/t/acme-corp/api/v1/oauth/token'

const { now } = new DpopWorld().clock
const stale = new DpopWorld()
const staleNonce = stale.nonces.current()

interface Case {
  readonly name: string
  /** Laid over the claims of a good proof; undefined takes a claim away. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly expected?: Partial<DpopExpectation>
  readonly nonceRequired?: boolean
}

const url = (htu: string): Pick<Case, 'claims'> => ({ claims: { htu } })

const good: readonly Case[] = [
  { name: 'as clients make it' },
  {
    name: 'for the other public URL',
    ...url('https://auth.example/orgs/acme-corp/api/v1/oauth/token'),
  },
  { name: 'a query in htu', ...url(`https://auth.example${PLACE}?tenant=globex`) },
  { name: 'a fragment in htu', ...url(`https://auth.example${PLACE}#top`) },
  { name: 'scheme and host of htu in capitals', ...url(`HTTPS://AUTH.Example${PLACE}`) },
  { name: 'the default port in htu', ...url(`https://auth.example:443${PLACE}`) },
  { name: 'dot segments in htu', ...url(`https://auth.example/t/globex/..${PLACE.slice(2)}`) },
  { name: 'another method that is expected', claims: { htm: 'GET' }, expected: { method: 'GET' } },
  { name: 'iat 60 s ago', claims: { iat: now - 60 } },
  { name: 'iat 5 s ahead', claims: { iat: now + 5 } },
  { name: 'exp ahead', claims: { exp: now + 1 } },
  { name: 'nbf now', claims: { nbf: now } },
  { name: 'nbf 5 s ahead', claims: { nbf: now + 5 } },
  { name: 'the shortest jti', claims: { jti: '!'.repeat(16) } },
  { name: 'the longest jti', claims: { jti: '~'.repeat(256) } },
  { name: 'no nonce where none is needed', claims: { nonce: undefined }, nonceRequired: false },
  { name: 'a nonce where none is needed', nonceRequired: false },
  { name: 'the token that it goes with', claims: { ath }, expected: { accessToken: TOKEN } },
  { name: 'a token where none is expected', claims: { ath: 'of some other place' } },
  { name: 'claims that nobody knows', claims: { note: 'x'.repeat(9_000), sub: ['a'] } },
]

describe('a good proof', () => {
  test.each(good)('$name', async ({ claims, expected, nonceRequired }) => {
    const world = new DpopWorld({ nonceRequired: nonceRequired ?? true })
    const key = world.key()
    expect(await world.outcome(key.proof(world.claims(claims)), expected)).toBe(key.jkt)
  })
})

const missing = (claim: string): Pick<Case, 'claims'> => ({ claims: { [claim]: undefined } })
const withToken = { expected: { accessToken: TOKEN } }

const bad: Readonly<Record<string, readonly Case[]>> = {
  dpop_method: [
    { name: 'no htm', ...missing('htm') },
    { name: 'htm of another method', claims: { htm: 'GET' } },
    { name: 'htm in lower case', claims: { htm: 'post' } },
    { name: 'htm with a space', claims: { htm: 'POST ' } },
    { name: 'htm is a list', claims: { htm: ['POST'] } },
    { name: 'htm is very long', claims: { htm: 'POST'.repeat(2_000) } },
    { name: 'another method is expected', expected: { method: 'GET' } },
  ],
  dpop_url: [
    { name: 'no htu', ...missing('htu') },
    { name: 'htu is a list', claims: { htu: [`https://auth.example${PLACE}`] } },
    { name: 'htu is empty', ...url('') },
    { name: 'htu is a path', ...url(PLACE) },
    {
      name: 'htu of another path',
      ...url('https://auth.example/t/acme-corp/api/v1/oauth/userinfo'),
    },
    { name: 'htu of another tenant', ...url('https://auth.example/t/globex/api/v1/oauth/token') },
    { name: 'htu of another host', ...url(`https://auth.example.evil.example${PLACE}`) },
    { name: 'htu of a host with a dot more', ...url(`https://auth.example.${PLACE}`) },
    { name: 'htu of another port', ...url(`https://auth.example:8443${PLACE}`) },
    { name: 'htu without TLS', ...url(`http://auth.example${PLACE}`) },
    { name: 'htu of another scheme around ours', ...url(`blob:https://auth.example${PLACE}`) },
    { name: 'htu with a user', ...url(`https://auth.example@evil.example${PLACE}`) },
    { name: 'htu with a user at ours', ...url(`https://user@auth.example${PLACE}`) },
    { name: 'htu with a password at ours', ...url(`https://:pass@auth.example${PLACE}`) },
    { name: 'htu with a slash more', ...url(`https://auth.example${PLACE}/`) },
    { name: 'htu with two slashes', ...url(`https://auth.example/${PLACE}`) },
    { name: 'the path of htu in capitals', ...url(`https://auth.example${PLACE.toUpperCase()}`) },
    {
      name: 'htu with an encoded slash',
      ...url('https://auth.example/t%2Facme-corp/api/v1/oauth/token'),
    },
    {
      name: 'ours in the query of another',
      ...url(`https://evil.example/?https://auth.example${PLACE}`),
    },
    { name: 'htu is very long', ...url(`https://auth.example${PLACE}${'a'.repeat(8_000)}`) },
  ],
  dpop_jti: [
    { name: 'no jti', ...missing('jti') },
    { name: 'jti is empty', claims: { jti: '' } },
    { name: 'jti of 15 characters', claims: { jti: 'a'.repeat(15) } },
    { name: 'jti of 257 characters', claims: { jti: 'a'.repeat(257) } },
    { name: 'jti with a space', claims: { jti: 'a'.repeat(16) + ' ' } },
    { name: 'jti with a line end', claims: { jti: 'a'.repeat(16) + '\n' } },
    { name: 'jti with a null', claims: { jti: 'a'.repeat(16) + '\0' } },
    { name: 'jti beyond ASCII', claims: { jti: 'é'.repeat(16) } },
    { name: 'jti is a number', claims: { jti: 1_234_567_890_123_456 } },
    { name: 'jti is a list', claims: { jti: ['a'.repeat(16)] } },
  ],
  dpop_time: [
    { name: 'no iat', ...missing('iat') },
    { name: 'iat 61 s ago', claims: { iat: now - 61 } },
    { name: 'iat 6 s ahead', claims: { iat: now + 6 } },
    { name: 'iat in milliseconds', claims: { iat: now * 1_000 } },
    { name: 'iat with a fraction', claims: { iat: now + 0.5 } },
    { name: 'iat is a text', claims: { iat: String(now) } },
    { name: 'iat is a list', claims: { iat: [now] } },
    { name: 'iat is null', claims: { iat: null } },
    { name: 'iat below zero', claims: { iat: -1 } },
    { name: 'iat beyond numbers', claims: { iat: 1e300 } },
    { name: 'exp now', claims: { exp: now } },
    { name: 'exp is a text', claims: { exp: String(now + 60) } },
    { name: 'exp is null', claims: { exp: null } },
    { name: 'nbf 6 s ahead', claims: { nbf: now + 6 } },
    { name: 'nbf is a text', claims: { nbf: '0' } },
  ],
  dpop_token: [
    { name: 'no ath', ...withToken },
    {
      name: 'ath of another token',
      claims: { ath: ath.split('').toReversed().join('') },
      ...withToken,
    },
    { name: 'ath is the token', claims: { ath: TOKEN }, ...withToken },
    { name: 'ath is padded', claims: { ath: `${ath}=` }, ...withToken },
    { name: 'ath is empty', claims: { ath: '' }, ...withToken },
    { name: 'ath is a list', claims: { ath: [ath] }, ...withToken },
    { name: 'ath is very long', claims: { ath: ath.repeat(150) }, ...withToken },
  ],
  dpop_nonce_needed: [
    { name: 'no nonce', ...missing('nonce') },
    { name: 'nonce is empty', claims: { nonce: '' } },
    { name: 'nonce is empty where none is needed', claims: { nonce: '' }, nonceRequired: false },
    { name: 'nonce is null where none is needed', claims: { nonce: null }, nonceRequired: false },
    { name: 'a nonce of somebody else', claims: { nonce: 'a'.repeat(43) } },
    {
      name: 'a nonce of somebody else where none is needed',
      claims: { nonce: 'a'.repeat(43) },
      nonceRequired: false,
    },
    { name: 'nonce is a list', claims: { nonce: [staleNonce] } },
    { name: 'nonce is very long', claims: { nonce: 'a'.repeat(8_000) } },
  ],
}

for (const [reason, cases] of Object.entries(bad)) {
  describe(`a proof is refused as ${reason}`, () => {
    test.each(cases)('$name', async ({ claims, expected, nonceRequired }) => {
      const world = new DpopWorld({ nonceRequired: nonceRequired ?? true })
      const proof = world.key().proof(world.claims(claims))
      expect(await world.outcome(proof, expected)).toBe(reason)
      expect(world.store.taken).toEqual([])
    })
  })
}

test('a stale nonce is answered with the wish for a fresh one, and that one is good', async () => {
  const world = new DpopWorld()
  const key = world.key()
  const nonce = world.verifier.freshNonce()
  world.clock.advance(240_000)
  expect(await world.outcome(key.proof(world.claims({ nonce })))).toBe('dpop_nonce_needed')
  const fresh = world.verifier.freshNonce()
  expect(await world.outcome(key.proof(world.claims({ nonce: fresh })))).toBe(key.jkt)
})

test('a refusal says nothing of what was sent', async () => {
  const world = new DpopWorld()
  const proof = world
    .key()
    .proof(world.claims({ htu: 'https://canary.example/', jti: 'canary'.repeat(9) }))
  const refusal = await world.verifier.verify(proof, world.expected)
  expect(refusal).toEqual(
    new OAuthError('dpop_invalid', {
      reason: 'dpop_url',
      detail: 'htu is not a public URL of this endpoint',
    }),
  )
})

test('a store that is out is no fault of the proof', async () => {
  const world = new DpopWorld()
  world.store.isOut = true
  await expect(world.outcome(world.key().proof(world.claims()))).rejects.toThrow(StoreFault)
})
