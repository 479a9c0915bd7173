import type { KeyObject } from 'node:crypto'
import type { Clock } from '../platform/clock.ts'
import type { AuditRow } from '../store/audit_rows.ts'
import type { Store } from '../store/store.ts'
import { signHead } from './chain.ts'
import { MAX_SEGMENT_MS } from './journal.ts'
import { rowFaults } from './verify.ts'

interface RetentionDependencies {
  readonly store: Pick<
    Store,
    'auditHeads' | 'auditSegments' | 'auditSegment' | 'closeAuditSegment' | 'dropAuditSegments'
  >
  readonly clock: Clock
  readonly privateKey: KeyObject
}

interface Retained {
  /** Segments whose process ended without closing them, signed now as they were found. */
  readonly found: number
  readonly dropped: number
}

/** Every process closes its segments after one of these; the rest is for clocks that differ. */
const ABANDONED_AFTER_MS = 2 * MAX_SEGMENT_MS

/**
 * Drops segments whose newest row is older than so many days; their heads stay. The store drops only what has a head, and a
 * process that was killed has left none, so what such a process left is signed first.
 * @throws StoreFault
 */
export async function retainAudit(
  dependencies: RetentionDependencies,
  days: number,
): Promise<Retained> {
  const { store, clock } = dependencies
  const found = await signAbandoned(dependencies)
  const dropped = await store.dropAuditSegments(clock.wall() - days * 86_400_000)
  return { found, dropped }
}

async function signAbandoned({ store, clock, privateKey }: RetentionDependencies): Promise<number> {
  const closed = new Set((await store.auditHeads()).map(({ segment }) => segment))
  let found = 0
  for (const { segment, lastAt } of await store.auditSegments()) {
    if (closed.has(segment) || lastAt > clock.wall() - ABANDONED_AFTER_MS) continue
    const rows = await store.auditSegment(segment)
    const last = rows.at(-1)
    // What was tampered with is evidence: it gets no signature, and so it is never dropped.
    if (!last || rowFaults(segment, rows).length > 0) continue
    await store.closeAuditSegment(signHead(endOf(last, clock.wall()), 'found', privateKey))
    found++
  }
  return found
}

function endOf({ segment, sequence, hash }: AuditRow, closedAt: number) {
  return { segment, rows: sequence + 1, hash, closedAt }
}
