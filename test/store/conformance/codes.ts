import { expect } from 'vitest'
import { StoreFault } from '../../../src/store/store.ts'
import { code, sha256, shown } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

export function codeConformance({ group, test }: StoreTests): void {
  group('authorization codes', () => {
    test('one that was kept comes back as it went', async ([one, other]) => {
      await one.keepCode(code())
      expect(shown(await other.code('acme-corp', sha256('code')))).toEqual(shown(code()))
    })

    test('one is consumed once, and stays to be seen', async ([one, other]) => {
      await one.keepCode(code())
      expect(await other.consumeCode('acme-corp', sha256('code'))).toBe(true)
      expect(await one.consumeCode('acme-corp', sha256('code'))).toBe(false)
      const consumed = await one.code('acme-corp', sha256('code'))
      expect(shown(consumed)).toEqual(shown(code({ consumed: true })))
    })

    test('of 50 that consume it at once, one does', async (ways) => {
      await ways[0].keepCode(code())
      const answers = await atOnce(ways, 50, (way) => way.consumeCode('acme-corp', sha256('code')))
      expect(tally(answers)).toEqual({ true: 1, false: 49 })
    })

    test('one of another tenant or hash is not there, and not consumed', async ([one]) => {
      await one.keepCode(code())
      expect(await one.code('globex', sha256('code'))).toBeUndefined()
      expect(await one.code('acme-corp', sha256('other'))).toBeUndefined()
      expect(await one.consumeCode('globex', sha256('code'))).toBe(false)
      expect(await one.consumeCode('acme-corp', sha256('other'))).toBe(false)
      expect((await one.code('acme-corp', sha256('code')))?.consumed).toBe(false)
    })

    test('a second of the same hash is refused: a consumed one cannot be made fresh', async (ways) => {
      await ways[0].keepCode(code())
      await ways[0].consumeCode('acme-corp', sha256('code'))
      await expect(ways[1].keepCode(code())).rejects.toBeInstanceOf(StoreFault)
      expect((await ways[0].code('acme-corp', sha256('code')))?.consumed).toBe(true)
    })
  })
}
