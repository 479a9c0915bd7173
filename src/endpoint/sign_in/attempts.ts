import { LRUCache } from 'lru-cache'
import type { Clock } from '../../platform/clock.ts'

const MAX_ATTEMPTS = 5
const LOCKED_MS = 900_000
/** One that is forgotten begins anew, so a flood of addresses gains nothing but that. */
const MAX_REMEMBERED = 50_000

interface Attempts {
  count: number
  /** Monotonic milliseconds. */
  until: number
}

/**
 * Locks the sign-in of an address after repeated failures, whether or not somebody has that address: a difference would tell who
 * has an account. Counted in this process.
 */
export class SignInAttempts {
  readonly #clock: Clock
  readonly #failed = new LRUCache<string, Attempts>({ max: MAX_REMEMBERED })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  isLocked(email: string): boolean {
    const attempts = this.#current(email)
    return attempts !== undefined && attempts.count >= MAX_ATTEMPTS
  }

  failed(email: string): void {
    const count = (this.#current(email)?.count ?? 0) + 1
    this.#failed.set(email, { count, until: this.#clock.monotonic() + LOCKED_MS })
  }

  succeeded(email: string): void {
    this.#failed.delete(email)
  }

  #current(email: string): Attempts | undefined {
    const attempts = this.#failed.get(email)
    return attempts && attempts.until > this.#clock.monotonic() ? attempts : undefined
  }
}
