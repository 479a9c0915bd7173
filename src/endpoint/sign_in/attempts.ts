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
  begin(tenant: string, email: string): boolean {
    const key = keyOf(tenant, email)
    const known = this.#counted.get(key)
    const isOver = !known || known.until <= this.#clock.monotonic()
    const count = isOver ? 0 : known.count
    if (count >= MAX_ATTEMPTS) return false
    this.#counted.set(key, { count: count + 1, until: this.#clock.monotonic() + LOCKED_MS })
    return true
  }

  /** One that was begun was not judged. */
  spare(tenant: string, email: string): void {
    const known = this.#counted.get(keyOf(tenant, email))
    if (known) known.count -= 1
  }

  succeeded(tenant: string, email: string): void {
    this.#counted.delete(keyOf(tenant, email))
  }
}

/** As short for a long address as for any: whoever sends them decides how long they are. */
function keyOf(tenant: string, email: string): string {
  return createHash('sha256').update(`${tenant} ${email}`).digest('base64url')
}
