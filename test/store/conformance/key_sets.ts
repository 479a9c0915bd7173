import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { keySet, now, shown } from '../records.ts'
import { atOnce, type StoreTests } from './opened.ts'

const DAYS = 86_400

const odd = [
  { name: 'every byte', changes: { sealed: Uint8Array.from({ length: 256 }, (_, n) => n) } },
  { name: 'no byte', changes: { sealed: new Uint8Array(0) } },
  { name: 'the largest set', changes: { sealed: randomBytes(524_316) } },
  { name: 'quotes and SQL in a name', changes: { name: `a'b"c'); DROP TABLE key_sets; --` } },
  { name: 'the epoch', changes: { fetchedAt: 0 } },
  { name: 'a moment past 2038', changes: { fetchedAt: 2 ** 40 } },
]

const followers = [
  { name: 'that was fetched later replaces it', at: now + 1, replaces: true },
  { name: 'that was fetched in the same second replaces it', at: now, replaces: true },
  { name: 'that was fetched before does not', at: now - 1, replaces: false },
]

const neighbours = [
  { name: 'stays for thirty days', at: now - 30 * DAYS, there: true },
  { name: 'is dropped after thirty days', at: now - 30 * DAYS - 1, there: false },
  { name: 'of another tenant stays', at: 1, tenant: 'globex', there: true },
]

export function keySetConformance({ group, test }: StoreTests): void {
  group('a kept key set', () => {
    test('there is none at first', async ([one]) => {
      expect(await one.keptKeySet('acme-corp', 'prod')).toBeUndefined()
    })

    for (const { name, changes } of odd) {
      test(`comes back as it went: ${name}`, async ([one, other]) => {
        const set = keySet(changes)
        await one.keepKeySet(set)
        expect(shown(await other.keptKeySet(set.tenant, set.name))).toEqual(shown(set))
      })
    }

    for (const { name, at, replaces } of followers) {
      test(`one ${name}`, async ([one, other]) => {
        const [first, second] = [keySet(), keySet({ fetchedAt: at })]
        await one.keepKeySet(first)
        await other.keepKeySet(second)
        const kept = await one.keptKeySet('acme-corp', 'prod')
        expect(shown(kept)).toEqual(shown(replaces ? second : first))
      })
    }

    test('is not that of another tenant or name', async ([one, other]) => {
      const sets = [keySet(), keySet({ tenant: 'globex' }), keySet({ name: 'staging' })]
      for (const set of sets) await one.keepKeySet(set)
      for (const set of sets) {
        expect(shown(await other.keptKeySet(set.tenant, set.name))).toEqual(shown(set))
      }
      expect(await other.keptKeySet('globex', 'staging')).toBeUndefined()
      expect(await other.keptKeySet('acme-corp', 'PROD')).toBeUndefined()
    })

    for (const { name, at, there, tenant = 'acme-corp' } of neighbours) {
      test(`of a name that is used no more ${name}`, async ([one, other]) => {
        await one.keepKeySet(keySet({ tenant, name: 'old', fetchedAt: at }))
        await other.keepKeySet(keySet())
        expect((await one.keptKeySet(tenant, 'old')) !== undefined).toBe(there)
        expect(await one.keptKeySet('acme-corp', 'prod')).toBeDefined()
      })
    }

    test('of forty that are kept at once the one that was fetched last stays', async (ways) => {
      const sets = Array.from({ length: 40 }, (_, at) =>
        keySet({ fetchedAt: now + ((at * 7) % 40) }),
      )
      await atOnce(ways, sets.length, (way, at) => way.keepKeySet(sets[at] ?? keySet()))
      const last = sets.find(({ fetchedAt }) => fetchedAt === now + 39)
      expect(shown(await ways[1].keptKeySet('acme-corp', 'prod'))).toEqual(shown(last))
    })
  })
}
