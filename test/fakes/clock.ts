import type { Clock } from '../../src/platform/clock.ts'

/** A clock that stands until it is moved, and runs what falls due as it moves. */
export class FakeClock implements Clock {
  #wall: number
  #monotonic = 0
  #timers: { readonly at: number; readonly run: () => void }[] = []

  constructor(wall = Date.UTC(2026, 10, 21)) {
    this.#wall = wall
  }

  wall(): number {
    return this.#wall
  }

  monotonic(): number {
    return this.#monotonic
  }

  /** Unix seconds. */
  get now(): number {
    return Math.floor(this.#wall / 1000)
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#monotonic + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Milliseconds until something falls due. */
  get untilNext(): number {
    return Math.min(...this.#timers.map(({ at }) => at)) - this.#monotonic
  }

  /** Lets time pass on both clocks. */
  advance(ms: number): void {
    const end = this.#monotonic + ms
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#timers = this.#timers.filter((other) => other !== due)
      this.#move(Math.max(due.at, this.#monotonic) - this.#monotonic)
      due.run()
    }
    this.#move(end - this.#monotonic)
  }

  /** Sets the wall clock, as an administrator or a time server does. */
  jump(ms: number): void {
    this.#wall += ms
  }

  #move(ms: number): void {
    this.#wall += ms
    this.#monotonic += ms
  }
}
