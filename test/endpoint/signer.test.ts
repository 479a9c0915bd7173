import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Seal, SealFault } from '../../src/endpoint/sealing.ts'
import { openSigner, SigningKeyFault, type Signer } from '../../src/endpoint/signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { FakeClock } from '../fakes/clock.ts'
import { newFolder } from '../fakes/running_authority.ts'

const clock = new FakeClock()
const key = systemRandom.bytes(32)
const seal = new Seal(key, systemRandom)

let folder: string
let file: string

beforeEach(async () => {
  folder = await newFolder()
  file = join(folder, 'authority.sqlite')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Opens the file, opens a signer, does something, closes the file. */
async function withSigner<T>(
  tenant: string,
  algorithm: string,
  use: (signer: Signer) => T | Promise<T>,
  sealed: Seal = seal,
): Promise<T> {
  const store = sqliteStore(file)
  try {
    return await use(await openSigner(tenant, algorithm, { store, seal: sealed, clock }))
  } finally {
    await store.close()
  }
}

function verify(
  token: string,
  signer: Pick<Signer, 'jwks'> | { jwks: ReturnType<Signer['jwks']> },
) {
  const { keys } = typeof signer.jwks === 'function' ? signer.jwks() : signer.jwks
  const currentDate = new Date(clock.wall())
  return jwtVerify(token, createLocalJWKSet({ keys: [...keys] }), { currentDate })
}

const algorithms = [
  { algorithm: 'RS256', members: ['alg', 'e', 'kid', 'kty', 'n', 'use'] },
  { algorithm: 'PS256', members: ['alg', 'e', 'kid', 'kty', 'n', 'use'] },
  { algorithm: 'ES256', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'] },
  { algorithm: 'EdDSA', members: ['alg', 'crv', 'kid', 'kty', 'use', 'x'] },
]

for (const { algorithm, members } of algorithms) {
  test(`${algorithm}: signs, and shows a public key named by its thumbprint`, async () => {
    const signer = await openSigner('acme', algorithm, { store: memoryStore(), seal, clock })
    const [jwk = {}] = signer.jwks().keys
    expect(signer.jwks().keys).toHaveLength(1)
    expect(Object.keys(jwk).toSorted()).toEqual(members)
    const { kty, crv, e, n, x, y } = jwk
    const kid = await calculateJwkThumbprint({ kty, crv, e, n, x, y } as typeof jwk & {
      kty: string
    })
    expect(jwk).toMatchObject({ kid, use: 'sig', alg: algorithm })
    const { payload, protectedHeader } = await verify(
      await signer.sign({ sub: 'x' }, 'at+jwt'),
      signer,
    )
    expect(payload).toEqual({ sub: 'x' })
    expect(protectedHeader).toEqual({ alg: algorithm, typ: 'at+jwt', kid })
  })
}

describe('the first key', () => {
  test('is made once, and kept over a restart', async () => {
    const first = await withSigner('acme', 'ES256', async (signer) => ({
      jwks: signer.jwks(),
      token: await signer.sign({ sub: 'x' }, 'at+jwt'),
    }))
    const second = await withSigner('acme', 'ES256', (signer) => ({ jwks: signer.jwks() }))
    expect(second.jwks).toEqual(first.jwks)
    expect((await verify(first.token, second)).payload).toEqual({ sub: 'x' })
  })

  test('is one key each for two tenants', async () => {
    const kids = [
      await withSigner('acme', 'ES256', (signer) => signer.jwks().keys[0]?.kid),
      await withSigner('globex', 'ES256', (signer) => signer.jwks().keys[0]?.kid),
    ]
    expect(new Set(kids).size).toBe(2)
  })

  const stores: readonly { name: string; open: () => readonly Store[] }[] = [
    {
      name: 'four connections to one file',
      open: () => Array.from({ length: 4 }, () => sqliteStore(file)),
    },
    {
      name: 'one store in memory',
      open: () => {
        const store = memoryStore()
        return [store, store, store, store]
      },
    },
  ]

  for (const { name, open } of stores) {
    test(`is one for all that start at once: ${name}`, async () => {
      const opened = open()
      const signers = await Promise.all(
        opened.map((store) => openSigner('acme', 'ES256', { store, seal, clock })),
      )
      const [first, ...others] = signers
      expect(first?.jwks().keys).toHaveLength(1)
      expect(others.map((other) => other.jwks())).toEqual(others.map(() => first?.jwks()))
      for (const signer of signers) {
        const token = await signer.sign({ sub: 'x' }, 'at+jwt')
        for (const other of signers) {
          expect((await verify(token, other)).payload).toEqual({ sub: 'x' })
        }
      }
      await Promise.all(opened.map((store) => store.close()))
    })
  }
})

/** A seal that remembers what it was given to close. */
class RememberingSeal extends Seal {
  readonly plain: Buffer[] = []

  override close(plain: Uint8Array, name: string): Buffer {
    this.plain.push(Buffer.from(plain))
    return super.close(plain, name)
  }
}

/** Every way in which a private key might stand in a file: PEM, DER, and each private member, as bytes and as text. */
function tracesOf(pem: string): readonly Buffer[] {
  const privateKey = createPrivateKey(pem)
  const { d, p, q, dp, dq, qi } = privateKey.export({ format: 'jwk' })
  const members = [d, p, q, dp, dq, qi].filter((member) => member !== undefined)
  return [
    Buffer.from('PRIVATE KEY'),
    Buffer.from(pem.split('\n')[1] ?? ''),
    privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-64),
    ...members.flatMap((member) => [
      Buffer.from(member),
      Buffer.from(member, 'base64url'),
      Buffer.from(Buffer.from(member, 'base64url').toString('base64')),
      Buffer.from(Buffer.from(member, 'base64url').toString('hex')),
    ]),
  ]
}

for (const { algorithm } of algorithms) {
  test(`${algorithm}: nothing of the private key lies in the files in clear`, async () => {
    const remembering = new RememberingSeal(key, systemRandom)
    const bytes = await withSigner('acme', algorithm, allBytes, remembering)
    const closed = await allBytes()
    const pem = remembering.plain[0]?.toString('utf8') ?? ''
    expect(pem).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
    const found = tracesOf(pem).filter((trace) => bytes.includes(trace) || closed.includes(trace))
    expect(found).toEqual([])
    const kid = await calculateJwkThumbprint(await exportJWK(createPublicKey(pem)))
    expect(bytes.includes(Buffer.from(kid))).toBe(true)
  })
}

async function allBytes(): Promise<Buffer> {
  const names = await readdir(folder)
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))))
}

const WRONG_KEY = 'a signing key cannot be decrypted: is this the key file it was stored with?'

/** Changes the file behind the program's back. */
function tamper(sql: string): void {
  const database = new DatabaseSync(file)
  database.exec(sql)
  database.close()
}

const swapKeys = `
  CREATE TABLE other AS SELECT tenant, sealed_private_key FROM signing_keys;
  UPDATE signing_keys SET sealed_private_key =
    (SELECT sealed_private_key FROM other WHERE other.tenant <> signing_keys.tenant)`
const swapTenants = `
  UPDATE signing_keys SET tenant = CASE tenant WHEN 'acme' THEN 'globex' ELSE 'acme' END`

const tampered = [
  { name: 'sealed keys swapped between tenants', sql: swapKeys },
  { name: 'whole rows swapped between tenants', sql: swapTenants },
  { name: 'another kid', sql: `UPDATE signing_keys SET kid = 'x' || kid` },
  { name: 'an empty key', sql: `UPDATE signing_keys SET sealed_private_key = x''` },
  {
    name: 'a key cut short',
    sql: 'UPDATE signing_keys SET sealed_private_key = substr(sealed_private_key, 1, 60)',
  },
  {
    name: 'a key made longer',
    sql: `UPDATE signing_keys SET sealed_private_key = CAST(sealed_private_key || x'00' AS BLOB)`,
  },
]

describe('a store that was changed', () => {
  for (const { name, sql } of tampered) {
    test(`is refused: ${name}`, async () => {
      await withSigner('acme', 'ES256', () => {})
      await withSigner('globex', 'ES256', () => {})
      tamper(sql)
      for (const tenant of ['acme', 'globex']) {
        await expect(withSigner(tenant, 'ES256', () => {})).rejects.toThrow(
          new SealFault(WRONG_KEY),
        )
      }
    })
  }

  test('gets no public key published that nobody sealed', async () => {
    await withSigner('acme', 'ES256', () => {})
    tamper(`INSERT INTO signing_keys VALUES ('acme', 'planted', 'RS256', x'00', 0, 0, NULL)`)
    await expect(withSigner('acme', 'ES256', () => {})).rejects.toThrow(new SealFault(WRONG_KEY))
  })
})

test('another algorithm in the configuration is refused with a sentence', async () => {
  await withSigner('acme', 'ES256', () => {})
  await expect(withSigner('acme', 'RS256', () => {})).rejects.toThrow(
    new SigningKeyFault(
      'tenant acme has no RS256 signing key: its keys are ES256; lumo-broker keys rotate makes one',
    ),
  )
})

test('another key file is refused with a sentence', async () => {
  await withSigner('acme', 'ES256', () => {})
  const other = new Seal(systemRandom.bytes(32), systemRandom)
  await expect(withSigner('acme', 'ES256', () => {}, other)).rejects.toThrow(
    new SealFault(WRONG_KEY),
  )
})
