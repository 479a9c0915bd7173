import { expect } from 'vitest'
import { now } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

const once = { tenant: 'acme-corp', owner: 'assertion reporter', jti: 'j', expiresAt: now + 300 }

const others = [
  { name: 'of another tenant', changes: { tenant: 'globex' } },
  { name: 'of another owner', changes: { owner: 'dpop reporter' } },
  { name: 'of another jti', changes: { jti: 'k' } },
  { name: 'whose parts only join alike', changes: { owner: 'assertion reporterj', jti: '' } },
]

export function reservationConformance({ group, test }: StoreTests): void {
  group('what may be shown once', () => {
    test('is taken by the first, whichever way', async (ways) => {
      expect(await ways[0].reserve(once, now)).toBe(true)
      for (const way of ways) {
        expect(await way.reserve({ ...once, expiresAt: now + 900 }, now)).toBe(false)
      }
    })

    test('can be taken again once it has expired, and not a second before', async (ways) => {
      const [one, other] = ways
      await one.reserve(once, now)
      expect(await other.reserve({ ...once, expiresAt: now + 600 }, now + 299)).toBe(false)
      expect(await other.reserve({ ...once, expiresAt: now + 600 }, now + 300)).toBe(true)
      expect(await one.reserve(once, now + 599)).toBe(false)
    })

    test('a refused one does not make it last longer', async ([one, other]) => {
      await one.reserve(once, now)
      await other.reserve({ ...once, expiresAt: now + 9_999 }, now + 1)
      expect(await one.reserve(once, now + 300)).toBe(true)
    })

    for (const { name, changes } of others) {
      test(`is no obstacle to one ${name}`, async ([one, other]) => {
        await one.reserve(once, now)
        expect(await other.reserve({ ...once, ...changes }, now)).toBe(true)
      })
    }

    test('of 50 that show it at once, one is first', async (ways) => {
      const answers = await atOnce(ways, 50, (way) => way.reserve(once, now))
      expect(tally(answers)).toEqual({ true: 1, false: 49 })
    })

    test('of 50 that show it at once after it expired, one is first', async (ways) => {
      await ways[0].reserve(once, now)
      const again = { ...once, expiresAt: now + 900 }
      const answers = await atOnce(ways, 50, (way) => way.reserve(again, now + 300))
      expect(tally(answers)).toEqual({ true: 1, false: 49 })
    })
  })
}
