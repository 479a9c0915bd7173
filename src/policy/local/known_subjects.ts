import { RecentExchanges } from './recent_exchanges.ts'
import type { SubjectKey } from './subject_key.ts'

const WINDOW_MS = 60_000

interface Recent {
  readonly lastAt: number
  readonly exchanges: RecentExchanges
}

/**
 * The subjects that one workload acts for: those that somebody holds, and each for a minute after its last exchange. Without
 * that minute an agent could ask for one user, let go, and ask for the next. Times are monotonic milliseconds.
 */
export class KnownSubjects {
  /** Those of the last minute, the one of the longest ago first. */
  readonly #recent = new Map<SubjectKey, Recent>()
  /** How many hold each. */
  readonly #holders = new Map<SubjectKey, number>()
  /** All of both. */
  readonly #known = new Set<SubjectKey>()

  get size(): number {
    return this.#known.size
  }

  /** Milliseconds until this subject is among no more than the limit; 0: now. A minute where nobody can know, for all are held. */
  wait(subject: SubjectKey, limit: number, now: number): number {
    this.#forget(limit, now)
    if (this.#known.has(subject)) return 0
    let excess = this.#known.size + 1 - limit
    if (excess <= 0) return 0
    for (const [other, { lastAt }] of this.#recent) {
      if (this.#holders.has(other)) continue
      excess -= 1
      if (excess <= 0) return WINDOW_MS - (now - lastAt)
    }
    return WINDOW_MS
  }

  /** Milliseconds until one more exchange for this subject is within the limit of a minute; 0: now. */
  waitForExchange(subject: SubjectKey, limit: number, now: number): number {
    return this.#recent.get(subject)?.exchanges.wait(limit, now) ?? 0
  }

  /** Counts an exchange. */
  add(subject: SubjectKey, now: number): void {
    const exchanges = this.#recent.get(subject)?.exchanges ?? new RecentExchanges()
    exchanges.add(now)
    this.#recent.delete(subject)
    this.#recent.set(subject, { lastAt: now, exchanges })
    this.#known.add(subject)
  }

  /** Known until what this gives is called, which counts once. */
  hold(subject: SubjectKey): () => void {
    this.#holders.set(subject, (this.#holders.get(subject) ?? 0) + 1)
    this.#known.add(subject)
    let isHeld = true
    return () => {
      if (isHeld) this.#release(subject)
      isHeld = false
    }
  }

  #release(subject: SubjectKey): void {
    const left = (this.#holders.get(subject) ?? 0) - 1
    if (left > 0) this.#holders.set(subject, left)
    else this.#holders.delete(subject)
    this.#drop(subject)
  }

  /**
   * What is a minute old, and what a lowered limit leaves no room for: kept, it would be free for as long as it is in use,
   * and the lower limit would never come to hold. What is held stays.
   */
  #forget(limit: number, now: number): void {
    for (const [subject, { lastAt }] of this.#recent) {
      if (now - lastAt < WINDOW_MS) {
        if (this.#known.size <= limit) return
        if (this.#holders.has(subject)) continue
      }
      this.#recent.delete(subject)
      this.#drop(subject)
    }
  }

  #drop(subject: SubjectKey): void {
    if (!this.#recent.has(subject) && !this.#holders.has(subject)) this.#known.delete(subject)
  }
}
