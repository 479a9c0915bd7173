import type { CacheKey } from '../cache/key.ts'
import type { TokenCache } from '../cache/token_cache.ts'
import { ExchangeFailure, type Exchanger } from '../exchange/exchanger.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import { BrokerError } from './errors.ts'
import { ProofFault, type KnownProof, type ProofSource } from './proof.ts'
import { servableOf, type KnownAgent, type Servable } from './servable.ts'
import type { Wish } from './wish.ts'

export interface TokenExchangeDependencies {
  readonly proofs: ProofSource
  readonly cache: TokenCache<Servable, BrokerError>
  readonly exchanger: Exchanger
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** How long a caller with nothing in the cache waits, and an authority that said when to come back is asked again. */
export const FOREGROUND_MS = 8_000
/** Verifiers commonly allow up to a minute. */
const CLOCKS_APART_SECONDS = 60

/** One exchange of the pod's proof for what somebody wishes for, and what becomes of its outcome in the cache. */
export class TokenExchange {
  readonly #dependencies: TokenExchangeDependencies
  #agent: KnownAgent | undefined

  constructor(dependencies: TokenExchangeDependencies) {
    this.#dependencies = dependencies
  }

  /** Who this workload is, as the last token said. */
  get agent(): KnownAgent | undefined {
    return this.#agent
  }

  /**
   * Undefined: the token lies in the cache, or the proof is of another subject by now. An authority that cannot say yet, and
   * says when it can, is asked again while there is time: a cluster that begins to sign with a new key, whose keys may not
   * be fetched again for some seconds, loses no request by it.
   */
  async run(
    wish: Wish,
    key: CacheKey,
    keyOf: (proof: KnownProof) => CacheKey,
  ): Promise<BrokerError | undefined> {
    const { clock } = this.#dependencies
    const endsAt = clock.monotonic() + FOREGROUND_MS
    for (;;) {
      const failure = await this.#attempt(wish, key, keyOf)
      if (!(failure instanceof ExchangeFailure)) return failure
      const waitMs = Math.max(failure.retryAfterSeconds ?? Infinity, 1) * 1000
      if (failure.kind === 'outage' && clock.monotonic() + waitMs < endsAt) {
        await new Promise<void>((resolve) => clock.after(waitMs, resolve))
        continue
      }
      return errorOf(failure)
    }
  }

  /** The proof is read anew each time: one that is good once was used up by the attempt before. */
  async #attempt(
    wish: Wish,
    key: CacheKey,
    keyOf: (proof: KnownProof) => CacheKey,
  ): Promise<ExchangeFailure | BrokerError | undefined> {
    const { cache, proofs, exchanger, metrics, log } = this.#dependencies
    const proof = await proofs.read()
    if (proof instanceof ProofFault) return new BrokerError(proof.code)
    // Another subject's token must not come under this key; the caller asks anew under its own.
    if (keyOf(proof) !== key) return undefined
    const asked = cache.ask()
    const result = await exchanger.exchange({
      subjectToken: proof.token,
      subjectTokenType: proof.tokenType,
      audiences: wish.audiences,
      resources: wish.resources,
      scope: wish.scope,
      clientId: wish.agent,
    })
    if (result instanceof ExchangeFailure) {
      metrics.tally('exchanges', { outcome: result.kind }).add()
      log.warn('an exchange brought no token', {
        outcome: result.kind,
        error: result.error,
        detail: result.detail,
      })
      if (result.kind === 'refused') cache.refuse(key, errorOf(result), asked)
      return result
    }
    const servable = servableOf(result)
    this.#agent = servable.agent ?? this.#agent
    cache.put(key, servable, result.lifetimeSeconds * 1000, asked)
    this.#compareClocks(servable)
    metrics.tally('exchanges', { outcome: 'issued' }).add()
    return undefined
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
