import { expect } from 'vitest'
import { approval, now, userGrant } from '../records.ts'
import { atOnce, type StoreTests } from './opened.ts'

export function approvalConformance({ group, test }: StoreTests): void {
  group('approvals', () => {
    test('one that was opened comes back as it went', async ([one, other]) => {
      expect(await one.openApproval(approval())).toEqual(approval())
      expect(await other.approvals('acme-corp', now)).toEqual([approval()])
      expect(await other.approvals('globex', now)).toEqual([])
    })

    test('asking again opens no second, until the first has expired', async ([one, other]) => {
      await one.openApproval(approval())
      const again = approval({ id: 'approval-2', createdAt: now + 599, expiresAt: now + 1_199 })
      expect(await other.openApproval(again)).toEqual(approval())
      const late = approval({ id: 'approval-3', createdAt: now + 600, expiresAt: now + 1_200 })
      expect(await other.openApproval(late)).toEqual(late)
      expect(await one.approvals('acme-corp', now + 600)).toEqual([late])
    })

    test('one of another tenant, user or agent is another, and they are listed by age', async ([
      one,
      other,
    ]) => {
      await one.openApproval(approval({ createdAt: now + 2 }))
      await one.openApproval(approval({ id: 'b', user: 'user-2', createdAt: now + 1 }))
      await one.openApproval(approval({ id: 'c', agent: 'agent-2' }))
      await one.openApproval(approval({ id: 'd', tenant: 'globex' }))
      const listed = await other.approvals('acme-corp', now)
      expect(listed.map(({ id }) => id)).toEqual(['c', 'b', 'approval-1'])
    })

    test('of 40 that are opened at once, one is, and all are told which', async (ways) => {
      const opened = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          (ways[at % ways.length] ?? ways[0]).openApproval(approval({ id: `id-${String(at)}` })),
        ),
      )
      const [kept] = await ways[1].approvals('acme-corp', now)
      expect(new Set(opened.map(({ id }) => id))).toEqual(new Set([kept?.id]))
    })

    test('are listed of one user, who alone can answer, once', async ([one, other]) => {
      await one.openApproval(approval())
      await one.openApproval(approval({ id: 'b', user: 'user-2' }))
      const mine = await other.approvals('acme-corp', now, 'user-2')
      expect(mine.map(({ id }) => id)).toEqual(['b'])
      const decide = (user: string, id: string, at = now) =>
        other.decideApproval('acme-corp', user, id, 'denied', at)
      expect(await decide('user-2', 'approval-1')).toBeUndefined()
      expect(await decide('user-1', 'approval-1', now + 600)).toBeUndefined()
      const denied = approval({ status: 'denied' })
      expect(await decide('user-1', 'approval-1')).toEqual(denied)
      expect(await decide('user-1', 'approval-1')).toBeUndefined()
      expect(await one.approval('acme-corp', 'approval-1')).toEqual(denied)
      expect(await one.approval('globex', 'approval-1')).toBeUndefined()
      expect(await one.userGrants('acme-corp')).toEqual([])
    })

    test('what is approved is granted beside what was before', async ([one, other]) => {
      await one.putUserGrant(userGrant({ scopes: ['read', 'list'] }))
      await one.openApproval(approval())
      const at = now + 5
      await other.decideApproval('acme-corp', 'user-1', 'approval-1', 'approved', at)
      expect(await one.userGrants('acme-corp')).toEqual([
        userGrant({ scopes: ['read', 'list', 'write'], createdAt: at }),
      ])
      expect((await one.approval('acme-corp', 'approval-1'))?.status).toBe('approved')
    })

    test('of 40 answers at once, one counts', async (ways) => {
      await ways[0].openApproval(approval())
      const answers = await atOnce(ways, 40, (way, at) =>
        way.decideApproval(
          'acme-corp',
          'user-1',
          'approval-1',
          at % 2 === 0 ? 'approved' : 'denied',
          now,
        ),
      )
      const [counted, ...others] = answers.filter((answer) => answer !== undefined)
      expect(others).toEqual([])
      expect((await ways[1].approval('acme-corp', 'approval-1'))?.status).toBe(counted?.status)
      const granted = await ways[1].userGrants('acme-corp')
      expect(granted).toHaveLength(counted?.status === 'approved' ? 1 : 0)
    })

    test('whoever said no is not asked again at once, whoever said yes may be', async ([
      one,
      other,
    ]) => {
      await one.openApproval(approval())
      await one.decideApproval('acme-corp', 'user-1', 'approval-1', 'denied', now)
      const again = approval({ id: 'approval-2', createdAt: now + 599, expiresAt: now + 1_199 })
      expect((await other.openApproval(again)).status).toBe('denied')
      const late = approval({ id: 'approval-3', createdAt: now + 600, expiresAt: now + 1_200 })
      expect(await other.openApproval(late)).toEqual(late)
      await one.decideApproval('acme-corp', 'user-1', 'approval-3', 'approved', now + 601)
      const next = approval({ id: 'approval-4', createdAt: now + 602, expiresAt: now + 1_202 })
      expect(await other.openApproval(next)).toEqual(next)
    })

    for (const { name, scopes } of [
      { name: 'the same', scopes: ['read', 'write'] },
      { name: 'less', scopes: ['read'] },
      { name: 'more', scopes: ['read', 'write', 'list'] },
      { name: 'something else', scopes: ['list'] },
    ]) {
      const asked = (id: string, seconds: number) =>
        approval({ id, scopes, createdAt: now + seconds, expiresAt: now + seconds + 600 })

      test(`what is pending stands where ${name} is asked for next`, async ([one, other]) => {
        await one.openApproval(approval())
        for (const seconds of [0, 1, 599]) {
          const again = asked(`at-${String(seconds)}`, seconds)
          expect(await other.openApproval(again)).toEqual(approval())
        }
        expect(await one.approvals('acme-corp', now + 599)).toEqual([approval()])
        const late = asked('late', 600)
        expect(await other.openApproval(late)).toEqual(late)
        expect(await one.approvals('acme-corp', now + 600)).toEqual([late])
      })

      test(`what was denied stands where ${name} is asked for next`, async ([one, other]) => {
        await one.openApproval(approval())
        await one.decideApproval('acme-corp', 'user-1', 'approval-1', 'denied', now)
        const denied = approval({ status: 'denied' })
        for (const seconds of [0, 1, 599]) {
          const again = asked(`at-${String(seconds)}`, seconds)
          expect(await other.openApproval(again)).toEqual(denied)
        }
        expect(await one.approvals('acme-corp', now)).toEqual([])
        expect(await one.approval('acme-corp', 'approval-1')).toEqual(denied)
        const late = asked('late', 600)
        expect(await other.openApproval(late)).toEqual(late)
        expect(await one.approvals('acme-corp', now + 600)).toEqual([late])
      })
    }

    test('a denial counts for what was read, however the agent alternated before', async (ways) => {
      await ways[0].openApproval(approval())
      await atOnce(ways, 40, (way, at) =>
        way.openApproval(approval({ id: `id-${String(at)}`, scopes: [`scope-${String(at % 2)}`] })),
      )
      const answer = ['acme-corp', 'user-1', 'approval-1', 'denied', now + 1] as const
      const denied = approval({ status: 'denied' })
      expect(await ways[1].decideApproval(...answer)).toEqual(denied)
      const next = approval({ id: 'next', scopes: ['scope-0'], createdAt: now + 2 })
      expect(await ways[0].openApproval(next)).toEqual(denied)
    })

    test('what one agent was denied is open to another, and to another user', async ([
      one,
      other,
    ]) => {
      await one.openApproval(approval())
      await one.decideApproval('acme-corp', 'user-1', 'approval-1', 'denied', now)
      for (const next of [
        approval({ id: 'b', agent: 'agent-2', scopes: ['list'] }),
        approval({ id: 'c', user: 'user-2', scopes: ['list'] }),
        approval({ id: 'd', tenant: 'globex', scopes: ['list'] }),
      ]) {
        expect(await other.openApproval(next)).toEqual(next)
      }
    })

    test('more than was approved is asked for at once', async ([one, other]) => {
      await one.openApproval(approval())
      await one.decideApproval('acme-corp', 'user-1', 'approval-1', 'approved', now)
      const more = approval({ id: 'approval-2', scopes: ['list'], createdAt: now + 1 })
      expect(await other.openApproval(more)).toEqual(more)
    })

    test('those that nobody answered are told of once', async ([one, other]) => {
      await one.openApproval(approval())
      await one.openApproval(approval({ id: 'b', tenant: 'globex' }))
      expect(await other.expireApprovals('acme-corp', now + 599)).toEqual([])
      const expired = approval({ status: 'expired' })
      expect(await other.expireApprovals('acme-corp', now + 600)).toEqual([expired])
      expect(await one.expireApprovals('acme-corp', now + 601)).toEqual([])
      expect(await one.approval('acme-corp', 'approval-1')).toEqual(expired)
      expect((await one.approval('globex', 'b'))?.status).toBe('pending')
    })

    test('of one agent are all removed', async ([one, other]) => {
      await one.openApproval(approval())
      await one.openApproval(approval({ id: 'b', agent: 'agent-2' }))
      await one.openApproval(approval({ id: 'c', tenant: 'globex' }))
      await other.removeApprovalsBy('acme-corp', 'agent-1')
      expect(await one.approval('acme-corp', 'approval-1')).toBeUndefined()
      expect(await one.approval('acme-corp', 'b')).toBeDefined()
      expect(await one.approval('globex', 'c')).toBeDefined()
    })

    test('is pruned an hour after it has expired', async ([one, other]) => {
      await one.openApproval(approval())
      await other.prune(now + 4_199)
      expect(await one.approval('acme-corp', 'approval-1')).toBeDefined()
      await other.prune(now + 4_200)
      expect(await one.approval('acme-corp', 'approval-1')).toBeUndefined()
    })
  })
}
