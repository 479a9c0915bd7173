import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { CannotVerify, ProofRefusal } from '../refusal.ts'
import { denialOf, type ReviewAnswer, type ReviewedWorkload } from './review_answer.ts'

/**
 * Asks the API server whether a token is good for an audience. Settles by itself within some seconds.
 * @throws ReviewFailure when it cannot be asked
 */
export type AskReview = (token: string, audience: string) => Promise<ReviewAnswer>

/** The API server cannot be asked, which says nothing about the token. The message is for the operator and quotes nothing that was sent. */
export class ReviewFailure extends Error {
  readonly retryAfterSeconds: number
  /** `retryAfterSeconds` is 1 to 5. */
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

interface ReviewOptions {
  readonly provider: string
  /** What becomes of a token while the API server cannot be asked: `preferred` lets it pass, `required` makes it wait. */
  readonly mode: 'preferred' | 'required'
  readonly ask: AskReview
}

interface ReviewDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

interface Asked {
  readonly askedAt: number
  readonly answer: ReviewAnswer | ReviewFailure | 'overloaded'
}

const REMEMBERED_MS = 10_000
const MAX_REMEMBERED = 10_000
const MAX_ASKING = 64
const PATIENCE_MS = { preferred: 1_500, required: 3_000 }
const LOG_PAUSE_MS = 30_000

/**
 * The second look at the tokens of one provider: signature and claims stay good until a token expires, while the API server
 * also knows whether its pod and its account are still there. A good answer is believed for 10 s from when it was asked for,
 * a bad one is never kept.
 */
export class TokenReviews {
  readonly #options: ReviewOptions
  readonly #dependencies: ReviewDependencies
  /** When a good answer was asked for, by what it was asked about: no token is held. */
  readonly #passed = new LRUCache<string, number>({ max: MAX_REMEMBERED })
  readonly #flights = new Map<string, Promise<Asked>>()
  #asking = 0
  #quietUntil = -Infinity

  constructor(options: ReviewOptions, dependencies: ReviewDependencies) {
    this.#options = options
    this.#dependencies = dependencies
  }

  /**
   * `token` with a good signature, `audience` the one it is made for, `workload` what its claims say. Undefined: nothing
   * speaks against it.
   */
  async check(
    token: string,
    audience: string,
    workload: ReviewedWorkload,
  ): Promise<undefined | ProofRefusal | CannotVerify> {
    const question = nameOf(token, audience, workload)
    if (this.#remembers(question)) return this.#count('passed')
    const { askedAt, answer } = await this.#join(question, token, audience)
    if (answer === 'overloaded') return this.#overloaded()
    if (answer instanceof ReviewFailure) return this.#unasked(answer)
    const denial = denialOf(answer, audience, workload)
    if (denial !== undefined) {
      this.#count('denied')
      return new ProofRefusal('review_denied', denial, this.#options.provider)
    }
    this.#passed.set(question, askedAt)
    return this.#count('passed')
  }

  #remembers(question: string): boolean {
    const askedAt = this.#passed.get(question)
    if (askedAt === undefined) return false
    if (this.#now() - askedAt < REMEMBERED_MS) return true
    this.#passed.delete(question)
    return false
  }

  #join(question: string, token: string, audience: string): Promise<Asked> {
    const joined = this.#flights.get(question)
    if (joined) return joined
    const flight = this.#ask(token, audience).finally(() => {
      this.#flights.delete(question)
    })
    this.#flights.set(question, flight)
    return flight
  }

  async #ask(token: string, audience: string): Promise<Asked> {
    const askedAt = this.#now()
    if (this.#asking >= MAX_ASKING) {
      return { askedAt, answer: 'overloaded' }
    }
    const late = Promise.withResolvers<ReviewFailure>()
    const stop = this.#dependencies.clock.after(PATIENCE_MS[this.#options.mode], () => {
      late.resolve(new ReviewFailure('the API server does not answer in time', 2))
    })
    const answer = await Promise.race([this.#settle(token, audience), late.promise])
    stop()
    return { askedAt, answer }
  }

  /** Its place is free again when the question is over, not when somebody stopped waiting for it: a slow server gets no more of them. */
  async #settle(token: string, audience: string): Promise<ReviewAnswer | ReviewFailure> {
    this.#asking += 1
    try {
      return await this.#options.ask(token, audience)
    } catch (error) {
      if (error instanceof ReviewFailure) return error
      return new ReviewFailure('the API server cannot be asked', 2)
    } finally {
      this.#asking -= 1
    }
  }

  /** Our own bound, in either mode: whoever fills the places must not have tokens pass that the API server would deny. */
  #overloaded(): CannotVerify {
    this.#count('failed')
    return new CannotVerify('too many reviews are under way', this.#options.provider, 1)
  }

  #unasked(failure: ReviewFailure): undefined | CannotVerify {
    const { provider, mode } = this.#options
    this.#count('failed')
    if (this.#now() >= this.#quietUntil) {
      this.#quietUntil = this.#now() + LOG_PAUSE_MS
      const message =
        mode === 'required'
          ? 'tokens wait, for they cannot be reviewed'
          : 'tokens pass without being reviewed'
      this.#dependencies.log.warn(message, { provider, reason: failure.message })
    }
    if (mode === 'preferred') return undefined
    return new CannotVerify(failure.message, provider, failure.retryAfterSeconds)
  }

  #count(outcome: 'passed' | 'denied' | 'failed'): undefined {
    const { provider } = this.#options
    this.#dependencies.metrics.tally('tokenReviews', { provider, outcome }).add()
  }

  #now(): number {
    return this.#dependencies.clock.monotonic()
  }
}

function nameOf(token: string, audience: string, workload: ReviewedWorkload): string {
  const { subject, serviceAccount, pod } = workload
  const asked = JSON.stringify([token, audience, subject, serviceAccount.uid, pod?.uid])
  return createHash('sha256').update(asked).digest('base64url')
}
