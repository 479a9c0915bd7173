import { setImmediate } from 'node:timers/promises'
import type { Audit, AuditEvent } from '../platform/audit.ts'
import type { Clock } from '../platform/clock.ts'
import { causeOf, type Log } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'
import type { AuditRow } from '../store/audit_rows.ts'
import { StoreFault, type Store } from '../store/store.ts'
import { auditKeys, eventText, firstHash, rowHash, signHead, type AuditKeys } from './chain.ts'

interface JournalLimits {
  /** A write never goes into two segments, so it is not above `rowsPerSegment`. */
  readonly rowsPerWrite: number
  readonly rowsPerSegment: number
  readonly segmentMs: number
  /** Events whose row is not in the store yet. */
  readonly waiting: number
}

interface JournalDependencies {
  readonly store: Pick<Store, 'appendAudit' | 'closeAuditSegment'>
  readonly clock: Clock
  readonly random: Random
  /** 32 bytes, for the key that signs the ends of segments. */
  readonly seed: Buffer
  readonly log?: Log
  readonly limits?: Partial<JournalLimits>
}

/** The longest that a segment is written to. */
export const MAX_SEGMENT_MS = 86_400_000

const defaultLimits: JournalLimits = {
  rowsPerWrite: 256,
  rowsPerSegment: 10_000,
  segmentMs: MAX_SEGMENT_MS,
  waiting: 10_000,
}

/** Events that are written by one call. */
interface Group {
  readonly events: { readonly tenant: string; readonly at: number; readonly text: string }[]
  readonly written: PromiseWithResolvers<void>
}

/** The segment that is being written: as far as its rows are in the store, and no further. */
interface Segment {
  readonly id: string
  readonly rows: number
  readonly hash: Buffer
  readonly openedWall: number
  readonly openedMonotonic: number
}

/**
 * Writes audited events, chained, and lets each caller wait for its row. A write to disk for each event alone would bound
 * the whole endpoint, so what arrives in the same turn of the event loop, or while a write is under way, is written together.
 */
export class Journal implements Audit {
  readonly #dependencies: JournalDependencies
  readonly #limits: JournalLimits
  readonly #keys: AuditKeys
  readonly #groups: Group[] = []
  #waiting = 0
  #segment: Segment | undefined
  #writing: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #failing = false
  #stopAgeing: () => void = () => {}

  constructor(dependencies: JournalDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultLimits, ...dependencies.limits }
    this.#keys = auditKeys(dependencies.seed)
  }

  record(event: AuditEvent): Promise<void> {
    if (this.#closing) return Promise.reject(new StoreFault('the audit journal is closed'))
    if (this.#waiting >= this.#limits.waiting) {
      return Promise.reject(new StoreFault('too many audit events wait for the store'))
    }
    const at = this.#dependencies.clock.wall()
    const group = this.#groupWithRoom()
    group.events.push({ tenant: event.tenant, at, text: eventText(event, at) })
    this.#waiting++
    this.#write()
    return group.written.promise
  }

  /**
   * Writes what waits, and signs the end of the segment. Nothing is taken any more.
   * @throws StoreFault when the end cannot be written: the segment stays open, its rows are there
   */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    await this.#writing
    await this.#closeSegment()
  }

  #groupWithRoom(): Group {
    const last = this.#groups.at(-1)
    if (last && last.events.length < this.#limits.rowsPerWrite) return last
    const group: Group = { events: [], written: Promise.withResolvers() }
    this.#groups.push(group)
    return group
  }

  #write(): void {
    this.#writing ??= this.#writeAll()
  }

  /** Never rejects: what fails is told to those who wait for it. */
  async #writeAll(): Promise<void> {
    do {
      // After all that the event loop has ready now. A microtask would run before the next request has had its turn, and
      // each would be written alone.
      await setImmediate()
      await this.#writeNext()
    } while (this.#groups.length > 0)
    this.#writing = undefined
  }

  async #writeNext(): Promise<void> {
    const group = this.#groups.shift()
    const count = group?.events.length ?? 0
    try {
      if (this.#isOver(count)) await this.#closeSegment()
      if (group) await this.#append(group)
      this.#tell(undefined)
      group?.written.resolve()
    } catch (error) {
      this.#tell(error)
      group?.written.reject(error)
    }
    this.#waiting -= count
  }

  /** The chain goes on only from what the store has: rows that it refused leave no gap. */
  async #append({ events }: Group): Promise<void> {
    const segment = this.#segment ?? this.#newSegment()
    let { rows: sequence, hash } = segment
    const rows: AuditRow[] = []
    for (const { tenant, at, text } of events) {
      hash = rowHash(hash, text)
      rows.push({ segment: segment.id, sequence: sequence++, tenant, at, text, hash })
    }
    const { store, clock } = this.#dependencies
    await store.appendAudit(rows)
    // A segment that no event comes to any more is signed in time, too.
    if (!this.#segment) this.#stopAgeing = clock.after(this.#limits.segmentMs, () => this.#write())
    this.#segment = { ...segment, rows: sequence, hash }
  }

  #newSegment(): Segment {
    const { clock, random } = this.#dependencies
    const id = random.uuid()
    return {
      id,
      rows: 0,
      hash: firstHash(id),
      openedWall: clock.wall(),
      openedMonotonic: clock.monotonic(),
    }
  }

  /** By the nearer of two clocks: one may be set back, the other stands while the machine sleeps. */
  #isOver(more: number): boolean {
    if (!this.#segment) return false
    const { rows, openedWall, openedMonotonic } = this.#segment
    const { clock } = this.#dependencies
    const age = Math.max(clock.wall() - openedWall, clock.monotonic() - openedMonotonic)
    return rows + more > this.#limits.rowsPerSegment || age >= this.#limits.segmentMs
  }

  async #closeSegment(): Promise<void> {
    if (!this.#segment) return
    const { id: segment, rows, hash } = this.#segment
    const { store, clock } = this.#dependencies
    const end = { segment, rows, hash, closedAt: clock.wall() }
    await store.closeAuditSegment(signHead(end, 'closed', this.#keys.privateKey))
    this.#segment = undefined
    this.#stopAgeing()
  }

  /** Once when it begins and once when it ends, not for each group of an outage. */
  #tell(error: unknown): void {
    const failing = error !== undefined
    if (failing === this.#failing) return
    this.#failing = failing
    const { log } = this.#dependencies
    if (failing) {
      const why = error instanceof StoreFault ? { reason: error.message } : causeOf(error)
      log?.error('audit events cannot be written; what would be audited is refused', why)
    } else log?.info('audit events are written again')
  }
}
