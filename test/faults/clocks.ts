import { systemClock, type Clock } from '../../src/platform/clock.ts'

/**
 * The real clock, which can also be taken ahead: hours of a token's life pass in no time, for both clocks of everybody
 * who was given one. Timers stay those of the machine.
 */
export class Era {
  #ahead = 0

  advance(ms: number): void {
    this.#ahead += ms
  }

  /** Milliseconds of the true time. */
  readonly wall = (): number => systemClock.wall() + this.#ahead
  readonly monotonic = (): number => systemClock.monotonic() + this.#ahead

  /** The clock of one machine, whose wall time can be set wrong. */
  machine(): MachineClock {
    return new MachineClock(this)
  }
}

export class MachineClock implements Clock {
  readonly #era: Era
  #offMs = 0

  constructor(era: Era) {
    this.#era = era
  }

  /** Sets the wall clock so much off the true time. */
  setOff(ms: number): void {
    this.#offMs = ms
  }

  readonly wall = (): number => this.#era.wall() + this.#offMs
  readonly monotonic = (): number => this.#era.monotonic()
  readonly after: Clock['after'] = (ms, run) => systemClock.after(ms, run)
}
