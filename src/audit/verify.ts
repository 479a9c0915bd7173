import type { KeyObject } from 'node:crypto'
import { isJsonObject } from '../platform/strict_json.ts'
import type { AuditHead, AuditRow } from '../store/audit_rows.ts'
import type { Store } from '../store/store.ts'
import { firstHash, headKind, rowHash } from './chain.ts'

/**
 * - `closed`: signed by the process that wrote it.
 * - `found`: its process ended without that; signed later over what was there.
 * - `open`: not signed.
 * - `dropped`: only its signed end is left.
 */
export type SegmentState = 'closed' | 'found' | 'open' | 'dropped' | 'faulty'

export interface SegmentReport {
  readonly segment: string
  readonly state: SegmentState
  /** How many rows are there. */
  readonly rows: number
  /** For the operator: each fault, or else in what state the segment is. */
  readonly sentences: readonly string[]
}

export interface AuditReport {
  /** Nothing is wrong as far as can be known. */
  readonly intact: boolean
  readonly segments: readonly SegmentReport[]
}

type ReadableAudit = Pick<Store, 'auditSegment' | 'auditSegments' | 'auditHeads'>

/**
 * Judges all that was ever audited here. What nobody can see is the work of whoever has the key file as well as the store.
 * Who can only write to the store can still, unseen:
 * - cut rows off the end of a segment that no process closed, or put there a whole segment that nobody signed;
 * - take away a whole segment together with its head;
 * - drop the rows of a closed segment before their time. It then looks as if retention had done it, so its sentence says when
 *   it was closed.
 * @throws StoreFault
 */
export async function verifyAudit(
  store: ReadableAudit,
  publicKey: KeyObject,
): Promise<AuditReport> {
  // Heads before rows: the head of a segment that is closed meanwhile would count rows that were not read.
  const heads = new Map((await store.auditHeads()).map((head) => [head.segment, head]))
  const withRows = (await store.auditSegments()).map(({ segment }) => segment)
  const segments: SegmentReport[] = []
  for (const segment of new Set([...heads.keys(), ...withRows])) {
    const rows = await store.auditSegment(segment)
    const { state, texts } = judgeSegment(segment, rows, heads.get(segment), publicKey)
    const sentences = texts.map((text) => `segment ${segment}: ${text}`)
    segments.push({ segment, state, rows: rows.length, sentences })
  }
  return { intact: segments.every(({ state }) => state !== 'faulty'), segments }
}

interface Judgement {
  readonly state: SegmentState
  readonly texts: readonly string[]
}

function judgeSegment(
  segment: string,
  rows: readonly AuditRow[],
  head: AuditHead | undefined,
  publicKey: KeyObject,
): Judgement {
  const kind = head && headKind(head, publicKey)
  const faults = [...rowFaults(segment, rows)]
  if (head) faults.push(...(kind ? endFaults(rows, head) : ["the head's signature is not ours"]))
  if (faults.length > 0) return { state: 'faulty', texts: faults }
  const good = `${String(rows.length)} rows good`
  if (!head || !kind) return { state: 'open', texts: [`open (not signed yet), ${good}`] }
  const when = new Date(head.closedAt).toISOString()
  if (rows.length === 0) {
    const text = `${String(head.rows)} rows dropped by retention, closed at ${when}`
    return { state: 'dropped', texts: [text] }
  }
  const text = kind === 'closed' ? 'closed' : 'its process did not close it, signed as found'
  return { state: kind, texts: [`${text} at ${when}, ${good}`] }
}

/**
 * What is wrong with the rows of a segment by themselves. The walk goes on from the hash that stands in a bad row, so that
 * one fault is said once.
 */
export function rowFaults(segment: string, rows: readonly AuditRow[]): readonly string[] {
  const faults: string[] = []
  let previous: Uint8Array | undefined = firstHash(segment)
  let expected = 0
  for (const row of rows) {
    if (row.sequence > expected) {
      faults.push(expected === 0 ? 'its first rows are missing' : missingAfter(expected - 1))
      // What this row follows on is gone, so nothing can be said of it.
      previous = undefined
    }
    const fault = rowFault(row, previous, expected)
    if (fault !== undefined) faults.push(`row ${String(row.sequence)} ${fault}`)
    previous = row.hash
    expected = row.sequence + 1
  }
  return faults
}

function rowFault(
  row: AuditRow,
  previous: Uint8Array | undefined,
  expected: number,
): string | undefined {
  if (row.sequence < expected) return 'stands out of its order'
  if (previous && !rowHash(previous, row.text).equals(row.hash)) {
    // Who writes a fitting hash beside a changed text is seen at the row after it.
    return row.sequence === 0 ? 'was changed' : 'was changed, or the row before it'
  }
  return standsAsWritten(row) ? undefined : 'was put under another tenant or time'
}

/** Tenant and time stand beside the text too, to be searched by. Changed there alone, an event would hide from its tenant. */
function standsAsWritten({ tenant, at, text }: AuditRow): boolean {
  try {
    const event: unknown = JSON.parse(text)
    return (
      isJsonObject(event) && event['tenant'] === tenant && Date.parse(String(event['at'])) === at
    )
  } catch {
    return false
  }
}

/** How the rows end, against what was signed. No rows at all is what retention leaves. */
function endFaults(rows: readonly AuditRow[], head: AuditHead): readonly string[] {
  const last = rows.at(-1)
  if (!last) return []
  if (last.sequence + 1 < head.rows) return [missingAfter(last.sequence)]
  if (last.sequence + 1 > head.rows) {
    return [`rows were added after its signed end, row ${String(head.rows - 1)}`]
  }
  return Buffer.from(last.hash).equals(head.hash) ? [] : ['its rows are not those that were signed']
}

function missingAfter(sequence: number): string {
  return `rows are missing after ${String(sequence)}`
}
