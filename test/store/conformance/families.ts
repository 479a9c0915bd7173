import { expect } from 'vitest'
import { StoreFault } from '../../../src/store/store.ts'
import { family, now, question, rotation, secretOf, sha256, shown } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

const untouched = [
  { name: 'another tenant', changes: { tenant: 'globex' } },
  { name: 'another family', changes: { family: 'family-2' } },
  { name: 'a secret that is not its own', changes: { presentedHash: sha256('guess') } },
  { name: 'a generation to come', changes: { generation: 1 } },
]

export function familyConformance({ group, test }: StoreTests): void {
  group('families of refresh tokens', () => {
    test('one that was kept comes back as it went', async ([one, other]) => {
      const rotated = family({
        id: 'family-2',
        generation: 2,
        previousHash: secretOf(1),
        rotatedAt: [now * 1000, now * 1000 + 1],
      })
      await one.keepFamily(family())
      await one.keepFamily(rotated)
      expect(shown(await other.family('acme-corp', 'family-1'))).toEqual(shown(family()))
      expect(shown(await other.family('acme-corp', 'family-2'))).toEqual(shown(rotated))
      expect(await other.family('globex', 'family-1')).toBeUndefined()
      expect(await other.family('acme-corp', 'family-3')).toBeUndefined()
    })

    test('a second of the same id is refused', async ([one, other]) => {
      await one.keepFamily(family())
      const second = family({ currentHash: sha256('other') })
      await expect(other.keepFamily(second)).rejects.toBeInstanceOf(StoreFault)
      expect(shown(await one.family('acme-corp', 'family-1'))).toEqual(shown(family()))
    })

    test('each rotation follows on the one before it, by whichever way', async (ways) => {
      await ways[0].keepFamily(family())
      for (let generation = 0; generation < 20; generation++) {
        const way = ways[generation % ways.length] ?? ways[0]
        expect(await way.rotateRefresh(rotation(generation, generation))).toBe('rotated')
      }
      const expected = family({
        generation: 20,
        currentHash: secretOf(20),
        previousHash: secretOf(19),
        rotatedAt: Array.from({ length: 16 }, (_, n) => now * 1000 + n + 4),
      })
      expect(shown(await ways[1].family('acme-corp', 'family-1'))).toEqual(shown(expected))
    })

    for (const { name, changes } of untouched) {
      test(`${name} is unknown, and nothing is written`, async ([one, other]) => {
        await one.keepFamily(family())
        expect(await other.rotateRefresh(rotation(0, 1, changes))).toBe('unknown')
        expect(shown(await one.family('acme-corp', 'family-1'))).toEqual(shown(family()))
        expect(await one.isRevoked(question({ grantId: 'family-1', issuedAt: 0 }))).toBe(false)
      })
    }
  })

  group('an old refresh token', () => {
    test('has its successor repeated inside the window, and changes nothing', async (ways) => {
      const [one, other] = ways
      await one.keepFamily(family())
      await one.rotateRefresh(rotation(0, 0))
      const before = shown(await one.family('acme-corp', 'family-1'))
      expect(await other.rotateRefresh(rotation(0, 9_999))).toBe('repeated')
      expect(shown(await one.family('acme-corp', 'family-1'))).toEqual(before)
      expect(await one.isRevoked(question({ grantId: 'family-1', issuedAt: 0 }))).toBe(false)
    })

    test('revokes the grant after the window, for good', async ([one, other]) => {
      await one.keepFamily(family())
      await one.rotateRefresh(rotation(0, 0))
      expect(await other.rotateRefresh(rotation(0, 10_999))).toBe('reused')
      const asked = question({ grantId: 'family-1' })
      expect(await one.isRevoked({ ...asked, issuedAt: now + 10 })).toBe(true)
      expect(await one.isRevoked({ ...asked, issuedAt: now + 86_400 })).toBe(true)
      expect(await one.isRevoked({ ...asked, tenant: 'globex' })).toBe(false)
    })

    test('has its revocation kept until no access token of the grant can be left', async (ways) => {
      const [one, other] = ways
      await one.keepFamily(family())
      await one.rotateRefresh(rotation(0, 0))
      await other.rotateRefresh(rotation(0, 10_000))
      const { expiresAt } = family()
      const asked = question({ grantId: 'family-1' })
      await one.prune(expiresAt + 86_399)
      expect(await other.isRevoked(asked)).toBe(true)
      await one.prune(expiresAt + 86_400)
      expect(await other.isRevoked(asked)).toBe(false)
    })
  })

  group('50 that present one refresh token at once', () => {
    test('and can have one successor: one rotates, the others are given it', async (ways) => {
      await ways[0].keepFamily(family())
      const outcomes = await atOnce(ways, 50, (way, at) => way.rotateRefresh(rotation(0, at)))
      expect(tally(outcomes)).toEqual({ rotated: 1, repeated: 49 })
      const left = await ways[1].family('acme-corp', 'family-1')
      expect(left?.generation).toBe(1)
      expect(shown(left?.currentHash)).toBe(shown(secretOf(1)))
    })

    test('and want a successor each: one has it, the others are late', async (ways) => {
      await ways[0].keepFamily(family())
      const successors = Array.from({ length: 50 }, (_, at) => sha256(`successor ${String(at)}`))
      const outcomes = await atOnce(ways, 50, (way, at) =>
        way.rotateRefresh(rotation(0, at, { successorHash: successors[at] ?? sha256('none') })),
      )
      expect(tally(outcomes)).toEqual({ rotated: 1, late: 49 })
      const left = await ways[1].family('acme-corp', 'family-1')
      expect(left?.generation).toBe(1)
      expect(shown(left?.currentHash)).toBe(shown(successors[outcomes.indexOf('rotated')]))
    })
  })
}
