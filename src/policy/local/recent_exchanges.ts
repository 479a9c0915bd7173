const WINDOW_MS = 60_000
/** Exchanges of so long are counted as one entry, so that a limit of 100 000 needs no more memory than one of 300. */
const SLOT_MS = 250

interface Slot {
  readonly startedAt: number
  lastAt: number
  count: number
}

/**
 * The exchanges of the last minute. A window that slides, and no bucket that refills: a bucket lets a whole limit through at
 * once and the same again during the minute that follows. Times are monotonic milliseconds.
 */
export class RecentExchanges {
  readonly #slots: Slot[] = []
  #count = 0

  /** How much is remembered: at most 241, whatever the limit. */
  get entries(): number {
    return this.#slots.length
  }

  /** Milliseconds until one more is within the limit; 0: now. */
  wait(limit: number, now: number): number {
    this.#forget(now)
    let excess = this.#count + 1 - limit
    if (excess <= 0) return 0
    for (const { lastAt, count } of this.#slots) {
      excess -= count
      if (excess <= 0) return WINDOW_MS - (now - lastAt)
    }
    return WINDOW_MS
  }

  add(now: number): void {
    const slot = this.#slots.at(-1)
    this.#count += 1
    if (slot && now - slot.startedAt < SLOT_MS) {
      // The whole slot ends with its last exchange: late rather than early.
      slot.lastAt = now
      slot.count += 1
    } else {
      this.#slots.push({ startedAt: now, lastAt: now, count: 1 })
    }
  }

  #forget(now: number): void {
    for (let slot = this.#slots[0]; slot; slot = this.#slots[0]) {
      if (now - slot.lastAt < WINDOW_MS) return
      this.#slots.shift()
      this.#count -= slot.count
    }
  }
}
