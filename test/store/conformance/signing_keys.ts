import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { SigningKeyRecord } from '../../../src/store/records.ts'
import { StoreFault } from '../../../src/store/store.ts'
import { now, shown, signingKey } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

const odd: readonly { readonly name: string; readonly changes: Partial<SigningKeyRecord> }[] = [
  {
    name: 'every byte',
    changes: { sealedPrivateKey: Uint8Array.from({ length: 256 }, (_, n) => n) },
  },
  { name: 'no byte', changes: { sealedPrivateKey: new Uint8Array(0) } },
  { name: '64 KiB', changes: { sealedPrivateKey: randomBytes(65_536) } },
  { name: 'quotes in a kid', changes: { kid: `a'b"c` } },
  { name: 'SQL in a tenant', changes: { tenant: `a'); DROP TABLE signing_keys; --` } },
  { name: 'the epoch', changes: { createdAt: 0, signsFrom: 0 } },
  { name: 'a moment past 2038', changes: { createdAt: 2 ** 40, signsFrom: 2 ** 40 + 360 } },
  { name: 'retired', changes: { retiredAt: now + 1 } },
]

export function signingKeyConformance({ group, test }: StoreTests): void {
  group('the first signing key', () => {
    test('a tenant has no keys at first', async ([one]) => {
      expect(await one.signingKeys('acme-corp')).toEqual([])
    })

    test('is kept, for every way in', async (ways) => {
      const first = signingKey()
      expect(shown(await ways[0].keepFirstSigningKey(first))).toEqual([shown(first)])
      for (const way of ways) {
        expect(shown(await way.signingKeys('acme-corp'))).toEqual([shown(first)])
      }
    })

    test('a later one is not kept, and the answer is the one that was', async (ways) => {
      const first = signingKey()
      await ways[0].keepFirstSigningKey(first)
      for (const way of ways) {
        const kept = await way.keepFirstSigningKey(signingKey({ kid: 'later', createdAt: 1 }))
        expect(shown(kept)).toEqual([shown(first)])
      }
      expect(shown(await ways[1].signingKeys('acme-corp'))).toEqual([shown(first)])
    })

    test('a later one is not kept when it has the same kid', async ([one, other]) => {
      const first = signingKey()
      await one.keepFirstSigningKey(first)
      const kept = await other.keepFirstSigningKey(signingKey({ algorithm: 'RS256' }))
      expect(shown(kept)).toEqual([shown(first)])
    })

    test('tenants do not see each other, even with the same kid', async ([one, other]) => {
      const acme = signingKey()
      const globex = signingKey({ tenant: 'globex' })
      await one.keepFirstSigningKey(acme)
      expect(await other.signingKeys('globex')).toEqual([])
      await other.keepFirstSigningKey(globex)
      expect(shown(await one.signingKeys('acme-corp'))).toEqual([shown(acme)])
      expect(shown(await one.signingKeys('globex'))).toEqual([shown(globex)])
      expect(await one.signingKeys('ACME-CORP')).toEqual([])
    })

    for (const { name, changes } of odd) {
      test(`comes back as it went: ${name}`, async ([one, other]) => {
        const first = signingKey(changes)
        await one.keepFirstSigningKey(first)
        expect(shown(await other.signingKeys(first.tenant))).toEqual([shown(first)])
      })
    }

    test('of 40 that are first at once, one is, and all are told which', async (ways) => {
      const wanted = Array.from({ length: 40 }, (_, at) => signingKey({ kid: `kid-${String(at)}` }))
      const answers = await atOnce(ways, wanted.length, (way, at) =>
        way.keepFirstSigningKey(wanted[at] ?? signingKey()),
      )
      const [winner] = await ways[0].signingKeys('acme-corp')
      expect(wanted.map(({ kid }) => kid)).toContain(winner?.kid)
      expect(shown(answers)).toEqual(wanted.map(() => [shown(winner)]))
    })

    test('many tenants at once each get a key of their own', async (ways) => {
      await atOnce(ways, 30, (way, at) => {
        const tenant = `tenant-${String(at % 10)}`
        return way.keepFirstSigningKey(signingKey({ tenant, kid: `${tenant}-${String(at)}` }))
      })
      for (let at = 0; at < 10; at++) {
        const tenant = `tenant-${String(at)}`
        const kept = await ways[1].signingKeys(tenant)
        expect(kept.map((one) => one.tenant)).toEqual([tenant])
        expect(kept[0]?.kid.startsWith(`${tenant}-`)).toBe(true)
      }
    })
  })

  group('more signing keys', () => {
    test('are kept beside the first, oldest first', async ([one, other]) => {
      const keys = [
        signingKey({ kid: 'a', createdAt: 1 }),
        signingKey({ kid: 'b', createdAt: 3, signsFrom: 363 }),
        signingKey({ kid: 'c', createdAt: 3 }),
        signingKey({ kid: 'd', createdAt: 2 }),
      ]
      for (const key of keys.toReversed()) await one.addSigningKey(key)
      const [a, b, c, d] = keys
      expect(shown(await other.signingKeys('acme-corp'))).toEqual(shown([a, d, b, c]))
    })

    test('one of the same kid is refused, and the one that is there stays', async ([
      one,
      other,
    ]) => {
      const first = signingKey()
      await one.addSigningKey(first)
      await expect(other.addSigningKey(signingKey())).rejects.toBeInstanceOf(StoreFault)
      expect(shown(await one.signingKeys('acme-corp'))).toEqual([shown(first)])
    })
  })

  retirement({ group, test })
}

const retirements = [
  {
    name: 'one of two that sign',
    keys: [signingKey({ kid: 'old' }), signingKey({ kid: 'new' })],
    outcome: 'retired',
  },
  { name: 'the only one', keys: [signingKey({ kid: 'old' })], outcome: 'last' },
  {
    name: 'the only one that signs yet',
    keys: [signingKey({ kid: 'old' }), signingKey({ kid: 'new', signsFrom: now + 361 })],
    outcome: 'last',
  },
  {
    name: 'when the other begins to sign at that very second',
    keys: [signingKey({ kid: 'old' }), signingKey({ kid: 'new', signsFrom: now + 360 })],
    outcome: 'retired',
  },
  {
    name: 'when the other is retired',
    keys: [signingKey({ kid: 'old' }), signingKey({ kid: 'new', retiredAt: now })],
    outcome: 'last',
  },
  {
    name: 'one that does not sign yet',
    keys: [signingKey({ kid: 'old', signsFrom: now + 999 }), signingKey({ kid: 'new' })],
    outcome: 'retired',
  },
  {
    name: 'one that is retired already',
    keys: [signingKey({ kid: 'old', retiredAt: now }), signingKey({ kid: 'new' })],
    outcome: 'unknown',
  },
  { name: 'one that is not there', keys: [signingKey({ kid: 'new' })], outcome: 'unknown' },
  {
    name: 'one of another tenant',
    keys: [signingKey({ kid: 'old', tenant: 'globex' }), signingKey({ kid: 'new' })],
    outcome: 'unknown',
  },
] as const

function retirement({ group, test }: StoreTests): void {
  group('retiring a signing key', () => {
    for (const { name, keys, outcome } of retirements) {
      test(`${name}: ${outcome}`, async ([one, other]) => {
        for (const key of keys) await one.addSigningKey(key)
        expect(await other.retireSigningKey('acme-corp', 'old', now + 360)).toBe(outcome)
        const expected = keys
          .filter(({ tenant }) => tenant === 'acme-corp')
          .map((key) =>
            key.kid === 'old' && outcome === 'retired' ? { ...key, retiredAt: now + 360 } : key,
          )
        const kept = await one.signingKeys('acme-corp')
        expect(new Set(kept.map(shown))).toEqual(new Set(expected.map(shown)))
      })
    }

    test('of all keys at once, one stays', async (ways) => {
      const kids = Array.from({ length: 20 }, (_, at) => `kid-${String(at)}`)
      for (const kid of kids) await ways[0].addSigningKey(signingKey({ kid }))
      const outcomes = await atOnce(ways, kids.length, (way, at) =>
        way.retireSigningKey('acme-corp', kids[at] ?? '', now),
      )
      expect(tally(outcomes)).toEqual({ retired: 19, last: 1 })
    })
  })
}
