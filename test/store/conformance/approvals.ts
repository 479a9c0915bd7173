import { expect } from 'vitest'
import { approval, now } from '../records.ts'
import type { StoreTests } from './opened.ts'

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

    test('is pruned when it has expired', async ([one, other]) => {
      await one.openApproval(approval())
      await other.prune(now + 599)
      expect(await one.approvals('acme-corp', now)).toHaveLength(1)
      await other.prune(now + 600)
      expect(await one.approvals('acme-corp', now)).toHaveLength(0)
    })
  })
}
