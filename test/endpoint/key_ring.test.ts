import { beforeEach, expect, test } from 'vitest'
import { decodeProtectedHeader } from 'jose'
import { Seal } from '../../src/endpoint/sealing.ts'
import {
  makeSigningKey,
  openSigner,
  PUBLISHED_BEFORE_SECONDS,
  type Signer,
} from '../../src/endpoint/signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { StoreFault, type Store } from '../../src/store/store.ts'
import { FakeClock } from '../fakes/clock.ts'

const TENANT = 'acme-corp'
const LAST_TOKEN_SECONDS = 86_400
const seal = new Seal(systemRandom.bytes(32), systemRandom)

let clock: FakeClock
let store: Store
let signer: Signer
let first: string

beforeEach(async () => {
  clock = new FakeClock()
  store = memoryStore()
  signer = await openSigner(TENANT, 'ES256', { store, seal, clock })
  first = kids()[0] ?? ''
})

const kids = () => signer.jwks().keys.map(({ kid }) => kid ?? '')
const signedBy = async () => decodeProtectedHeader(await signer.sign({ sub: 'x' }, 'at+jwt')).kid
const seconds = (count: number) => {
  clock.advance(count * 1000)
}

/** As `keys rotate` does. */
async function rotate(algorithm = 'ES256'): Promise<string> {
  seconds(1)
  const from = clock.now + PUBLISHED_BEFORE_SECONDS
  const key = await makeSigningKey(TENANT, algorithm, from, { seal, clock })
  await store.addSigningKey(key)
  await signer.look()
  return key.kid
}

test('a new key is published at once and signs when nobody can hold a key set without it', async () => {
  const next = await rotate()
  expect(kids()).toEqual([first, next])
  seconds(PUBLISHED_BEFORE_SECONDS - 1)
  expect(await signedBy()).toBe(first)
  seconds(1)
  expect(await signedBy()).toBe(next)
  expect(kids()).toEqual([first, next])
})

test('a retired key verifies until its last token has expired, and not a second longer', async () => {
  await rotate()
  seconds(PUBLISHED_BEFORE_SECONDS)
  expect(await store.retireSigningKey(TENANT, first, clock.now)).toBe('retired')
  await signer.look()
  seconds(LAST_TOKEN_SECONDS - 1)
  expect(kids()).toContain(first)
  expect(signer.verificationKey(first, 'ES256')).toBeDefined()
  seconds(1)
  expect(kids()).not.toContain(first)
  expect(signer.verificationKey(first, 'ES256')).toBeUndefined()
})

test('a key of another algorithm follows on the first', async () => {
  const next = await rotate('PS256')
  expect(signer.algorithms()).toEqual(['ES256', 'PS256'])
  expect(signer.algorithm()).toBe('ES256')
  seconds(PUBLISHED_BEFORE_SECONDS)
  expect(signer.algorithm()).toBe('PS256')
  expect(await signedBy()).toBe(next)
})

test('a key verifies with its own algorithm and no other', () => {
  expect(signer.verificationKey(first, 'ES256')).toBeDefined()
  expect(signer.verificationKey(first, 'RS256')).toBeUndefined()
  expect(signer.verificationKey('unknown', 'ES256')).toBeUndefined()
})

test('a store that is out leaves the keys as they are', async () => {
  let out = false
  const signingKeys: Store['signingKeys'] = (tenant) =>
    out ? Promise.reject(new StoreFault('the disk is full')) : store.signingKeys(tenant)
  signer = await openSigner(TENANT, 'ES256', { store: { ...store, signingKeys }, seal, clock })
  out = true
  await expect(signer.look()).rejects.toBeInstanceOf(StoreFault)
  expect(kids()).toEqual([first])
  expect(await signedBy()).toBe(first)
})
