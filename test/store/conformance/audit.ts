import { expect } from 'vitest'
import type { AuditHead, AuditRow } from '../../../src/store/audit_rows.ts'
import { StoreFault } from '../../../src/store/store.ts'
import { auditRows, now, sha256, shown } from '../records.ts'
import { atOnce, type StoreTests } from './opened.ts'

function head(segment: string, rows: number, changes: Partial<AuditHead> = {}): AuditHead {
  const hash = sha256(`head of ${segment}`)
  return { segment, rows, hash, closedAt: now * 1000, signature: Buffer.alloc(64, 7), ...changes }
}

const refused: readonly { readonly name: string; readonly rows: readonly AuditRow[] }[] = [
  { name: 'one is there already', rows: auditRows(4, { from: 2 }) },
  { name: 'two are in one place', rows: [...auditRows(2, { from: 3 }), ...auditRows(1)] },
]

export function auditConformance({ group, test }: StoreTests): void {
  group('audit rows', () => {
    test('there are none at first', async ([one]) => {
      expect(await one.auditTail(undefined, 10)).toEqual([])
      expect(await one.auditSegment('segment-1')).toEqual([])
      expect(await one.auditSegments()).toEqual([])
      expect(await one.auditHeads()).toEqual([])
    })

    test('come back as they went, in order', async ([one, other]) => {
      const rows = auditRows(20)
      await one.appendAudit(rows.slice(0, 16))
      await other.appendAudit(rows.slice(16))
      await one.appendAudit([])
      expect(shown(await other.auditSegment('segment-1'))).toEqual(shown(rows))
    })

    test('of several segments can be appended together', async ([one, other]) => {
      const first = auditRows(2, { segment: 'a' })
      const second = auditRows(2, { segment: 'b' })
      const third = auditRows(1, { segment: 'a', from: 2 })
      await one.appendAudit([...first, ...second, ...third])
      expect(shown(await other.auditSegment('a'))).toEqual(shown([...first, ...third]))
      expect(shown(await other.auditSegment('b'))).toEqual(shown(second))
    })

    for (const { name, rows } of refused) {
      test(`all or none are appended: ${name}`, async ([one, other]) => {
        const before = auditRows(3)
        await one.appendAudit(before)
        const elsewhere = auditRows(1, { segment: 'segment-2' })
        const appended = one.appendAudit([...elsewhere, ...rows])
        await expect(appended).rejects.toBeInstanceOf(StoreFault)
        expect(shown(await other.auditTail(undefined, 100))).toEqual(shown(before))
        expect((await other.auditSegments()).map(({ segment }) => segment)).toEqual(['segment-1'])
        // And the next ones find the place free.
        await one.appendAudit(auditRows(1, { from: 3 }))
      })
    }

    test('of many processes at once are all there, each segment without a gap', async (ways) => {
      await atOnce(ways, 30, async (way, at) => {
        const segment = `segment-${String(at)}`
        for (const from of [0, 16]) await way.appendAudit(auditRows(16, { segment, from }))
      })
      for (let at = 0; at < 30; at++) {
        const segment = `segment-${String(at)}`
        const rows = await ways[1].auditSegment(segment)
        expect(shown(rows)).toEqual(shown(auditRows(32, { segment })))
      }
    })
  })

  tail({ group, test })
  ends({ group, test })
}

function tail({ group, test }: StoreTests): void {
  group('the tail of the audit rows', () => {
    test('is the newest of all segments, oldest of them first', async ([one, other]) => {
      const appended = [
        ...auditRows(2, { segment: 'b' }),
        ...auditRows(2, { segment: 'a' }),
        ...auditRows(2, { segment: 'b', from: 2 }),
      ]
      for (const row of appended) await one.appendAudit([row])
      expect(shown(await other.auditTail(undefined, 5))).toEqual(shown(appended.slice(-5)))
      expect(shown(await other.auditTail(undefined, 99))).toEqual(shown(appended))
      expect(await other.auditTail(undefined, 0)).toEqual([])
    })

    test('is that of one tenant where one is given', async ([one, other]) => {
      const tenants = ['acme-corp', 'globex', 'acme-corp', 'globex', 'globex']
      const rows = auditRows(5).map((row, n) => ({ ...row, tenant: tenants[n] ?? '' }))
      await one.appendAudit(rows)
      expect(shown(await other.auditTail('acme-corp', 9))).toEqual(shown([rows[0], rows[2]]))
      expect(shown(await other.auditTail('globex', 2))).toEqual(shown(rows.slice(-2)))
      expect(await other.auditTail('initech', 2)).toEqual([])
    })
  })
}

function ends({ group, test }: StoreTests): void {
  group('the ends of audit segments', () => {
    test('come back as they went, in the order in which they were closed', async (ways) => {
      const heads = [head('b', 2), head('a', 1), head('c', 3)]
      for (const one of heads) await ways[0].closeAuditSegment(one)
      expect(shown(await ways[1].auditHeads())).toEqual(shown(heads))
    })

    test('a segment has one end, the first', async ([one, other]) => {
      await one.closeAuditSegment(head('a', 1))
      await other.closeAuditSegment(head('a', 2))
      expect(shown(await one.auditHeads())).toEqual([shown(head('a', 1))])
    })

    test('segments are told with the time of their last row', async ([one, other]) => {
      await one.appendAudit(auditRows(3, { segment: 'b' }))
      await one.appendAudit(auditRows(1, { segment: 'a', at: 5 }))
      expect(await other.auditSegments()).toEqual([
        { segment: 'b', lastAt: now * 1000 + 2 },
        { segment: 'a', lastAt: 5 },
      ])
    })

    test('only closed segments whose last row is older are dropped', async ([one, other]) => {
      for (const [segment, at] of [
        ['old', 99],
        ['old-too', 98],
        ['young', 100],
        ['open', 1],
      ] as const) {
        await one.appendAudit(auditRows(40, { segment, at }))
        if (segment !== 'open') await one.closeAuditSegment(head(segment, 40))
      }
      expect(await other.dropAuditSegments(100)).toBe(2)
      expect(await other.dropAuditSegments(100)).toBe(0)
      const left = (await one.auditSegments()).map(({ segment }) => segment)
      expect(left).toEqual(['young', 'open'])
      expect(await one.auditSegment('old')).toEqual([])
      expect(await one.auditTail(undefined, 999)).toHaveLength(80)
      const heads = (await one.auditHeads()).map(({ segment }) => segment)
      expect(heads).toEqual(['old', 'old-too', 'young'])
    })

    test('what is appended after the newest was dropped comes last', async ([one, other]) => {
      await one.appendAudit(auditRows(2, { segment: 'a', at: 5 }))
      await one.appendAudit(auditRows(2, { segment: 'b', at: 1 }))
      await one.closeAuditSegment(head('b', 2))
      expect(await other.dropAuditSegments(5)).toBe(1)
      await other.appendAudit(auditRows(1, { segment: 'c', at: 9 }))
      const tail = (await one.auditTail(undefined, 9)).map(({ segment }) => segment)
      expect(tail).toEqual(['a', 'a', 'c'])
    })
  })
}
