import type { Clock } from '../platform/clock.ts'

/** A bucket of requests that fills steadily. One a caller; in a sidecar the pod is the only caller. */
export class RateLimit {
  readonly #perMs: number
  readonly #burst: number
  readonly #clock: Clock
  #left: number
  #filledAt: number

  constructor({ perSecond, burst }: { perSecond: number; burst: number }, clock: Clock) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#clock = clock
    this.#left = burst
    this.#filledAt = clock.monotonic()
  }

  /** Whether there is one to take, without taking it. */
  has(): boolean {
    this.#fill()
    return this.#left >= 1
  }

  /** Takes one request; false when there is none to take. */
  take(): boolean {
    this.#fill()
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }

  #fill(): void {
    const now = this.#clock.monotonic()
    this.#left = Math.min(this.#burst, this.#left + (now - this.#filledAt) * this.#perMs)
    this.#filledAt = now
  }
}
