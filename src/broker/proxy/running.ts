import type { Clock } from '../../platform/clock.ts'

const LOOK_EVERY_MS = 1_000

/** Something that is under way and may take too long. */
export interface Timed {
  /** Called once a second with the monotonic time. */
  look(now: number): void
}

/**
 * All requests of a proxy that are under way. One clock for all of them: one or two for each request would cost more than the
 * request.
 */
export class Running {
  readonly #clock: Clock
  readonly #all = new Set<Timed>()
  #isLooking = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(one: Timed): void {
    this.#all.add(one)
    if (!this.#isLooking) this.#lookSoon()
  }

  remove(one: Timed): void {
    this.#all.delete(one)
  }

  #lookSoon(): void {
    this.#isLooking = true
    this.#clock.after(LOOK_EVERY_MS, () => {
      const now = this.#clock.monotonic()
      for (const one of this.#all) one.look(now)
      if (this.#all.size > 0) this.#lookSoon()
      else this.#isLooking = false
    })
  }
}
