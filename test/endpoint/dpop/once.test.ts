import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DpopWorld, type DpopKey } from '../../fakes/dpop.ts'

const JTI = 'a-jti-of-a-test-0001'

function shown() {
  const world = new DpopWorld()
  const key = world.key()
  return { world, key, proof: key.proof(world.claims({ jti: JTI })) }
}

/** The order of the group of P-256 (FIPS 186-5). */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

/** ECDSA: (r, -s) is a good signature wherever (r, s) is, and anybody can make the one of the other. */
function withTheOtherSignature(proof: string): string {
  const [header = '', payload = '', signature = ''] = proof.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const other = Buffer.from((ORDER - s).toString(16).padStart(64, '0'), 'hex')
  const malleated = Buffer.concat([bytes.subarray(0, 32), other])
  return `${header}.${payload}.${malleated.toString('base64url')}`
}

type Again = (world: DpopWorld, key: DpopKey, proof: string) => string

const replays: readonly (readonly [name: string, again: Again])[] = [
  ['as it was', (_world, _key, proof) => proof],
  ['with its other signature', (_world, _key, proof) => withTheOtherSignature(proof)],
  [
    'its jti in a new proof',
    (world, key) => key.proof(world.claims({ jti: JTI, iat: world.clock.now + 1 })),
  ],
  ['its jti with a kid', (world, key) => key.proof(world.claims({ jti: JTI }), { kid: 'k' })],
]

describe('a proof is good once', () => {
  test.each(replays)('%s', async (_, again) => {
    const { world, key, proof } = shown()
    expect(await world.outcome(proof)).toBe(key.jkt)
    expect(await world.outcome(again(world, key, proof))).toBe('dpop_replayed')
  })

  test('of 20 that show it at once, for one', async () => {
    const { world, key, proof } = shown()
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => world.outcome(proof)))
    expect(outcomes.filter((outcome) => outcome === key.jkt)).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'dpop_replayed')).toHaveLength(19)
  })

  test.each([-60, -1, 0, 5])('until its time is over, made %d s from now', async (offset) => {
    const world = new DpopWorld({ nonceRequired: false })
    const key = world.key()
    const iat = world.clock.now + offset
    const proof = key.proof(world.claims({ iat, nonce: undefined }))
    expect(await world.outcome(proof)).toBe(key.jkt)
    while (world.clock.now <= iat + 60) {
      expect(await world.outcome(proof)).toBe('dpop_replayed')
      world.clock.advance(1_000)
    }
    expect(await world.outcome(proof)).toBe('dpop_time')
  })
})

describe('a proof is no obstacle to', () => {
  test('one of another key with the same jti', async () => {
    const { world, proof } = shown()
    await world.outcome(proof)
    const other = world.key()
    expect(await world.outcome(other.proof(world.claims({ jti: JTI })))).toBe(other.jkt)
  })

  test('one of the same key with another jti', async () => {
    const { world, key, proof } = shown()
    await world.outcome(proof)
    expect(await world.outcome(key.proof(world.claims({ jti: `${JTI}x` })))).toBe(key.jkt)
  })

  test('itself at another tenant', async () => {
    const { world, key, proof } = shown()
    await world.outcome(proof)
    expect(await world.outcome(proof, { tenant: 'globex' })).toBe(key.jkt)
  })

  test('itself, when it was refused before for something else', async () => {
    const { world, key, proof } = shown()
    expect(await world.outcome(proof, { method: 'GET' })).toBe('dpop_method')
    expect(await world.outcome(proof)).toBe(key.jkt)
  })
})

test('what is kept of a proof is its key and a hash, a little longer than its time', async () => {
  const { world, key, proof } = shown()
  await world.outcome(proof)
  expect(world.store.taken).toEqual([
    {
      tenant: 'acme-corp',
      owner: `dpop:${key.jkt}`,
      jti: createHash('sha256').update(JTI).digest('base64url'),
      expiresAt: world.clock.now + 65,
    },
  ])
})
