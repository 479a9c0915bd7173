import { Journal } from '../../src/audit/journal.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { AuditHead, AuditRow } from '../../src/store/audit_rows.ts'
import { StoreFault, type Store } from '../../src/store/store.ts'
import { FakeClock } from './clock.ts'

type AuditStore = Pick<
  Store,
  | 'appendAudit'
  | 'auditTail'
  | 'auditSegment'
  | 'auditSegments'
  | 'closeAuditSegment'
  | 'auditHeads'
  | 'dropAuditSegments'
>

/** The audit part of a store, in memory. Its rows lie open, as they do for whoever has the database. */
export class FakeAuditStore implements AuditStore {
  rows: AuditRow[] = []
  heads: AuditHead[] = []
  /** How many rows each write had, those that failed too. */
  readonly writes: number[] = []
  /** Nothing can be written. */
  out = false
  #held: PromiseWithResolvers<void> | undefined

  /** Writes take until `release` from now on. */
  hold(): void {
    this.#held = Promise.withResolvers()
  }

  release(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  async appendAudit(rows: readonly AuditRow[]): Promise<void> {
    this.writes.push(rows.length)
    await this.#held?.promise
    this.#refuseWhenOut()
    const names = new Set(this.rows.map(nameOf))
    if (rows.some((row) => names.has(nameOf(row)))) throw new StoreFault('a row is there already')
    this.rows.push(...rows)
  }

  auditTail(tenant: string | undefined, count: number): Promise<readonly AuditRow[]> {
    const rows = this.rows.filter((row) => tenant === undefined || row.tenant === tenant)
    return Promise.resolve(rows.toSorted((a, b) => a.at - b.at).slice(-count))
  }

  auditSegment(segment: string): Promise<readonly AuditRow[]> {
    return Promise.resolve(
      this.rows
        .filter((row) => row.segment === segment)
        .toSorted((a, b) => a.sequence - b.sequence),
    )
  }

  auditSegments(): Promise<readonly { readonly segment: string; readonly lastAt: number }[]> {
    const last = new Map<string, number>()
    for (const { segment, at } of this.rows) last.set(segment, Math.max(at, last.get(segment) ?? 0))
    return Promise.resolve([...last].map(([segment, lastAt]) => ({ segment, lastAt })))
  }

  async closeAuditSegment(head: AuditHead): Promise<void> {
    await Promise.resolve()
    this.#refuseWhenOut()
    this.heads.push(head)
  }

  auditHeads(): Promise<readonly AuditHead[]> {
    return Promise.resolve([...this.heads])
  }

  async dropAuditSegments(before: number): Promise<number> {
    const closed = new Set(this.heads.map(({ segment }) => segment))
    const old = (await this.auditSegments())
      .filter(({ segment, lastAt }) => closed.has(segment) && lastAt < before)
      .map(({ segment }) => segment)
    this.rows = this.rows.filter(({ segment }) => !old.includes(segment))
    return old.length
  }

  #refuseWhenOut(): void {
    if (this.out) throw new StoreFault('the store is out')
  }
}

function nameOf({ segment, sequence }: AuditRow): string {
  return `${segment} ${String(sequence)}`
}

/** Of the key that signs in tests. */
export const auditSeed = Buffer.alloc(32, 7)

/** A journal that has written so many rows, in one segment. */
export async function writtenAudit(
  rows: number,
  segment = 'one',
  { store, clock } = { store: new FakeAuditStore(), clock: new FakeClock() },
): Promise<{
  readonly store: FakeAuditStore
  readonly clock: FakeClock
  readonly journal: Journal
}> {
  const random = { ...systemRandom, uuid: () => segment }
  const journal = new Journal({ store, clock, random, seed: auditSeed })
  for (let n = 0; n < rows; n++) {
    const tenant = n % 2 === 0 ? 'acme-corp' : 'other'
    await journal.record({ event: 'token.issued', tenant, outcome: 'success', jti: String(n) })
  }
  return { store, clock, journal }
}
