import type { CacheKey } from '../cache/key.ts'
import type { Asked } from '../cache/token_cache.ts'
import {
  ExchangeFailure,
  type Exchanger,
  type ExchangeRequest,
  type IssuedToken,
} from '../exchange/exchanger.ts'
import type { ExchangeQueue } from '../exchange/limited.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Random } from '../platform/random.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError } from './errors.ts'
import { errorOf } from './exchange_error.ts'
import { ExchangeNews } from './exchange_news.ts'
import type { LocalGate } from './local_gate.ts'
import { askNarrowed } from './narrowing.ts'
import { askAgain } from './patience.ts'
import { ProofFault } from './proof.ts'
import { servableOf, type Servable } from './servable.ts'
import type { Wish } from './wish.ts'

export interface TokenExchangeDependencies {
  /** Without turns, each exchange begins at once. */
  readonly exchanger: Exchanger & Partial<Pick<ExchangeQueue, 'inTurn'>>
  readonly gate: LocalGate
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** How long a caller with nothing in the cache waits, and an authority that is out is asked again for it. */
export const FOREGROUND_MS = 8_000
/** An authority that is back is not left alone for an hour because it once said so. */
const LONGEST_SILENCE_MS = 60_000

/** One exchange of a workload's proof for what it wishes for, and what becomes of its outcome in the cache. */
export class TokenExchange {
  readonly #dependencies: TokenExchangeDependencies
  readonly #news: ExchangeNews

  constructor(dependencies: TokenExchangeDependencies) {
    this.#dependencies = dependencies
    this.#news = new ExchangeNews(dependencies)
  }

  /**
   * For a caller who waits: an authority that is out is asked again while there is time, so that a short outage costs no
   * request. Undefined: the token lies in the cache, or the proof is of another subject by now.
   */
  async urgently(workload: Workload, wish: Wish, key: CacheKey): Promise<BrokerError | undefined> {
    const attempt = () => this.#attempt(workload, wish, key, () => true)
    const outcome = await askAgain(attempt, FOREGROUND_MS, this.#dependencies)
    if (!(outcome instanceof ExchangeFailure)) return outcome
    workload.tokens.postpone(key, retryAfterMsOf(outcome))
    return errorOf(outcome)
  }

  /** Ahead of time, once. What it fails of puts the next try off, or ends what is held. */
  async ahead(workload: Workload, wish: Wish, key: CacheKey): Promise<BrokerError | undefined> {
    const { metrics, clock } = this.#dependencies
    const dueSince = clock.monotonic() - workload.tokens.overdueMs(key)
    const isUrgent = () => workload.ahead.get(key)?.isAwaited === true
    const failure = await this.#attempt(workload, wish, key, isUrgent)
    if (!failure) {
      metrics.tally('refreshes', { outcome: 'issued' }).add()
      metrics.spread('refreshLag').record((clock.monotonic() - dueSince) / 1000)
      return undefined
    }
    if (failure instanceof BrokerError) {
      const outcome = failure.code.startsWith('proof_') ? 'no_proof' : 'denied'
      metrics.tally('refreshes', { outcome }).add()
      workload.tokens.postpone(key, 0)
      return failure
    }
    metrics.tally('refreshes', { outcome: failure.kind }).add()
    workload.tokens.postpone(key, retryAfterMsOf(failure))
    return errorOf(failure)
  }

  async #attempt(
    workload: Workload,
    wish: Wish,
    key: CacheKey,
    isUrgent: () => boolean,
  ): Promise<ExchangeFailure | BrokerError | undefined> {
    const { exchanger, gate } = this.#dependencies
    const { tokens } = workload
    const order = {
      owner: workload,
      get urgent() {
        return isUrgent()
      },
    }
    const show = (inner: Exchanger) =>
      askNarrowed(wish, gate.completes(workload, wish), {
        gate,
        workload,
        resultOf,
        ask: (asked) => this.#show(workload, { wish, asked }, key, inner, order),
      })
    const { asked: askedFor, answer: shown } = await (exchanger.inTurn?.(order, show) ??
      show(exchanger))
    if (shown === undefined || shown instanceof BrokerError) return shown
    const { asked, result, isSilent } = shown
    if (result instanceof ExchangeFailure) {
      if (isSilent) return result
      this.#news.failed(result)
      this.#takeNote(result, { workload, key, asked })
      return result
    }
    this.#news.succeeded()
    const denied = gate.deniesGranted(workload, askedFor, result.scope)
    if (denied) {
      tokens.refuse(key, denied, asked)
      return denied
    }
    // The policy says another target by now: this token is none for whoever names none.
    if (!gate.means(workload, wish, askedFor)) {
      tokens.drop(key)
      return undefined
    }
    const servable = servableOf(result, { wish, asked: askedFor }, workload.agent)
    workload.agent = servable.agent ?? workload.agent
    tokens.put(key, servable, result.lifetimeSeconds * 1000, asked)
    this.#news.compareClocks(servable)
    return undefined
  }

  /**
   * Shows the proof, as it is read when the turn has come: one that is good once was used up by the attempt before, and one
   * that was read earlier may have ended while it waited.
   */
  async #show(
    workload: Workload,
    { wish, asked: askedFor }: Pick<Servable, 'wish' | 'asked'>,
    key: CacheKey,
    exchanger: Exchanger,
    order: Pick<ExchangeRequest, 'owner' | 'urgent'>,
  ): Promise<Shown | BrokerError | undefined> {
    const { proofs, tokens } = workload
    const proof = await proofs.read()
    if (proof instanceof ProofFault) return new BrokerError(proof.code)
    // Another subject's token must not come under this key; the caller asks anew under its own.
    if (workload.keyOf(wish, proof) !== key) {
      tokens.drop(key)
      return undefined
    }
    const asked = tokens.ask()
    const silent = this.silenceOf(workload)
    if (silent) return { asked, result: silent, isSilent: true }
    const result = await exchanger.exchange({
      subjectToken: proof.token,
      subjectTokenType: proof.tokenType,
      audiences: askedFor.audiences,
      resources: askedFor.resources,
      scope: askedFor.scope,
      clientId: askedFor.agent,
      ...order,
    })
    const outcome = result instanceof ExchangeFailure ? result.kind : 'issued'
    this.#dependencies.metrics.tally('exchanges', { outcome }).add()
    return { asked, result, isSilent: false }
  }

  /** What an exchange would fail of now, without being made: the authority asked to be left alone, and is. */
  silenceOf({ silence }: Workload): ExchangeFailure | undefined {
    const leftMs = silence ? silence.until - this.#dependencies.clock.monotonic() : 0
    if (!silence || leftMs <= 0) return undefined
    const { kind, error, detail } = silence.failure
    return new ExchangeFailure(kind, error, detail, Math.ceil(leftMs / 1000))
  }

  #takeNote(
    failure: ExchangeFailure,
    { workload, key, asked }: { workload: Workload; key: CacheKey; asked: Asked },
  ): void {
    const { tokens } = workload
    const { kind, error, retryAfterSeconds = 0 } = failure
    if (kind === 'outage' && retryAfterSeconds > 0) {
      const ms = Math.min(retryAfterSeconds * 1000, LONGEST_SILENCE_MS)
      workload.silence = { failure, until: this.#dependencies.clock.monotonic() + ms }
    }
    // The very same request was granted before: what it may ask for has changed.
    if (kind === 'relayed' && (error === 'invalid_target' || error === 'invalid_scope')) {
      tokens.drop(key)
    }
    if (kind !== 'refused') return
    // Of a token that was held, it says something about the agent, and so about all that it holds.
    if (tokens.has(key)) tokens.suspect()
    tokens.refuse(key, errorOf(failure), asked)
  }
}

interface Shown {
  readonly asked: Asked
  readonly result: IssuedToken | ExchangeFailure
  /** The authority was not asked. */
  readonly isSilent: boolean
}

function resultOf(shown: Shown | BrokerError | undefined): Shown['result'] | undefined {
  return shown === undefined || shown instanceof BrokerError ? undefined : shown.result
}

function retryAfterMsOf({ retryAfterSeconds = 0 }: ExchangeFailure): number {
  return retryAfterSeconds * 1000
}
