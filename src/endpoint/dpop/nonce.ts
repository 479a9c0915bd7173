import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'

/** A nonce is good for one to two of these. */
const WINDOW_MS = 120_000

/**
 * Nonces of DPoP proofs (RFC 9449 section 8): a MAC over the time, so that nothing has to be kept and every process with the
 * same key knows them. They show that a proof was made lately; that it comes once is the business of its `jti`.
 */
export class DpopNonces {
  readonly #key: Buffer
  readonly #clock: Clock

  constructor(key: Buffer, clock: Clock) {
    this.#key = key
    this.#clock = clock
  }

  current(): string {
    return this.#nonceOf(this.#window())
  }

  isGood(nonce: string): boolean {
    const window = this.#window()
    // Both are compared, so that the time taken says nothing.
    return [window, window - 1].map((one) => equal(nonce, this.#nonceOf(one))).includes(true)
  }

  #window(): number {
    return Math.floor(this.#clock.wall() / WINDOW_MS)
  }

  #nonceOf(window: number): string {
    return createHmac('sha256', this.#key).update(String(window)).digest('base64url')
  }
}

function equal(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
