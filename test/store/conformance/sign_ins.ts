import { expect } from 'vitest'
import type {
  ApiKeyRecord,
  PushedRequest,
  UpstreamUser,
  UpstreamVisit,
} from '../../../src/store/records.ts'
import { code, now, sha256, shown } from '../records.ts'
import { atOnce, tally, type StoreTests } from './opened.ts'

const user = (more: Partial<UpstreamUser> = {}): UpstreamUser => ({
  tenant: 'acme-corp',
  issuer: 'https://login.example.com',
  subject: '1',
  sub: 'upstream:1',
  email: 'a@example.com',
  emailVerified: true,
  name: 'A',
  createdAt: now,
  ...more,
})

const visit = (more: Partial<UpstreamVisit> = {}): UpstreamVisit => ({
  tenant: 'acme-corp',
  hash: sha256('state'),
  upstream: 'corporate',
  browser: sha256('browser'),
  next: 'account',
  expiresAt: now + 600,
  ...more,
})

const request = (more: Partial<PushedRequest> = {}): PushedRequest => ({
  tenant: 'acme-corp',
  hash: sha256('request'),
  clientId: 'web',
  query: 'client_id=web',
  createdAt: now,
  expiresAt: now + 90,
  ...more,
})

const key = (more: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
  tenant: 'acme-corp',
  id: '1',
  clientId: 'reports',
  hash: sha256('key'),
  name: 'dashboard',
  createdAt: now,
  expiresAt: undefined,
  ...more,
})

export function signInConformance({ group, test }: StoreTests): void {
  group('users of other providers', () => {
    test('keep their sub, and have what is new', async ([one, other]) => {
      expect(await one.putUpstreamUser(user())).toEqual(user())
      const later = user({ sub: 'upstream:2', email: undefined, name: 'B', createdAt: now + 9 })
      const kept = user({ email: undefined, name: 'B' })
      expect(await other.putUpstreamUser(later)).toEqual(kept)
      expect(await one.upstreamUser('acme-corp', 'upstream:1')).toEqual(kept)
      expect(await one.upstreamUserOf('acme-corp', user().issuer, '1')).toEqual(kept)
      expect(await one.upstreamUsers('acme-corp')).toEqual([kept])
    })

    test('are others at another provider or tenant', async ([one, other]) => {
      await one.putUpstreamUser(user())
      const second = user({ issuer: 'https://other.example.com', sub: 'upstream:2' })
      expect((await other.putUpstreamUser(second)).sub).toBe('upstream:2')
      expect(await other.upstreamUser('globex', 'upstream:1')).toBeUndefined()
      expect(await other.upstreamUserOf('globex', user().issuer, '1')).toBeUndefined()
    })
  })

  group('visits to other providers', () => {
    test('are taken once', async (ways) => {
      await ways[0].keepUpstreamVisit(visit())
      expect(await ways[1].takeUpstreamVisit('globex', sha256('state'))).toBeUndefined()
      const taken = await atOnce(ways, 20, (way) =>
        way.takeUpstreamVisit('acme-corp', sha256('state')),
      )
      expect(shown(taken.filter((each) => each !== undefined))).toEqual(shown([visit()]))
    })

    test('and pushed requests are dropped when they have ended', async ([one, other]) => {
      await one.keepUpstreamVisit(visit())
      await one.keepPushed(request())
      await other.prune(now + 89)
      expect(await one.pushed('acme-corp', sha256('request'))).toBeDefined()
      await other.prune(now + 600)
      expect(await one.pushed('acme-corp', sha256('request'))).toBeUndefined()
      expect(await one.takeUpstreamVisit('acme-corp', sha256('state'))).toBeUndefined()
    })
  })

  group('pushed requests', () => {
    test('are found until one takes them away', async (ways) => {
      await ways[0].keepPushed(request())
      const found = await ways[1].pushed('acme-corp', sha256('request'))
      expect(shown(found ? [found] : [])).toEqual(shown([request()]))
      expect(await ways[1].pushed('globex', sha256('request'))).toBeUndefined()
      const ended = await atOnce(ways, 20, (way) => way.endPushed('acme-corp', sha256('request')))
      expect(tally(ended)).toEqual({ true: 1, false: 19 })
    })
  })

  group('API keys', () => {
    test('are found, listed by age and removed', async ([one, other]) => {
      const second = key({ id: '0', createdAt: now + 1, expiresAt: now + 9 })
      await one.addApiKey(second)
      await one.addApiKey(key())
      expect(shown(await other.apiKeys('acme-corp'))).toEqual(shown([key(), second]))
      expect((await other.apiKey('acme-corp', '0'))?.expiresAt).toBe(now + 9)
      expect(await other.apiKey('globex', '0')).toBeUndefined()
      expect(await other.removeApiKey('globex', '0')).toBe(false)
      expect(await other.removeApiKey('acme-corp', '0')).toBe(true)
      expect(await one.apiKey('acme-corp', '0')).toBeUndefined()
    })
  })

  group('grants of a user to a client', () => {
    test('are those of its codes, while they are kept', async ([one, other]) => {
      await one.keepCode(code({ hash: sha256('1'), grantId: 'b' }))
      await one.keepCode(code({ hash: sha256('2'), grantId: 'a' }))
      await one.keepCode(code({ hash: sha256('3'), grantId: 'c', sub: 'user-2' }))
      await one.keepCode(code({ hash: sha256('4'), grantId: 'd', clientId: 'web' }))
      await one.keepCode(code({ hash: sha256('5'), grantId: 'e', tenant: 'globex' }))
      expect(await other.grantIds('acme-corp', 'user-1', 'reporter')).toEqual(['a', 'b'])
      await other.prune(now + 600)
      expect(await one.grantIds('acme-corp', 'user-1', 'reporter')).toEqual([])
    })
  })
}
