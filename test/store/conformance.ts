import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { SigningKeyRecord, Store } from '../../src/store/store.ts'

/** Some ways in to one and the same store, empty at first. */
export interface OpenedStore {
  readonly ways: readonly [Store, Store, ...Store[]]
  close(): Promise<void>
}

export function record(changes: Partial<SigningKeyRecord> = {}): SigningKeyRecord {
  return {
    tenant: 'acme-corp',
    kid: 'first',
    algorithm: 'ES256',
    sealedPrivateKey: randomBytes(48),
    createdAt: 1_795_219_200,
    ...changes,
  }
}

/** A record with its bytes as text: stores differ in which kind of byte array they answer with. */
export function shown({ sealedPrivateKey, ...others }: SigningKeyRecord) {
  return { ...others, sealedPrivateKey: Buffer.from(sealedPrivateKey).toString('hex') }
}

const odd: readonly { readonly name: string; readonly changes: Partial<SigningKeyRecord> }[] = [
  {
    name: 'every byte',
    changes: { sealedPrivateKey: Uint8Array.from({ length: 256 }, (_, n) => n) },
  },
  { name: 'no byte', changes: { sealedPrivateKey: new Uint8Array(0) } },
  { name: '64 KiB', changes: { sealedPrivateKey: randomBytes(65_536) } },
  { name: 'quotes in a kid', changes: { kid: `a'b"c` } },
  { name: 'SQL in a tenant', changes: { tenant: `a'); DROP TABLE signing_keys_1; --` } },
  { name: 'the epoch', changes: { createdAt: 0 } },
  { name: 'a moment past 2038', changes: { createdAt: 2 ** 40 } },
]

/** What every store must do, parallel cases included. */
export function storeConformance(name: string, open: () => Promise<OpenedStore>): void {
  const withStore = async (use: (opened: OpenedStore) => Promise<void>): Promise<void> => {
    const opened = await open()
    try {
      await use(opened)
    } finally {
      await opened.close()
    }
  }

  describe(`${name} keeps what every store keeps`, () => {
    test('a tenant has no keys at first', () =>
      withStore(async ({ ways: [one] }) => {
        expect(await one.signingKeys('acme-corp')).toEqual([])
      }))

    test('the first key is kept, for every way in', () =>
      withStore(async ({ ways }) => {
        const first = record()
        const kept = await ways[0].keepFirstSigningKey(first)
        expect(kept.map(shown)).toEqual([shown(first)])
        for (const way of ways) {
          expect((await way.signingKeys('acme-corp')).map(shown)).toEqual([shown(first)])
        }
      }))

    test('a later first key is not kept, and the answer is the one that was', () =>
      withStore(async ({ ways }) => {
        const first = record()
        await ways[0].keepFirstSigningKey(first)
        for (const way of ways) {
          const kept = await way.keepFirstSigningKey(record({ kid: 'later', createdAt: 1 }))
          expect(kept.map(shown)).toEqual([shown(first)])
        }
        expect((await ways[1].signingKeys('acme-corp')).map(shown)).toEqual([shown(first)])
      }))

    test('a later first key is not kept when it has the same kid', () =>
      withStore(async ({ ways: [one, other] }) => {
        const first = record()
        await one.keepFirstSigningKey(first)
        const kept = await other.keepFirstSigningKey(record({ algorithm: 'RS256' }))
        expect(kept.map(shown)).toEqual([shown(first)])
      }))

    test('tenants do not see each other, even with the same kid', () =>
      withStore(async ({ ways: [one, other] }) => {
        const acme = record()
        const globex = record({ tenant: 'globex' })
        await one.keepFirstSigningKey(acme)
        expect(await other.signingKeys('globex')).toEqual([])
        await other.keepFirstSigningKey(globex)
        expect((await one.signingKeys('acme-corp')).map(shown)).toEqual([shown(acme)])
        expect((await one.signingKeys('globex')).map(shown)).toEqual([shown(globex)])
        expect(await one.signingKeys('ACME-CORP')).toEqual([])
      }))

    for (const { name: what, changes } of odd) {
      test(`a record comes back as it went: ${what}`, () =>
        withStore(async ({ ways: [one, other] }) => {
          const first = record(changes)
          await one.keepFirstSigningKey(first)
          expect((await other.signingKeys(first.tenant)).map(shown)).toEqual([shown(first)])
        }))
    }

    test('of 40 that are first at once, one is, and all are told which', () =>
      withStore(async ({ ways }) => {
        const wanted = Array.from({ length: 40 }, (_, at) => record({ kid: `kid-${String(at)}` }))
        const answers = await Promise.all(
          wanted.map((one, at) => (ways[at % ways.length] ?? ways[0]).keepFirstSigningKey(one)),
        )
        const [winner] = await ways[0].signingKeys('acme-corp')
        const kids = answers.map((kept) => kept.map(({ kid }) => kid))
        expect(kids).toEqual(wanted.map(() => [winner?.kid]))
        expect(wanted.map(({ kid }) => kid)).toContain(winner?.kid)
        expect(answers.flat().map(shown)).toEqual(wanted.map(() => winner && shown(winner)))
      }))

    test('many tenants at once each get a key of their own', () =>
      withStore(async ({ ways }) => {
        const wanted = Array.from({ length: 30 }, (_, at) => {
          const tenant = `tenant-${String(at % 10)}`
          return record({ tenant, kid: `${tenant}-${String(at)}` })
        })
        await Promise.all(
          wanted.map((one, at) => (ways[at % ways.length] ?? ways[0]).keepFirstSigningKey(one)),
        )
        for (const tenant of new Set(wanted.map((one) => one.tenant))) {
          const kept = await ways[1].signingKeys(tenant)
          expect(kept.map((one) => one.tenant)).toEqual([tenant])
          expect(kept[0]?.kid.startsWith(`${tenant}-`)).toBe(true)
        }
      }))
  })
}
