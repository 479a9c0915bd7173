import { expect } from 'vitest'
import type { ConsentRecord, LocalUser, SessionRecord } from '../../../src/store/records.ts'
import { now, shown } from '../records.ts'
import type { StoreTests } from './opened.ts'

const user = (more: Partial<LocalUser> = {}): LocalUser => ({
  tenant: 'acme-corp',
  sub: 'local:1',
  email: 'a@example.com',
  name: 'A',
  password: '$argon2id$…',
  createdAt: now,
  ...more,
})

const session = (more: Partial<SessionRecord> = {}): SessionRecord => ({
  tenant: 'acme-corp',
  hash: Buffer.alloc(32, 1),
  user: 'local:1',
  authTime: now,
  request: Buffer.alloc(32, 9),
  expiresAt: now + 60,
  ...more,
})

const consent = (more: Partial<ConsentRecord> = {}): ConsentRecord => ({
  tenant: 'acme-corp',
  user: 'local:1',
  client: 'web',
  given: { '': ['openid'] },
  createdAt: now,
  ...more,
})

export function peopleConformance({ group, test }: StoreTests): void {
  group('local users', () => {
    test('are found by sub and by address, and listed by address', async ([one, other]) => {
      const second = user({ sub: 'local:2', email: '0@example.com', name: undefined })
      expect([await one.addLocalUser(user()), await other.addLocalUser(second)]).toEqual([
        true,
        true,
      ])
      expect(await other.localUser('acme-corp', 'local:1')).toEqual(user())
      expect(await one.localUserByEmail('acme-corp', '0@example.com')).toEqual(second)
      expect(await one.localUsers('acme-corp')).toEqual([second, user()])
    })

    test('have one sub and one address each, in each tenant', async ([one, other]) => {
      await one.addLocalUser(user())
      expect(await other.addLocalUser(user({ sub: 'local:2' }))).toBe(false)
      expect(await other.addLocalUser(user({ email: 'b@example.com' }))).toBe(false)
      expect(await other.addLocalUser(user({ tenant: 'globex' }))).toBe(true)
      expect(await one.localUser('globex', 'local:2')).toBeUndefined()
    })

    test('get another password', async ([one, other]) => {
      await one.addLocalUser(user())
      expect(await other.setPassword('acme-corp', 'local:1', 'new')).toBe(true)
      expect((await one.localUser('acme-corp', 'local:1'))?.password).toBe('new')
      expect(await one.setPassword('globex', 'local:1', 'new')).toBe(false)
    })
  })

  group('sessions', () => {
    test('are found until they are ended, each tenant by itself', async ([one, other]) => {
      await one.keepSession(session())
      const found = await other.session('acme-corp', Buffer.alloc(32, 1))
      expect(shown(found)).toEqual(shown(session()))
      expect(await other.session('globex', Buffer.alloc(32, 1))).toBeUndefined()
      expect(await other.endSession('acme-corp', Buffer.alloc(32, 1))).toBe(true)
      expect(await one.endSession('acme-corp', Buffer.alloc(32, 1))).toBe(false)
      expect(await one.session('acme-corp', Buffer.alloc(32, 1))).toBeUndefined()
    })

    test('of one user are all ended, those of others stay', async ([one, other]) => {
      const mine = Buffer.alloc(32, 2)
      await one.keepSession(session())
      await one.keepSession(session({ hash: mine, user: 'local:2' }))
      await other.endSessions('acme-corp', 'local:1')
      expect(await one.session('acme-corp', Buffer.alloc(32, 1))).toBeUndefined()
      expect(await one.session('acme-corp', mine)).toBeDefined()
    })

    test('that have ended are dropped', async ([one, other]) => {
      await one.keepSession(session())
      await other.prune(now + 59)
      expect(await one.session('acme-corp', Buffer.alloc(32, 1))).toBeDefined()
      await other.prune(now + 60)
      expect(await one.session('acme-corp', Buffer.alloc(32, 1))).toBeUndefined()
    })
  })

  group('consents', () => {
    test('are replaced, listed and removed', async ([one, other]) => {
      await one.putConsent(consent())
      const wider = consent({ given: { '': ['openid', 'email'], 'urn:a': ['read'] } })
      await other.putConsent(wider)
      await one.putConsent(consent({ client: 'app' }))
      expect(await one.consent('acme-corp', 'local:1', 'web')).toEqual(wider)
      expect((await other.consents('acme-corp', 'local:1')).map(({ client }) => client)).toEqual([
        'app',
        'web',
      ])
      expect(await other.consent('acme-corp', 'local:2', 'web')).toBeUndefined()
      expect(await other.removeConsent('acme-corp', 'local:1', 'web')).toBe(true)
      expect(await one.removeConsent('acme-corp', 'local:1', 'web')).toBe(false)
    })

    test('to one client are all removed, those to others stay', async ([one, other]) => {
      for (const user of ['local:1', 'local:2']) await one.putConsent(consent({ user }))
      await one.putConsent(consent({ client: 'app' }))
      await one.putConsent(consent({ tenant: 'globex' }))
      await other.removeConsentsTo('acme-corp', 'web')
      expect(await one.consents('acme-corp', 'local:1')).toEqual([consent({ client: 'app' })])
      expect(await one.consents('acme-corp', 'local:2')).toEqual([])
      expect(await one.consents('globex', 'local:1')).toHaveLength(1)
    })
  })
}
