import { expect } from 'vitest'
import { client, sha256, shown } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

const secrets = [
  { name: 'none', before: [], after: ['new'] },
  { name: 'one', before: ['first'], after: ['new', 'first'] },
  { name: 'two', before: ['second', 'first'], after: ['new', 'second'] },
]

export function clientConformance({ group, test }: StoreTests): void {
  group('clients', () => {
    test('none is there at first', async ([one]) => {
      expect(await one.client('acme-corp', 'reporter')).toBeUndefined()
      expect(await one.clients('acme-corp')).toEqual([])
    })

    test('one that was added comes back as it went', async ([one, other]) => {
      const added = client({ secretHashes: [sha256('second'), sha256('first')] })
      expect(await one.addClient(added)).toBe(true)
      expect(shown(await other.client('acme-corp', 'reporter'))).toEqual(shown(added))
      expect(shown(await other.clients('acme-corp'))).toEqual([shown(added)])
    })

    test('are listed by id', async ([one, other]) => {
      for (const id of ['b', 'c', 'a']) await one.addClient(client({ id }))
      expect((await other.clients('acme-corp')).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    })

    test('an id that is taken stays with the one that has it', async ([one, other]) => {
      const first = client()
      await one.addClient(first)
      expect(await other.addClient(client({ registration: '{}', secretHashes: [] }))).toBe(false)
      expect(shown(await one.client('acme-corp', 'reporter'))).toEqual(shown(first))
    })

    test('tenants have the same id each for itself', async ([one, other]) => {
      await one.addClient(client())
      expect(await other.addClient(client({ tenant: 'globex' }))).toBe(true)
      expect(await other.rotateClientSecret('globex', 'reporter', sha256('new'))).toBe(true)
      expect(await other.removeClient('globex', 'reporter')).toBe(true)
      expect(shown(await one.client('acme-corp', 'reporter'))).toEqual(shown(client()))
    })

    test('of 30 that add one id at once, one does', async (ways) => {
      const answers = await atOnce(ways, 30, (way, at) => way.addClient(client({ createdAt: at })))
      expect(tally(answers)).toEqual({ true: 1, false: 29 })
      const winner = answers.indexOf(true)
      expect((await ways[0].client('acme-corp', 'reporter'))?.createdAt).toBe(winner)
    })

    test('one that was removed is gone, once', async ([one, other]) => {
      await one.addClient(client())
      expect(await other.removeClient('acme-corp', 'reporter')).toBe(true)
      expect(await other.removeClient('acme-corp', 'reporter')).toBe(false)
      expect(await one.client('acme-corp', 'reporter')).toBeUndefined()
    })
  })

  group('secrets of clients', () => {
    for (const { name, before, after } of secrets) {
      test(`a new one comes before those that were: ${name}`, async ([one, other]) => {
        await one.addClient(client({ secretHashes: before.map(sha256) }))
        expect(await other.rotateClientSecret('acme-corp', 'reporter', sha256('new'))).toBe(true)
        const expected = client({ secretHashes: after.map(sha256) })
        expect(shown(await one.client('acme-corp', 'reporter'))).toEqual(shown(expected))
      })
    }

    test('no client has none to rotate', async ([one]) => {
      expect(await one.rotateClientSecret('acme-corp', 'reporter', sha256('new'))).toBe(false)
      expect(await one.clients('acme-corp')).toEqual([])
    })
  })
}
