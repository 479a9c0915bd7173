import type { CacheKey } from '../../cache/key.ts'
import type { Held } from '../../cache/token_cache.ts'
import { within } from '../../platform/clock.ts'
import { causeOf } from '../../platform/log.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { FOREGROUND_MS } from '../token_exchange.ts'
import type { Wish } from '../wish.ts'
import type { Acting } from './acting.ts'
import type { Delegated } from './delegated.ts'
import { DelegatedExchange, type DelegatedExchangeDependencies } from './delegated_exchange.ts'
import type { Handle } from './handle.ts'
import { GOOD_WITHOUT_CHECK_MS, type Recheck } from './recheck.ts'
import { FLOOR_MS } from './subject.ts'

export interface ActForDependencies extends DelegatedExchangeDependencies {
  readonly recheck: Recheck
}

/** A token by which the workload acts for somebody, with the whole seconds that are left of it. */
export interface Acted {
  readonly delegated: Delegated
  readonly expiresIn: number
}

/** Different tokens that are fetched at once for one subject token. */
const MAX_FLIGHTS = 16
const FLOOR_SHARE = 0.05

/**
 * The use case of acting for someone: a token for a subject, from what is held for it or by an exchange. What cannot be had
 * is refused: neither the workload's own token nor one for somebody else ever takes its place, and no socket is held open
 * while a person decides.
 */
export class ActFor {
  readonly #dependencies: ActForDependencies
  readonly #exchange: DelegatedExchange
  readonly #hit
  readonly #miss
  readonly #remaining

  constructor(dependencies: ActForDependencies) {
    this.#dependencies = dependencies
    this.#exchange = new DelegatedExchange(dependencies)
    const { metrics } = dependencies
    this.#hit = metrics.tally('cache', { outcome: 'hit' })
    this.#miss = metrics.tally('cache', { outcome: 'miss' })
    this.#remaining = metrics.spread('remainingAtServe')
  }

  /** What can be served at once, without waiting for anything. */
  fromCache(acting: Acting, wish: Wish): Acted | undefined {
    const held = this.#heldOf(acting, wish)
    const { clock } = this.#dependencies
    if (!held || clock.monotonic() - held.value.checkedAt > GOOD_WITHOUT_CHECK_MS) return undefined
    this.#hit.add()
    return this.#served(acting, held)
  }

  /** The token, by whatever it takes; a handle where the user has yet to agree. */
  get(workload: Workload, acting: Acting, wish: Wish): Promise<Acted | Handle | BrokerError> {
    const open = acting.handles.get(acting.keyOf(wish))
    return open ? Promise.resolve(open) : this.agreed(workload, acting, wish)
  }

  /** The same, where the user is known to have agreed: nobody waits for them any more. */
  async agreed(
    workload: Workload,
    acting: Acting,
    wish: Wish,
  ): Promise<Acted | Handle | BrokerError> {
    const held = this.#heldOf(acting, wish)
    if (held) {
      const standing = await this.#dependencies.recheck.before(workload, acting, held.value)
      if (standing instanceof BrokerError) return standing
      const still = standing === 'good' ? this.#heldOf(acting, wish) : undefined
      if (still) return this.#served(acting, still)
    }
    if (acting.hasEnded) return endedError(acting)
    const key = acting.keyOf(wish)
    const refusal = acting.tokens.refusalOf(key)
    if (refusal) return refusal
    const outcome = await this.#fetch(workload, acting, wish, key)
    if (outcome) return outcome
    const fresh = this.#heldOf(acting, wish)
    if (!fresh) {
      const isOver = acting.hasEnded || acting.remainingMs < FLOOR_MS
      // It was dropped again meanwhile, as by a change of the local policy.
      return isOver ? endedError(acting) : new BrokerError('authority_unavailable')
    }
    this.#miss.add()
    return this.#served(acting, fresh)
  }

  /** Has another issued in place of one that a resource refused. */
  async instead(
    workload: Workload,
    acting: Acting,
    wish: Wish,
    rejected: string,
  ): Promise<Acted | Handle | BrokerError> {
    const key = acting.keyOf(wish)
    const held = acting.tokens.get(key)
    if (held?.value.quotedToken === JSON.stringify(rejected)) acting.tokens.drop(key)
    return this.get(workload, acting, wish)
  }

  /** Fetches a token ahead of time, for nobody who waits, as long as there is more to be had than is held. */
  refresh(workload: Workload, acting: Acting, wish: Wish, key: CacheKey): void {
    const { tokens } = acting
    const held = tokens.get(key)
    if (!held || tokens.isFlying(key) || tokens.flights >= MAX_FLIGHTS) return
    // It ends with its subject, as the next one would.
    if (acting.remainingMs - held.remainingMs < FLOOR_MS) {
      tokens.postpone(key, held.remainingMs)
      return
    }
    const { log } = this.#dependencies
    tokens
      .fly(key, () => this.#exchange.ahead(workload, acting, wish, key))
      .catch((error: unknown) => {
        tokens.postpone(key, 0)
        log.error('a delegated token could not be refreshed', causeOf(error))
      })
  }

  /** Waits for the flight of this key. Undefined: a token came, and is held. */
  async #fetch(
    workload: Workload,
    acting: Acting,
    wish: Wish,
    key: CacheKey,
  ): Promise<Handle | BrokerError | undefined> {
    const { clock, metrics } = this.#dependencies
    const { tokens } = acting
    if (tokens.isFlying(key)) metrics.tally('sharedFlights', {}).add()
    else if (tokens.flights >= MAX_FLIGHTS) return new BrokerError('overloaded')
    const flight = tokens.fly(key, () => this.#exchange.urgently(workload, acting, wish, key))
    return within(clock, FOREGROUND_MS, flight, () => new BrokerError('authority_unavailable'))
  }

  /** What is held and good for long enough. A delegated token below the floor is not served, outage or not. */
  #heldOf(acting: Acting, wish: Wish): Held<Delegated> | undefined {
    if (acting.hasEnded || acting.remainingMs < FLOOR_MS) return undefined
    const held = acting.tokens.get(acting.keyOf(wish))
    if (!held) return undefined
    const floor = Math.max(FLOOR_MS, held.lifetimeMs * FLOOR_SHARE)
    return held.remainingMs >= floor ? held : undefined
  }

  #served(acting: Acting, { value, remainingMs }: Held<Delegated>): Acted {
    const { clock } = this.#dependencies
    acting.touch()
    value.usedAt = clock.monotonic()
    const leftMs = Math.min(remainingMs, acting.remainingMs)
    this.#remaining.record(leftMs / 1000)
    return { delegated: value, expiresIn: Math.max(1, Math.floor(leftMs / 1000)) }
  }
}

function endedError({ isSession }: Acting): BrokerError {
  return new BrokerError(isSession ? 'session_unknown' : 'subject_expired')
}
