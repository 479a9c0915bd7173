import type { CacheKey } from '../cache/key.ts'
import type { Held } from '../cache/token_cache.ts'
import { within } from '../platform/clock.ts'
import { causeOf } from '../platform/log.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError } from './errors.ts'
import { ProofFault } from './proof.ts'
import { accessTokenOf, type Servable } from './servable.ts'
import { errorOf } from './exchange_error.ts'
import { FOREGROUND_MS, TokenExchange, type TokenExchangeDependencies } from './token_exchange.ts'
import type { Wish } from './wish.ts'

export interface GetTokenDependencies extends TokenExchangeDependencies {
  /** How many different tokens may be fetched at once for one workload. */
  readonly maxFlights: number
}

/** A token to be served, with the whole seconds that are left of it; in its last second that is 1. */
export interface Served {
  readonly servable: Servable
  readonly expiresIn: number
  /** Monotonic milliseconds. */
  readonly askedAt: number
}

interface Waiting {
  /** Monotonic. */
  readonly since: number
  /** Whether it may be tried once more. */
  readonly again: boolean
}

/** How long a caller waits for an exchange: briefly while there is something to serve, longer while there is nothing. */
const PATIENCE_MS = { holding: 1_500, emptyHanded: FOREGROUND_MS } as const
/** Refreshes of a workload that are under way at once; the rest have time until the next look. */
export const AHEAD_AT_ONCE = 64
/** Below this a token is about to end on its way to whoever will check it. */
const FLOOR_MS = 15_000
const FLOOR_SHARE = 0.05

/** The use case of the broker: the token that a workload wishes for, from the cache or by an exchange. */
export class GetToken {
  readonly #dependencies: GetTokenDependencies
  readonly #tally
  readonly #exchange: TokenExchange

  constructor(dependencies: GetTokenDependencies) {
    this.#dependencies = dependencies
    this.#exchange = new TokenExchange(dependencies)
    const { metrics } = dependencies
    this.#tally = {
      hit: metrics.tally('cache', { outcome: 'hit' }),
      miss: metrics.tally('cache', { outcome: 'miss' }),
      stale: metrics.tally('cache', { outcome: 'stale' }),
      servedStale: metrics.tally('servedStale', {}),
      shared: metrics.tally('sharedFlights', {}),
      remaining: metrics.spread('remainingAtServe'),
    }
  }

  /** What can be served at once, without waiting for anything. */
  fromCache(workload: Workload, wish: Wish): Served | undefined {
    const proof = workload.proofs.last()
    if (!proof) return undefined
    const key = workload.keyOf(wish, proof)
    const held = workload.tokens.get(key)
    if (!held || !isGood(held, wish)) return undefined
    // It was left alone since it came, so nobody refreshed it; whoever comes next finds the new one.
    if (held.isDue && !held.isWaiting) this.refresh(workload, wish, key)
    this.#tally.hit.add()
    return this.#served(held)
  }

  /** Fetches a token ahead of time, for nobody who waits. */
  refresh(workload: Workload, wish: Wish, key: CacheKey): void {
    const { tokens } = workload
    if (tokens.isFlying(key) || workload.ahead.size >= AHEAD_AT_ONCE) return
    const { log } = this.#dependencies
    workload.ahead.set(key, { isAwaited: false })
    tokens
      .fly(key, async () => landed(await this.#exchange.ahead(workload, wish, key), true))
      .catch((error: unknown) => {
        tokens.postpone(key, 0)
        log.error('a token could not be refreshed', causeOf(error))
      })
      .finally(() => {
        workload.ahead.delete(key)
      })
  }

  /** The token by an exchange; what is held already serves where the exchange fails for no fault of the workload. */
  byExchange(workload: Workload, wish: Wish): Promise<Served | BrokerError> {
    return this.#serve(workload, wish, { since: this.#dependencies.clock.monotonic(), again: true })
  }

  /** The token by an exchange, in place of one that a resource refused. */
  instead(workload: Workload, wish: Wish, rejected: string): Promise<Served | BrokerError> {
    const proof = workload.proofs.last()
    const key = proof && workload.keyOf(wish, proof)
    const held = key && workload.tokens.get(key)
    if (held && accessTokenOf(held.value) === rejected) workload.tokens.drop(key)
    return Promise.resolve(this.fromCache(workload, wish) ?? this.byExchange(workload, wish))
  }

  async #serve(workload: Workload, wish: Wish, waiting: Waiting): Promise<Served | BrokerError> {
    const { proofs, tokens } = workload
    const again = (): Promise<Served | BrokerError> | BrokerError =>
      waiting.again
        ? this.#serve(workload, wish, { ...waiting, again: false })
        : authorityUnavailable()
    const proof = proofs.last() ?? (await proofs.read())
    if (proof instanceof ProofFault) return new BrokerError(proof.code)
    const key = workload.keyOf(wish, proof)
    const refusal = tokens.refusalOf(key)
    if (refusal) return refusal
    const before = tokens.get(key)
    if (before && wish.minTtl * 1000 > before.lifetimeMs) return new BrokerError('min_ttl_too_long')
    if (before?.isWaiting === true && isEnough(before, wish)) return this.#stale(before)
    const patienceMs = this.#patienceOf(waiting, wish, before)
    const { failure, wasAhead } = await this.#fetch(workload, wish, key, patienceMs)
    if (key !== workload.keyOf(wish, proofs.last() ?? proof)) {
      // The volume holds somebody else's proof by now; what lies under this key is not this caller's.
      return again()
    }
    const held = tokens.get(key)
    if (held && isGood(held, wish)) {
      this.#tally.miss.add()
      return this.#served(held)
    }
    // The cache was cleared, or the token ended, while it was on its way.
    if (!failure && !held) return again()
    if (!held || !isEnough(held, wish)) {
      if (!failure) return new BrokerError('min_ttl_too_long')
      // What flew ahead of time did not ask again and again, as what flies for a caller does.
      return wasAhead && waiting.again && failure.status >= 500 ? again() : failure
    }
    // What is wrong with the request itself is for whoever made it to know; a used-up budget takes nothing away that is held.
    if (failure && failure.status < 500 && failure.status !== 429) return failure
    if (failure) return this.#stale(held)
    this.#tally.miss.add()
    return this.#served(held)
  }

  /** Half of what is left of a token at most: it is to be served if none comes. */
  #patienceOf({ since }: Waiting, wish: Wish, held?: Held<Servable>): number {
    const waited = this.#dependencies.clock.monotonic() - since
    const spare = held ? held.remainingMs - wish.minTtl * 1000 : -1
    if (spare < 0) return PATIENCE_MS.emptyHanded - waited
    return Math.min(PATIENCE_MS.holding - waited, spare / 2)
  }

  /** A workload's own token is good to its very end, whatever happens to the authority meanwhile. */
  #stale(held: Held<Servable>): Served {
    this.#tally.stale.add()
    this.#tally.servedStale.add()
    return this.#served(held)
  }

  /** Never 0, which many a client takes for a token without an end. */
  #served({ value, remainingMs, askedAt }: Held<Servable>): Served {
    this.#tally.remaining.record(remainingMs / 1000)
    return { servable: value, expiresIn: Math.max(1, Math.floor(remainingMs / 1000)), askedAt }
  }

  /** Waits for the flight of this key, not longer than there is patience. */
  async #fetch(
    workload: Workload,
    wish: Wish,
    key: CacheKey,
    patienceMs: number,
  ): Promise<Landing> {
    const { clock, maxFlights, gate } = this.#dependencies
    const { tokens } = workload
    if (tokens.isFlying(key)) {
      this.#tally.shared.add()
      const ahead = workload.ahead.get(key)
      if (ahead) ahead.isAwaited = true
    } else if (tokens.flights - workload.ahead.size >= maxFlights) {
      return landed(new BrokerError('overloaded'))
    } else {
      const denied = gate.denies(workload, wish)
      if (denied) return landed(denied)
      // What will not be asked for in time costs nothing: the fault is the authority's.
      const silent = this.#exchange.silenceOf(workload)
      if (silent && (silent.retryAfterSeconds ?? 0) * 1000 >= patienceMs) {
        return landed(errorOf(silent))
      }
      const spent = gate.spend(workload, wish)
      if (spent) return landed(spent)
    }
    const flight = tokens.fly(key, async () =>
      landed(await this.#exchange.urgently(workload, wish, key)),
    )
    const landing = await within(clock, patienceMs, flight, () => landed(authorityUnavailable()))
    // Whoever comes next is served what is held without a second wait.
    if (landing.failure && landing.failure.status >= 500) tokens.postpone(key, 0)
    return landing
  }
}

/** How a flight ended; without a failure a token came. */
interface Landing {
  readonly failure: BrokerError | undefined
  /** It flew for nobody who waited. */
  readonly wasAhead: boolean
}

function landed(failure: BrokerError | undefined, wasAhead = false): Landing {
  return { failure, wasAhead }
}

function authorityUnavailable(): BrokerError {
  return new BrokerError('authority_unavailable')
}

function isEnough(held: Held<Servable>, wish: Wish): boolean {
  return held.remainingMs >= wish.minTtl * 1000
}

function isGood(held: Held<Servable>, wish: Wish): boolean {
  const floor = Math.max(FLOOR_MS, held.lifetimeMs * FLOOR_SHARE)
  return held.remainingMs >= Math.max(floor, wish.minTtl * 1000)
}
