import { setImmediate } from 'node:timers/promises'
import type { AuditHead, AuditRow } from '../audit_rows.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import type { WalSync } from './wal_sync.ts'

type AuditRows = Pick<Store, 'appendAudit' | 'auditTail' | 'auditSegment' | 'auditSegments'>
type AuditEnds = Pick<Store, 'closeAuditSegment' | 'auditHeads' | 'dropAuditSegments'>

interface NumberedSegment {
  readonly number: number
}

/** Rows are appended by way of `flushing`: every token waits for its own, and all else would wait along. */
export function audit(connection: Connection, flushing: WalSync): AuditRows & AuditEnds {
  return { ...appending(flushing), ...auditRows(connection), ...auditEnds(connection) }
}

const SELECT_ROWS = `
  SELECT segment, sequence, tenant, at, text, hash
  FROM audit_rows JOIN audit_segments ON audit_segments.number = segment_number`

/** The last of its chain, whatever clocks said. */
const LAST_AT = `(
  SELECT at FROM audit_rows WHERE segment_number = audit_segments.number
  ORDER BY sequence DESC LIMIT 1)`

function appending(flushing: WalSync): Pick<Store, 'appendAudit'> {
  const { connection } = flushing
  const selectSegment = connection.prepare<NumberedSegment>(
    'SELECT number FROM audit_segments WHERE segment = ?',
  )
  const insertSegment = connection.prepare<NumberedSegment>(
    'INSERT INTO audit_segments (segment) VALUES (?) RETURNING number',
  )
  const insert = connection.prepare(
    `INSERT INTO audit_rows (segment_number, sequence, tenant, at, text, hash)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  // The table takes no row that has no segment.
  const numberOf = (segment: string): number | null =>
    (selectSegment.get(segment) ?? insertSegment.get(segment))?.number ?? null
  return {
    appendAudit: (rows) =>
      flushing.write(() => {
        let current: { readonly segment: string; readonly number: number | null } | undefined
        for (const { segment, sequence, tenant, at, text, hash } of rows) {
          if (current?.segment !== segment) current = { segment, number: numberOf(segment) }
          insert.run(current.number, sequence, tenant, at, text, hash)
        }
      }),
  }
}

function auditRows(connection: Connection): Omit<AuditRows, 'appendAudit'> {
  const newest = 'ORDER BY audit_rows.number DESC LIMIT ?'
  const selectNewest = connection.prepare<AuditRow>(`${SELECT_ROWS} ${newest}`)
  const selectNewestOf = connection.prepare<AuditRow>(`${SELECT_ROWS} WHERE tenant = ? ${newest}`)
  const selectRows = connection.prepare<AuditRow>(
    `${SELECT_ROWS} WHERE segment = ? ORDER BY sequence`,
  )
  const selectSegments = connection.prepare<{ readonly segment: string; readonly lastAt: number }>(
    `SELECT segment, ${LAST_AT} AS lastAt FROM audit_segments ORDER BY number`,
  )
  return {
    auditTail: (tenant, count) =>
      connection.attempt(() =>
        (tenant === undefined
          ? selectNewest.all(count)
          : selectNewestOf.all(tenant, count)
        ).toReversed(),
      ),
    auditSegment: (segment) => connection.attempt(() => selectRows.all(segment)),
    auditSegments: () => connection.attempt(() => selectSegments.all()),
  }
}

function auditEnds(connection: Connection): AuditEnds {
  const insertHead = connection.prepare(
    `INSERT INTO audit_heads (segment, rows, hash, closed_at, signature) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (segment) DO NOTHING`,
  )
  const selectHeads = connection.prepare<AuditHead>(
    `SELECT segment, rows, hash, closed_at AS closedAt, signature FROM audit_heads ORDER BY number`,
  )
  const selectOld = connection.prepare<NumberedSegment>(
    `SELECT audit_segments.number FROM audit_segments JOIN audit_heads USING (segment)
     WHERE ${LAST_AT} < ?`,
  )
  const deleteRows = connection.prepare('DELETE FROM audit_rows WHERE segment_number = ?')
  const deleteSegment = connection.prepare('DELETE FROM audit_segments WHERE number = ?')
  return {
    closeAuditSegment: ({ segment, rows, hash, closedAt, signature }) =>
      connection.attempt(() => {
        insertHead.run(segment, rows, hash, closedAt, signature)
      }),
    auditHeads: () => connection.attempt(() => selectHeads.all()),
    // Each segment by itself: all at once could hold up every token for longer than other processes wait for the lock.
    dropAuditSegments: async (before) => {
      let dropped = 0
      for (const { number } of await connection.attempt(() => selectOld.all(before))) {
        dropped += await connection.write(() => {
          deleteRows.run(number)
          return deleteSegment.run(number)
        })
        await setImmediate()
      }
      return dropped
    },
  }
}
