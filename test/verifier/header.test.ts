import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { exportJWK, SignJWT } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { SignatureAlgorithm } from '../../src/verifier/keys/algorithms.ts'
import { KeySet } from '../../src/verifier/keys/key_set.ts'
import { localKeys } from '../../src/verifier/keys/key_source.ts'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { serve } from '../fakes/loopback.ts'
import { CountingKeys, keysOf, outcomeOf, providerOf } from '../fakes/provider.ts'
import { part, signParts } from '../fakes/raw_token.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)
const payload = part(JSON.stringify(cluster.claims()))
const { kid } = cluster
const publicJwk = await exportJWK(cluster.publicKey)

type Header = Readonly<Record<string, unknown>>

/** A token with this header and a good signature of the cluster's key. */
function tokenWith(header: Header): string {
  return signParts(part(JSON.stringify(header)), payload, cluster.privateKey)
}

/** Judges a token, and says whether any key was looked for. */
async function judge(token: string, algorithms: readonly SignatureAlgorithm[] = ['RS256']) {
  const keys = new CountingKeys(await keysOf(cluster))
  const verifier = new Providers([await providerOf(cluster, { algorithms, keys })], clock)
  return { outcome: outcomeOf(await verifier.verify(token)), asked: keys.asked }
}

const algorithms: readonly (readonly [name: string, header: Header])[] = [
  ['missing', { kid }],
  ['null', { alg: null, kid }],
  ['a list', { alg: ['RS256'], kid }],
  ['none', { alg: 'none', kid }],
  ['None', { alg: 'None', kid }],
  ['nOnE', { alg: 'nOnE', kid }],
  ['in lower case', { alg: 'rs256', kid }],
  ['with a space', { alg: 'RS256 ', kid }],
  ['HS256', { alg: 'HS256', kid }],
  ['RS1, which nobody should use', { alg: 'RS1', kid }],
  ['RS512, which this issuer does not use', { alg: 'RS512', kid }],
  ['PS256, which this issuer does not use', { alg: 'PS256', kid }],
  ['ES256, which this issuer does not use', { alg: 'ES256', kid }],
  ['EdDSA, which this issuer does not use', { alg: 'EdDSA', kid }],
  ['ML-DSA-44', { alg: 'ML-DSA-44', kid }],
  ['a name that every object has', { alg: 'constructor', kid }],
]

describe('alg', () => {
  test.each(algorithms)('%s', async (_, header) => {
    expect(await judge(tokenWith(header))).toEqual({ outcome: 'algorithm_not_allowed', asked: [] })
  })

  test('none without a signature', async () => {
    const token = `${part('{"alg":"none"}')}.${payload}.`
    expect(await judge(token)).toEqual({ outcome: 'malformed', asked: [] })
  })

  test.each([
    ['PEM', cluster.publicKey.export({ type: 'spki', format: 'pem' })],
    ['PEM of PKCS #1', cluster.publicKey.export({ type: 'pkcs1', format: 'pem' })],
    ['DER', cluster.publicKey.export({ type: 'spki', format: 'der' })],
    ['a JWK', JSON.stringify(publicJwk)],
  ])('HS256 with the public key as secret, as %s', async (_, secret) => {
    const signed = `${part(JSON.stringify({ alg: 'HS256', kid }))}.${payload}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    expect(await judge(`${signed}.${mac}`)).toEqual({
      outcome: 'algorithm_not_allowed',
      asked: [],
    })
  })

  test('allowed for the issuer, but not that of the key', async () => {
    const token = await cluster.token({ header: { alg: 'PS256' } })
    expect(await judge(token, ['RS256', 'PS256'])).toEqual({ outcome: 'key_unknown', asked: [kid] })
    expect(await judge(await cluster.token(), ['PS256'])).toEqual({
      outcome: 'algorithm_not_allowed',
      asked: [],
    })
  })

  test('says another than the signature was made with', async () => {
    const keys = localKeys(() => KeySet.from({ keys: [{ kid, ...publicJwk }] }))
    const provider = await providerOf(cluster, { algorithms: ['RS256', 'RS512'], keys })
    const token = tokenWith({ alg: 'RS512', kid })
    expect(outcomeOf(await new Providers([provider], clock).verify(token))).toBe(
      'signature_invalid',
    )
  })
})

describe('an ES256 issuer', async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = await exportJWK(createPublicKey(pair.privateKey))
  const keys = localKeys(() => KeySet.from({ keys: [{ kid: 'ec', ...jwk }] }))
  const provider = await providerOf(cluster, { algorithms: ['ES256'], keys })
  const token = await new SignJWT(cluster.claims())
    .setProtectedHeader({ alg: 'ES256', kid: 'ec' })
    .sign(pair.privateKey)
  const signed = token.slice(0, token.lastIndexOf('.'))
  const signature = Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')
  const half = (bytes: Buffer) => Buffer.concat([Buffer.from([2, 32]), bytes])
  const der = Buffer.concat([
    Buffer.from([48, 68]),
    half(signature.subarray(0, 32)),
    half(signature.subarray(32)),
  ])

  test.each([
    ['as it is', signature, 'accepted'],
    ['all zero', Buffer.alloc(64), 'signature_invalid'],
    ['with r alone', signature.subarray(0, 32), 'signature_invalid'],
    ['with a byte more', Buffer.concat([signature, Buffer.alloc(1)]), 'signature_invalid'],
    ['in DER', der, 'signature_invalid'],
  ])('a signature %s', async (_, bytes, outcome) => {
    const result = await new Providers([provider], clock).verify(`${signed}.${part(bytes)}`)
    expect(outcomeOf(result)).toBe(outcome)
  })
})

const good = { alg: 'RS256', kid }
const others: readonly (readonly [name: string, header: Header, outcome: string])[] = [
  ['typ JWT', { ...good, typ: 'JWT' }, 'accepted'],
  ['typ missing', good, 'accepted'],
  ['typ at+jwt', { ...good, typ: 'at+jwt' }, 'type_not_allowed'],
  ['typ in full', { ...good, typ: 'application/at+jwt' }, 'type_not_allowed'],
  ['typ of an identity assertion', { ...good, typ: 'oauth-id-jag+jwt' }, 'type_not_allowed'],
  ['typ of a DPoP proof', { ...good, typ: 'dpop+jwt' }, 'type_not_allowed'],
  ['typ null', { ...good, typ: null }, 'type_not_allowed'],
  ['typ empty', { ...good, typ: '' }, 'type_not_allowed'],
  ['crit empty', { ...good, crit: [] }, 'header_not_allowed'],
  ['crit that names exp', { ...good, crit: ['exp'], exp: 1 }, 'header_not_allowed'],
  ['crit that is null', { ...good, crit: null }, 'header_not_allowed'],
  ['b64 false', { ...good, b64: false, crit: ['b64'] }, 'header_not_allowed'],
  ['cty', { ...good, cty: 'JWT' }, 'header_not_allowed'],
  ['zip', { ...good, zip: 'DEF' }, 'header_not_allowed'],
  ['enc', { ...good, enc: 'A256GCM' }, 'header_not_allowed'],
  ['x5t', { ...good, x5t: 'AA' }, 'header_not_allowed'],
  ['a member that nobody knows', { ...good, extra: 1 }, 'header_not_allowed'],
  ['kid missing', { alg: 'RS256' }, 'key_unknown'],
  ['kid null', { alg: 'RS256', kid: null }, 'key_unknown'],
  ['kid empty', { alg: 'RS256', kid: '' }, 'key_unknown'],
  ['kid a number', { alg: 'RS256', kid: 0 }, 'key_unknown'],
  ['kid a list', { alg: 'RS256', kid: [kid] }, 'key_unknown'],
  ['kid too long', { alg: 'RS256', kid: 'k'.repeat(257) }, 'key_unknown'],
]

describe('a header with', () => {
  test.each(others)('%s', async (_, header, outcome) => {
    const asked = outcome === 'accepted' ? [kid] : []
    expect(await judge(tokenWith(header))).toEqual({ outcome, asked })
  })

  test.each([
    ['unknown', 'another'],
    ['as long as may be', 'k'.repeat(256)],
    ['that differs in a letter', `${kid.slice(0, -1)}_`],
    ['like a path', '../../../dev/null'],
    ['like a URL', 'https://keys.example/key.pem'],
    ['like SQL', "' UNION SELECT 'key' --"],
    ['with NUL', `${kid}\0`],
    ['that every object has', '__proto__'],
    ['that every object inherits', 'constructor'],
  ])('a kid %s', async (_, other) => {
    const token = tokenWith({ alg: 'RS256', kid: other })
    expect(await judge(token)).toEqual({ outcome: 'key_unknown', asked: [other] })
  })

  test.each(['jku', 'x5u', 'jwk', 'x5c'])(
    '%s of the attacker, who is never asked',
    async (name) => {
      const attacker = new FakeCluster(() => clock.now)
      const server = await serve({ '/keys': { body: JSON.stringify(await attacker.jwks()) } })
      onTestFinished(server.close)
      const jwk = await exportJWK(attacker.publicKey)
      const brought = {
        jku: `${server.origin}/keys`,
        x5u: `${server.origin}/keys`,
        jwk,
        x5c: ['AA'],
      }
      const header = { alg: 'RS256', kid, [name]: Reflect.get(brought, name) as unknown }
      const token = signParts(part(JSON.stringify(header)), payload, attacker.privateKey)
      expect(await judge(token)).toEqual({ outcome: 'header_not_allowed', asked: [] })
      expect(server.seen).toEqual([])
    },
  )
})
