import type { Clock } from '../../platform/clock.ts'
import { fractionOf, type Random } from '../../platform/random.ts'

const SHORTEST_MS = 1_000
const LONGEST_MS = 60_000

/**
 * When something that failed is tried again: after a random part of a time that doubles with each failure, from 1 s to 60 s.
 * Thousands of pods that lost their authority at one moment would else come back to it at one moment.
 */
export class BackOff {
  readonly #clock: Clock
  readonly #random: Random
  #longestMs = SHORTEST_MS
  #dueAt = -Infinity

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  isDue(): boolean {
    return this.#clock.monotonic() >= this.#dueAt
  }

  /** @param atLeastMs what the other side asked for; a minute of it is believed */
  failed(atLeastMs = 0): void {
    const pause = Math.max(
      fractionOf(this.#random) * this.#longestMs,
      Math.min(atLeastMs, LONGEST_MS),
    )
    this.#longestMs = Math.min(this.#longestMs * 2, LONGEST_MS)
    this.#dueAt = this.#clock.monotonic() + pause
  }

  /** @param restMs before it is due again */
  succeeded(restMs = 0): void {
    this.#longestMs = SHORTEST_MS
    this.#dueAt = this.#clock.monotonic() + restMs
  }
}
