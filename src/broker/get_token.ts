import { cacheKey, type CacheKey, type KeySubject } from '../cache/key.ts'
import type { Held } from '../cache/token_cache.ts'
import { BrokerError } from './errors.ts'
import { ProofFault, type KnownProof } from './proof.ts'
import type { KnownAgent, Servable } from './servable.ts'
import { FOREGROUND_MS, TokenExchange, type TokenExchangeDependencies } from './token_exchange.ts'
import type { Wish } from './wish.ts'

export interface GetTokenDependencies extends TokenExchangeDependencies {
  readonly tenant: string
  /** How many different tokens may be fetched at once. */
  readonly maxFlights: number
}

/** A token to be served, with the whole seconds that are left of it. */
export interface Served {
  readonly servable: Servable
  readonly expiresIn: number
}

/** How long a caller waits for an exchange: briefly while there is something to serve, longer while there is nothing. */
const PATIENCE_MS = { holding: 1_500, emptyHanded: FOREGROUND_MS } as const
/** Below this a token is about to end on its way to whoever will check it. */
const FLOOR_MS = 15_000
const FLOOR_SHARE = 0.05

/** The use case of the broker: the token that a caller wishes for, from the cache or by an exchange. */
export class GetToken {
  readonly #dependencies: GetTokenDependencies
  readonly #tally
  readonly #keys = new WeakMap<Wish, { readonly subject: KeySubject; readonly key: CacheKey }>()
  readonly #exchange: TokenExchange

  constructor(dependencies: GetTokenDependencies) {
    this.#dependencies = dependencies
    this.#exchange = new TokenExchange(dependencies)
    const { metrics } = dependencies
    this.#tally = {
      hit: metrics.tally('cache', { outcome: 'hit' }),
      miss: metrics.tally('cache', { outcome: 'miss' }),
      stale: metrics.tally('cache', { outcome: 'stale' }),
      shared: metrics.tally('sharedFlights', {}),
    }
  }

  /** Who this workload is, as the last token said. */
  get agent(): KnownAgent | undefined {
    return this.#exchange.agent
  }

  /** What can be served at once, without waiting for anything. */
  fromCache(wish: Wish): Served | undefined {
    const proof = this.#dependencies.proofs.last()
    if (!proof) return undefined
    const held = this.#dependencies.cache.get(this.#keyOf(wish, proof))
    if (!held || !isGood(held, wish)) return undefined
    this.#tally.hit.add()
    return served(held)
  }

  /** The token by an exchange; what is held already serves where the exchange fails for no fault of the workload. */
  async byExchange(wish: Wish, again = true): Promise<Served | BrokerError> {
    const { cache, proofs } = this.#dependencies
    const proof = proofs.last() ?? (await proofs.read())
    if (proof instanceof ProofFault) return new BrokerError(proof.code)
    const key = this.#keyOf(wish, proof)
    const refusal = cache.refusalOf(key)
    if (refusal) return refusal
    const before = cache.get(key)
    if (before && wish.minTtl * 1000 > before.lifetimeMs) return new BrokerError('min_ttl_too_long')
    const failure = await this.#fetch(key, wish, before !== undefined)
    if (key !== this.#keyOf(wish, proofs.last() ?? proof)) {
      // The volume holds somebody else's proof by now; what lies under this key is not this caller's.
      return again ? this.byExchange(wish, false) : new BrokerError('authority_unavailable')
    }
    const held = cache.get(key)
    if (held && isGood(held, wish)) {
      this.#tally.miss.add()
      return served(held)
    }
    if (!failure && !held) {
      // The cache was cleared, or the token ended, while it was on its way.
      return again ? this.byExchange(wish, false) : new BrokerError('authority_unavailable')
    }
    const enough = held && held.remainingMs >= wish.minTtl * 1000
    if (!enough) return failure ?? new BrokerError('min_ttl_too_long')
    // What is wrong with the request itself is for whoever made it to know.
    if (failure?.status === 400) return failure
    if (!failure) {
      this.#tally.miss.add()
      return served(held)
    }
    // A workload's own token is good to its very end, whatever happens to the authority meanwhile.
    this.#tally.stale.add()
    return served(held)
  }

  /** Waits for the flight of this key, not longer than there is patience. Undefined: a token came. */
  async #fetch(key: CacheKey, wish: Wish, holding: boolean): Promise<BrokerError | undefined> {
    const { cache, clock, maxFlights } = this.#dependencies
    if (cache.isFlying(key)) this.#tally.shared.add()
    else if (cache.flights >= maxFlights) return new BrokerError('overloaded')
    const flight = cache.fly(key, () =>
      this.#exchange.run(wish, key, (proof) => this.#keyOf(wish, proof)),
    )
    let stopClock = (): void => {}
    const patience = new Promise<BrokerError>((resolve) => {
      const ms = holding ? PATIENCE_MS.holding : PATIENCE_MS.emptyHanded
      stopClock = clock.after(ms, () => {
        resolve(new BrokerError('authority_unavailable'))
      })
    })
    return Promise.race([flight, patience]).finally(stopClock)
  }

  /** Remembered with the wish, for the same wish comes again and again, and the key is most of the work of a hit. */
  #keyOf(wish: Wish, { subject }: KnownProof): CacheKey {
    const known = this.#keys.get(wish)
    if (known?.subject === subject) return known.key
    const key = this.#makeKey(wish, subject)
    this.#keys.set(wish, { subject, key })
    return key
  }

  #makeKey(wish: Wish, subject: KeySubject): CacheKey {
    return cacheKey({
      tenant: this.#dependencies.tenant,
      client: wish.agent,
      subject,
      actors: [],
      audiences: wish.audiences,
      resources: wish.resources,
      scope: wish.scope,
      tokenType: 'Bearer',
      confirmation: undefined,
    })
  }
}

function isGood(held: Held<Servable>, wish: Wish): boolean {
  const floor = Math.max(FLOOR_MS, held.lifetimeMs * FLOOR_SHARE)
  return held.remainingMs >= Math.max(floor, wish.minTtl * 1000)
}

function served(held: Held<Servable>): Served {
  return {
    servable: held.value,
    expiresIn: Math.floor(held.remainingMs / 1000),
  }
}
