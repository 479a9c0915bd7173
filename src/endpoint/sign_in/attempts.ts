import { createHash } from 'node:crypto'
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
  readonly #counted = new LRUCache<string, Attempts>({ max: MAX_REMEMBERED })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Counts one before it is judged, for of many at once each would else be one of the first five. False: the address is locked,
   * and nothing is counted.
   */
  begin(key: string): boolean {
    const known = this.#counted.get(key)
    const isOver = !known || known.until <= this.#clock.monotonic()
    const count = isOver ? 0 : known.count
    if (count >= MAX_ATTEMPTS) return false
    this.#counted.set(key, { count: count + 1, until: this.#clock.monotonic() + LOCKED_MS })
    return true
  }

  /** One that was begun was not judged. */
  spare(key: string): void {
    const known = this.#counted.get(key)
    if (known) known.count -= 1
  }

  succeeded(key: string): void {
    this.#counted.delete(key)
  }
}

/**
 * What attempts are counted by. With the hash of the password, so that a new one is not locked by guesses at the old. As short for a
 * long address as for any: whoever sends them decides how long they are.
 */
export function attemptKey(tenant: string, email: string, kept: string | undefined): string {
  return createHash('sha256')
    .update(`${tenant} ${kept ?? ''} ${email}`)
    .digest('base64url')
}
