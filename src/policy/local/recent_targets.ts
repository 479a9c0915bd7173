import { hash } from 'node:crypto'

const WINDOW_MS = 3_600_000
/** 96 bits in base64url: nobody finds two targets that count as one, and a long target takes no more room than a short one. */
const HASH_LENGTH = 16

/**
 * The different targets of the last hour, by hash. Each is held from its latest use on, so that no hour, wherever it begins,
 * sees more of them than the limit. Times are monotonic milliseconds.
 */
export class RecentTargets {
  /** When each was used last, the longest ago first. */
  readonly #usedAt = new Map<string, number>()

  get size(): number {
    return this.#usedAt.size
  }

  static hashesOf(targets: readonly string[]): ReadonlySet<string> {
    return new Set(
      targets.map((target) => hash('sha256', target, 'base64url').slice(0, HASH_LENGTH)),
    )
  }

  /** Milliseconds until all of these are within the limit; 0: now. */
  wait(hashes: ReadonlySet<string>, limit: number, now: number): number {
    this.#forget(limit, now)
    const known = [...hashes].filter((value) => this.#usedAt.has(value)).length
    let excess = this.#usedAt.size - known + hashes.size - limit
    if (excess <= 0) return 0
    for (const [value, usedAt] of this.#usedAt) {
      if (hashes.has(value)) continue
      excess -= 1
      if (excess <= 0) return WINDOW_MS - (now - usedAt)
    }
    // More at once than the limit: no time brings that.
    return WINDOW_MS
  }

  add(hashes: ReadonlySet<string>, now: number): void {
    for (const value of hashes) {
      this.#usedAt.delete(value)
      this.#usedAt.set(value, now)
    }
  }

  /**
   * What is an hour old, and what a lowered limit leaves no room for: kept, it would be free for as long as it is in use,
   * and the lower limit would never come to hold.
   */
  #forget(limit: number, now: number): void {
    for (const [value, usedAt] of this.#usedAt) {
      if (now - usedAt < WINDOW_MS && this.#usedAt.size <= limit) return
      this.#usedAt.delete(value)
    }
  }
}
