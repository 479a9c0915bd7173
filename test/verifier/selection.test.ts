import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { KubernetesProvider } from '../../src/verifier/provider.ts'
import { CannotVerify, ProofRefusal } from '../../src/verifier/refusal.ts'
import { pairOf, Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { CountingKeys, keysOf, outcomeOf, providerOf } from '../fakes/provider.ts'

const clock = new FakeClock()
const now = () => clock.now
const a = new FakeCluster(now, { issuer: 'https://a.example', audience: 'broker-a' })
const b = new FakeCluster(now, { issuer: 'https://b.example', audience: 'broker-b' })

/** Both clusters behind one verifier, and which key sources were asked. */
async function twoProviders() {
  const keysA = new CountingKeys(await keysOf(a))
  const keysB = new CountingKeys(await keysOf(b))
  const verifier = new Providers(
    [
      await providerOf(a, { name: 'a', keys: keysA }),
      await providerOf(b, { name: 'b', keys: keysB, requirePod: true }),
    ],
    clock,
  )
  return { verifier, asked: () => ({ a: keysA.asked, b: keysB.asked }) }
}

describe('issuer and audience select one provider and only its keys', () => {
  test.each([
    ['a', a, { a: [a.kid], b: [] }],
    ['b', b, { a: [], b: [b.kid] }],
  ])('%s', async (name, cluster, asked) => {
    const providers = await twoProviders()
    const identity = await providers.verifier.verify(await cluster.token())
    expect(identity).toMatchObject({ provider: name, issuer: cluster.issuer })
    expect(providers.asked()).toEqual(asked)
  })

  test("with the provider's own rules", async () => {
    const { verifier } = await twoProviders()
    const unbound: TokenChanges = { bound: { pod: undefined, node: undefined } }
    expect(outcomeOf(await verifier.verify(await a.token(unbound)))).toBe('accepted')
    expect(await verifier.verify(await b.token(unbound))).toStrictEqual(
      new ProofRefusal('not_pod_bound', 'bound to no pod', 'b'),
    )
  })

  const nobody = { a: [], b: [] }
  const crossed = [
    ['of a, for b', { claims: { aud: [b.audience] } }, 'audience_mismatch', nobody],
    ['of a, for both', { claims: { aud: [a.audience, b.audience] } }, 'audience_many', nobody],
    ['of a, for nobody', { claims: { aud: ['other'] } }, 'audience_mismatch', nobody],
    ['of a, with the key of b', { key: b.privateKey }, 'signature_invalid', { a: [a.kid], b: [] }],
    [
      'of a, with key and kid of b',
      { key: b.privateKey, header: { kid: b.kid } },
      'key_unknown',
      { a: [b.kid], b: [] },
    ],
    [
      'of an issuer that nobody listed',
      { claims: { iss: 'https://c.example' } },
      'issuer_unknown',
      nobody,
    ],
    [
      'of an issuer on our loopback',
      { claims: { iss: 'http://127.0.0.1' } },
      'issuer_unknown',
      nobody,
    ],
    [
      'of a, spelled with a port',
      { claims: { iss: 'https://a.example:443' } },
      'issuer_unknown',
      nobody,
    ],
    [
      'of a, spelled in upper case',
      { claims: { iss: 'https://A.example' } },
      'issuer_unknown',
      nobody,
    ],
    [
      'of a, with a space behind',
      { claims: { iss: 'https://a.example ' } },
      'issuer_unknown',
      nobody,
    ],
    ['of the name of every object', { claims: { iss: '__proto__' } }, 'issuer_unknown', nobody],
  ] as const

  test.each(crossed)('a token %s', async (_, changes, outcome, asked) => {
    const providers = await twoProviders()
    expect(outcomeOf(await providers.verifier.verify(await a.token(changes)))).toBe(outcome)
    expect(providers.asked()).toEqual(asked)
  })
})

test('no provider at all knows no issuer', async () => {
  expect(outcomeOf(await new Providers([], clock).verify(await a.token()))).toBe('issuer_unknown')
})

describe('one provider with two issuers and two audiences', async () => {
  const changes: Partial<KubernetesProvider> = {
    issuers: [a.issuer, 'https://old.example'],
    audiences: [a.audience, 'broker-old'],
  }
  const verifier = new Providers([await providerOf(a, changes)], clock)

  test.each([
    [a.issuer, a.audience],
    [a.issuer, 'broker-old'],
    ['https://old.example', a.audience],
    ['https://old.example', 'broker-old'],
  ])('takes a token of %s for %s', async (iss, aud) => {
    const identity = await verifier.verify(await a.token({ claims: { iss, aud: [aud] } }))
    expect(identity).toMatchObject({
      issuer: iss,
      subject: 'system:serviceaccount:research:doc-analyst',
    })
  })
})

describe('two providers of one issuer are told apart by the audience', async () => {
  const verifier = new Providers(
    [
      await providerOf(a, { name: 'lax', audiences: ['lax'] }),
      await providerOf(a, { name: 'strict', audiences: ['strict'], requirePod: true }),
    ],
    clock,
  )
  const unbound = { pod: undefined, node: undefined }

  test.each([
    ['lax', 'accepted'],
    ['strict', 'not_pod_bound'],
    ['other', 'audience_mismatch'],
  ])('%s', async (aud, outcome) => {
    const token = await a.token({ claims: { aud: [aud] }, bound: unbound })
    expect(outcomeOf(await verifier.verify(token))).toBe(outcome)
  })
})

test('keys that cannot be had say nothing about the proof', async () => {
  const unavailable = { unavailable: 'the issuer is out', retryAfterSeconds: 7 }
  const keys = { find: () => Promise.resolve(unavailable) }
  const verifier = new Providers([await providerOf(a, { keys })], clock)
  expect(await verifier.verify(await a.token())).toStrictEqual(
    new CannotVerify('the issuer is out', 'prod', 7),
  )
})

test('a pair of issuer and audience is the text of no other pair', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', ',', '\\'), maxLength: 2 })
  fc.assert(
    fc.property(text, text, text, text, (issuer, audience, otherIssuer, otherAudience) => {
      const same = issuer === otherIssuer && audience === otherAudience
      expect(pairOf(issuer, audience) === pairOf(otherIssuer, otherAudience)).toBe(same)
    }),
    { numRuns: 10_000 },
  )
})
