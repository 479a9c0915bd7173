import { cacheKey, type CacheKey, type KeySubject } from '../cache/key.ts'
import type { Held, TokenCache } from '../cache/token_cache.ts'
import { ExchangeFailure, type Exchanger } from '../exchange/exchanger.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { BrokerError } from './errors.ts'
import { ProofFault, type KnownProof, type ProofSource } from './proof.ts'
import { servableOf, type KnownAgent, type Servable } from './servable.ts'
import type { Wish } from './wish.ts'

export interface GetTokenDependencies {
  readonly tenant: string
  readonly proofs: ProofSource
  readonly cache: TokenCache<Servable, BrokerError>
  readonly exchanger: Exchanger
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** How many different tokens may be fetched at once. */
  readonly maxFlights: number
}

/** A token to be served, with the whole seconds that are left of it. */
export interface Served {
  readonly servable: Servable
  readonly expiresIn: number
}

/** How long a caller waits for an exchange: briefly while there is something to serve, longer while there is nothing. */
const PATIENCE_MS = { holding: 1_500, emptyHanded: 8_000 } as const
/** Below this a token is about to end on its way to whoever will check it. */
const FLOOR_MS = 15_000
const FLOOR_SHARE = 0.05
/** Verifiers commonly allow up to a minute. */
const CLOCKS_APART_SECONDS = 60

/** The use case of the broker: the token that a caller wishes for, from the cache or by an exchange. */
export class GetToken {
  readonly #dependencies: GetTokenDependencies
  readonly #tally
  readonly #keys = new WeakMap<Wish, { readonly subject: KeySubject; readonly key: CacheKey }>()
  #agent: KnownAgent | undefined

  constructor(dependencies: GetTokenDependencies) {
    this.#dependencies = dependencies
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
    return this.#agent
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
    const flight = cache.fly(key, () => this.#exchange(key, wish))
    let stopClock = (): void => {}
    const patience = new Promise<BrokerError>((resolve) => {
      const ms = holding ? PATIENCE_MS.holding : PATIENCE_MS.emptyHanded
      stopClock = clock.after(ms, () => {
        resolve(new BrokerError('authority_unavailable'))
      })
    })
    return Promise.race([flight, patience]).finally(stopClock)
  }

  async #exchange(key: CacheKey, wish: Wish): Promise<BrokerError | undefined> {
    const { cache, proofs, exchanger, metrics, log } = this.#dependencies
    const proof = await proofs.read()
    if (proof instanceof ProofFault) return new BrokerError(proof.code)
    // Another subject's token must not come under this key; `byExchange` asks anew under its own.
    if (this.#keyOf(wish, proof) !== key) return undefined
    const asked = cache.ask()
    const result = await exchanger.exchange({
      subjectToken: proof.token,
      subjectTokenType: proof.tokenType,
      audiences: wish.audiences,
      resources: wish.resources,
      scope: wish.scope,
      clientId: wish.agent,
    })
    if (!(result instanceof ExchangeFailure)) {
      const servable = servableOf(result)
      this.#agent = servable.agent ?? this.#agent
      cache.put(key, servable, result.lifetimeSeconds * 1000, asked)
      this.#compareClocks(servable)
      metrics.tally('exchanges', { outcome: 'issued' }).add()
      return undefined
    }
    metrics.tally('exchanges', { outcome: result.kind }).add()
    log.warn('an exchange brought no token', {
      outcome: result.kind,
      error: result.error,
      detail: result.detail,
    })
    const error = errorOf(result)
    if (result.kind === 'refused') cache.refuse(key, error, asked)
    return error
  }

  /** A token of another time is refused by whoever checks it, and nobody there will know why. */
  #compareClocks({ issuedAt }: Servable): void {
    const { clock, log } = this.#dependencies
    if (issuedAt === undefined) return
    const apart = issuedAt - unixSeconds(clock)
    if (Math.abs(apart) < CLOCKS_APART_SECONDS) return
    log.warn('the clocks of the authority and of this machine are apart; one of them is wrong', {
      seconds: apart,
    })
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

function errorOf({ kind, error, retryAfterSeconds }: ExchangeFailure): BrokerError {
  switch (kind) {
    case 'outage':
      return new BrokerError(
        'authority_unavailable',
        retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
      )
    case 'relayed':
      return new BrokerError('request_refused', { error })
    case 'refused':
      return new BrokerError('authority_refused', { error })
  }
}
