import type { ExchangeFailure } from '../exchange/exchanger.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Servable } from './servable.ts'

const TELL_EVERY_MS = 60_000
/** Verifiers commonly allow up to a minute. */
const CLOCKS_APART_SECONDS = 60

/** What the operator is told of exchanges. */
export class ExchangeNews {
  readonly #dependencies: { readonly clock: Clock; readonly log: Log }
  #told: { readonly detail: string; readonly at: number } | undefined

  constructor(dependencies: { readonly clock: Clock; readonly log: Log }) {
    this.#dependencies = dependencies
  }

  /** An outage is told once a minute, and not by each of its thousand failures. */
  failed({ kind, error, detail }: ExchangeFailure): void {
    const { clock, log } = this.#dependencies
    const now = clock.monotonic()
    if (kind === 'outage') {
      if (this.#told?.detail === detail && now - this.#told.at < TELL_EVERY_MS) return
      this.#told = { detail, at: now }
    }
    log.warn('an exchange brought no token', { outcome: kind, error, detail })
  }

  /** The next outage is another one. */
  succeeded(): void {
    this.#told = undefined
  }

  /** A token of another time is refused by whoever checks it, and nobody there will know why. */
  compareClocks({ issuedAt }: Pick<Servable, 'issuedAt'>): void {
    const { clock, log } = this.#dependencies
    if (issuedAt === undefined) return
    const apart = issuedAt - unixSeconds(clock)
    if (Math.abs(apart) < CLOCKS_APART_SECONDS) return
    log.warn('the clocks of the authority and of this machine are apart; one of them is wrong', {
      seconds: apart,
    })
  }
}
