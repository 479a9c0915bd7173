import type { AuditHead, AuditRow } from '../audit_rows.ts'
import { StoreFault, type Store } from '../store.ts'
import { Table } from './table.ts'

type Audit = Pick<
  Store,
  | 'appendAudit'
  | 'auditTail'
  | 'auditSegment'
  | 'auditSegments'
  | 'closeAuditSegment'
  | 'auditHeads'
  | 'dropAuditSegments'
>

/** Its tables answer in the order in which rows came. */
export function audit(): Audit {
  const rows = new Table<AuditRow>(({ segment, sequence }) => [segment, sequence])
  const heads = new Table<AuditHead>(({ segment }) => [segment])
  const rowsOf = (segment: string): readonly AuditRow[] =>
    rows
      .where((row) => row.segment === segment)
      .toSorted((one, other) => one.sequence - other.sequence)
  const segments = () =>
    [...new Set(rows.where(() => true).map(({ segment }) => segment))].map((segment) => ({
      segment,
      lastAt: rowsOf(segment).at(-1)?.at ?? 0,
    }))
  return {
    appendAudit: (appended) => {
      const places = new Set(appended.map(({ segment, sequence }) => `${segment} ${sequence}`))
      const taken = appended.some(({ segment, sequence }) => rows.get(segment, sequence))
      if (taken || places.size < appended.length) {
        return Promise.reject(new StoreFault('there is such a row already'))
      }
      for (const row of appended) rows.add(row)
      return Promise.resolve()
    },
    auditTail: (tenant, count) => {
      const asked = rows.where((row) => tenant === undefined || row.tenant === tenant)
      return Promise.resolve(asked.slice(Math.max(0, asked.length - count)))
    },
    auditSegment: (segment) => Promise.resolve(rowsOf(segment)),
    auditSegments: () => Promise.resolve(segments()),
    closeAuditSegment: (head) => {
      heads.add(head)
      return Promise.resolve()
    },
    auditHeads: () => Promise.resolve(heads.where(() => true)),
    dropAuditSegments: (before) => {
      const old = segments().filter(({ segment, lastAt }) => heads.get(segment) && lastAt < before)
      for (const { segment } of old) rows.removeWhere((row) => row.segment === segment)
      return Promise.resolve(old.length)
    },
  }
}
