import { expect } from 'vitest'
import { client, code, family, now, question, revocation, sha256 } from '../records.ts'
import { auditRows, signingKey, userGrant } from '../records.ts'
import type { StoreTests } from './opened.ts'

const end = now + 100
const once = { tenant: 'acme-corp', owner: 'assertion reporter', jti: 'j', expiresAt: end }

export function pruneConformance({ group, test }: StoreTests): void {
  group('pruning', () => {
    for (const { name, at, there } of [
      { name: 'leaves what has a second left', at: end - 1, there: true },
      { name: 'drops what has expired', at: end, there: false },
    ]) {
      test(name, async ([one, other]) => {
        await one.keepCode(code({ expiresAt: end }))
        await one.keepCode(code({ expiresAt: end, hash: sha256('used') }))
        await one.consumeCode('acme-corp', sha256('used'))
        await one.keepFamily(family({ expiresAt: end }))
        await one.revoke([revocation({ expiresAt: end })])
        await one.reserve(once, now)
        await other.prune(at)
        expect((await one.code('acme-corp', sha256('code'))) !== undefined).toBe(there)
        expect((await one.code('acme-corp', sha256('used')))?.consumed).toBe(there || undefined)
        expect((await one.family('acme-corp', 'family-1')) !== undefined).toBe(there)
        expect(await one.isRevoked(question())).toBe(there)
        // As if no time had passed: only what was pruned can be taken.
        expect(await one.reserve(once, now)).toBe(!there)
      })
    }

    test('leaves what does not expire', async ([one, other]) => {
      await one.addSigningKey(signingKey({ retiredAt: now }))
      await one.addClient(client())
      await one.putUserGrant(userGrant())
      await one.setUserDisabled('acme-corp', 'user-1', true)
      await one.appendAudit(auditRows(1))
      await other.prune(2 ** 45)
      expect(await one.signingKeys('acme-corp')).toHaveLength(1)
      expect(await one.clients('acme-corp')).toHaveLength(1)
      expect(await one.userGrants('acme-corp')).toHaveLength(1)
      expect(await one.disabledUsers('acme-corp')).toHaveLength(1)
      expect(await one.auditTail(undefined, 9)).toHaveLength(1)
    })
  })
}
