import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { SignatureAlgorithm } from '../../src/verifier/keys/algorithms.ts'
import { parseCompactJws, type UnverifiedJws } from '../../src/verifier/jws.ts'
import { KeySet } from '../../src/verifier/keys/key_set.ts'
import { localKeys } from '../../src/verifier/keys/key_source.ts'
import { Providers } from '../../src/verifier/registry.ts'
import { Signatures } from '../../src/verifier/signature.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { outcomeOf, providerOf } from '../fakes/provider.ts'
import { part } from '../fakes/raw_token.ts'
import { signJws } from '../fakes/token_issuer.ts'

const pairs = {
  rsa: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  p256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  ed25519: generateKeyPairSync('ed25519'),
}

let clock = new FakeClock()
let signatures = new Signatures(clock)
beforeEach(() => {
  clock = new FakeClock()
  signatures = new Signatures(clock)
})

function parsed(token: string): UnverifiedJws {
  const jws = parseCompactJws(token)
  if (typeof jws === 'string') throw new Error(`the token is ${jws}`)
  return jws
}

/** A token with a signature of ES256 that is its own for each number. */
function tokenOf(number: number, pair = pairs.p256): UnverifiedJws {
  return parsed(signJws({ alg: 'ES256' }, JSON.stringify({ number }), pair.privateKey))
}

describe('a signature of any bytes', () => {
  const kinds: readonly (readonly [SignatureAlgorithm, keyof typeof pairs])[] = [
    ['RS256', 'rsa'],
    ['PS512', 'rsa'],
    ['ES256', 'p256'],
    ['ES384', 'p384'],
    ['ES512', 'p521'],
    ['EdDSA', 'ed25519'],
  ]
  const lengths = [1, 2, 32, 63, 64, 65, 96, 128, 132, 255, 256, 257, 1_000]

  test.each(kinds)('of %s is judged and never thrown at', async (alg, name) => {
    const head = `${part(JSON.stringify({ alg }))}.${part('{}')}`
    for (const length of lengths) {
      for (const byte of [0, 1, 255]) {
        const jws = parsed(`${head}.${part(Buffer.alloc(length, byte))}`)
        expect(await signatures.isGood(jws, alg, pairs[name].publicKey)).toBe(false)
      }
    }
  })
})

/**
 * Whether a verdict is remembered: asked about an algorithm with which the token is not good, only a memory can say that it
 * is. That never happens outside of a test, for the algorithm stands in the token.
 */
function remembers(jws: UnverifiedJws, key = pairs.p256.publicKey): Promise<boolean> {
  return signatures.isGood(jws, 'ES384', key)
}

const good = (jws: UnverifiedJws, key = pairs.p256.publicKey): Promise<boolean> =>
  signatures.isGood(jws, 'ES256', key)

describe('a signature that was good', () => {
  test('needs no second look', async () => {
    const jws = tokenOf(1)
    expect(await remembers(jws)).toBe(false)
    expect(await good(jws)).toBe(true)
    expect(await remembers(jws)).toBe(true)
  })

  test.each([
    [59_999, true],
    [60_000, false],
    [3_600_000, false],
  ])('is remembered for a minute: after %i ms %s', async (ms, expected) => {
    const jws = tokenOf(1)
    expect(await good(jws)).toBe(true)
    clock.advance(ms)
    expect(await remembers(jws)).toBe(expected)
    expect(await good(jws)).toBe(true)
    expect(await remembers(jws)).toBe(true)
  })

  test('is not remembered for longer because it is asked about', async () => {
    const jws = tokenOf(1)
    await good(jws)
    clock.advance(40_000)
    await good(jws)
    clock.advance(20_000)
    expect(await remembers(jws)).toBe(false)
  })

  test('is remembered by a clock that no administrator can set back', async () => {
    const jws = tokenOf(1)
    await good(jws)
    clock.jump(-3_600_000)
    clock.advance(60_000)
    expect(await remembers(jws)).toBe(false)
  })

  test('is remembered of this token alone', async () => {
    const [one, two] = [tokenOf(1), tokenOf(2)]
    expect(await good(one)).toBe(true)
    expect(await remembers(two)).toBe(false)
    const spliced = [...two.compact.split('.').slice(0, 2), one.compact.split('.')[2]].join('.')
    expect(await good(parsed(spliced))).toBe(false)
  })

  test('is remembered of this very key, so that a set that was fetched anew leaves none', async () => {
    const jws = tokenOf(1)
    expect(await good(jws)).toBe(true)
    const same = createPublicKey(pairs.p256.privateKey)
    expect(await remembers(jws, same)).toBe(false)
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    expect(await good(jws, other)).toBe(false)
    expect(await remembers(jws)).toBe(true)
  })
})

test('a signature that was not good is not remembered, and takes nobody his place', async () => {
  const jws = tokenOf(1)
  await good(jws)
  for (let number = 0; number < 100; number++) {
    const bad = tokenOf(number, generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    expect(await good(bad)).toBe(false)
    expect(await remembers(bad)).toBe(false)
  }
  expect(await remembers(jws)).toBe(true)
})

test('no more than 10 000 are remembered, those that were last asked about', async () => {
  const tokens = Array.from({ length: 10_001 }, (_, number) => tokenOf(number))
  const [first, second, ...rest] = tokens as [UnverifiedJws, UnverifiedJws, ...UnverifiedJws[]]
  await good(first)
  await good(second)
  for (const jws of rest.slice(0, -1)) await good(jws)
  expect(await remembers(first)).toBe(true)
  for (const jws of rest.slice(-1)) await good(jws)
  const forgotten: UnverifiedJws[] = []
  for (const jws of tokens) if (!(await remembers(jws))) forgotten.push(jws)
  expect(forgotten).toEqual([second])
})

describe('what is remembered is the signature and nothing else', () => {
  const cluster = new FakeCluster(() => clock.now)

  /** A verifier over a set that can be replaced. */
  async function rotating() {
    let keys = KeySet.from(await cluster.jwks())
    const provider = await providerOf(cluster, { keys: localKeys(() => keys), node: 'worker-1' })
    return {
      verifier: new Providers([provider], clock),
      publish: (set: KeySet) => {
        keys = set
      },
    }
  }

  test('a token that has expired is refused, however lately it was good', async () => {
    const { verifier } = await rotating()
    const token = await cluster.token({ claims: { exp: clock.now + 20 } })
    expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
    clock.advance(49_000)
    expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
    clock.advance(1_000)
    expect(outcomeOf(await verifier.verify(token))).toBe('expired')
  })

  test('so is one whose key was withdrawn', async () => {
    const { verifier, publish } = await rotating()
    const token = await cluster.token()
    expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
    publish(KeySet.from({ keys: [] }))
    expect(outcomeOf(await verifier.verify(token))).toBe('key_unknown')
  })

  test('so is one whose key was replaced under its name', async () => {
    const { verifier, publish } = await rotating()
    const token = await cluster.token()
    expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
    const jwk = pairs.rsa.publicKey.export({ format: 'jwk' })
    publish(KeySet.from({ keys: [{ ...jwk, kid: cluster.kid }] }))
    expect(outcomeOf(await verifier.verify(token))).toBe('signature_invalid')
    publish(KeySet.from(await cluster.jwks()))
    expect(outcomeOf(await verifier.verify(token))).toBe('accepted')
  })

  test('claims are judged each time', async () => {
    const { verifier } = await rotating()
    const token = await cluster.token({ bound: { node: { name: 'worker-2' } } })
    for (let time = 0; time < 3; time++) {
      expect(outcomeOf(await verifier.verify(token))).toBe('node_mismatch')
    }
  })
})
