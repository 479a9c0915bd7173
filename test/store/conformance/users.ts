import { expect } from 'vitest'
import { now, userGrant } from '../records.ts'
import type { StoreTests } from './opened.ts'

export function userConformance({ group, test }: StoreTests): void {
  group('grants of users to agents', () => {
    test('one that was put comes back as it went', async ([one, other]) => {
      await one.putUserGrant(userGrant())
      await one.putUserGrant(userGrant({ agent: 'agent-2', scopes: [] }))
      expect(await other.userGrant('acme-corp', 'user-1', 'agent-1')).toEqual(userGrant())
      expect((await other.userGrant('acme-corp', 'user-1', 'agent-2'))?.scopes).toEqual([])
    })

    test('a second replaces the first', async ([one, other]) => {
      await one.putUserGrant(userGrant())
      const second = userGrant({ scopes: ['read'], createdAt: now + 1 })
      await other.putUserGrant(second)
      expect(await one.userGrants('acme-corp')).toEqual([second])
    })

    test('are listed by user and agent', async ([one, other]) => {
      const places = ['b y', 'a z', 'b x', 'a y'].map((place) => place.split(' '))
      for (const [user = '', agent = ''] of places) {
        await one.putUserGrant(userGrant({ user, agent }))
      }
      const listed = await other.userGrants('acme-corp')
      expect(listed.map(({ user, agent }) => `${user} ${agent}`)).toEqual([
        'a y',
        'a z',
        'b x',
        'b y',
      ])
    })

    test('one of another tenant, user or agent is another', async ([one, other]) => {
      await one.putUserGrant(userGrant())
      expect(await other.userGrants('globex')).toEqual([])
      const asked = [
        ['globex', 'user-1', 'agent-1'],
        ['acme-corp', 'user-2', 'agent-1'],
        ['acme-corp', 'user-1', 'agent-2'],
      ] as const
      for (const [tenant, user, agent] of asked) {
        expect(await other.userGrant(tenant, user, agent)).toBeUndefined()
        expect(await other.removeUserGrant(tenant, user, agent)).toBe(false)
      }
      expect(await one.userGrants('acme-corp')).toEqual([userGrant()])
    })

    test('one that was removed is gone, once', async ([one, other]) => {
      await one.putUserGrant(userGrant())
      expect(await other.removeUserGrant('acme-corp', 'user-1', 'agent-1')).toBe(true)
      expect(await other.removeUserGrant('acme-corp', 'user-1', 'agent-1')).toBe(false)
      expect(await one.userGrant('acme-corp', 'user-1', 'agent-1')).toBeUndefined()
    })
  })

  group('disabled users', () => {
    test('there are none at first', async ([one]) => {
      expect(await one.disabledUsers('acme-corp')).toEqual([])
      expect(await one.isUserDisabled('acme-corp', 'user-1')).toBe(false)
    })

    test('are disabled until they are enabled, however often it is said', async ([one, other]) => {
      for (const disabled of [true, true, false, false, true]) {
        await one.setUserDisabled('acme-corp', 'user-1', disabled)
        expect(await other.isUserDisabled('acme-corp', 'user-1')).toBe(disabled)
      }
      expect(await other.disabledUsers('acme-corp')).toEqual(['user-1'])
    })

    test('are listed by name, each tenant by itself', async ([one, other]) => {
      for (const user of ['c', 'a', 'b']) await one.setUserDisabled('acme-corp', user, true)
      await one.setUserDisabled('globex', 'd', true)
      expect(await other.disabledUsers('acme-corp')).toEqual(['a', 'b', 'c'])
      expect(await other.isUserDisabled('globex', 'a')).toBe(false)
    })
  })
}
