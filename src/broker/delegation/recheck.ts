import type { Standing } from '../../exchange/introspection.ts'
import { within, type Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { Slots } from '../slots.ts'
import type { Acting } from './acting.ts'
import type { Delegated } from './delegated.ts'
import type { OwnTokens } from './own_tokens.ts'

export interface RecheckDependencies {
  readonly standingOf: (token: string, own: string) => Promise<Standing>
  readonly ownTokens: OwnTokens
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** How often a token that is used is asked about. */
export const RECHECK_MS = 15_000
/** So long after its last good answer a token is served without another: what is revoked is dropped within it. */
export const GOOD_WITHOUT_CHECK_MS = 30_000
/** So long after it a token is not served any more, whatever became of the authority. */
export const GOOD_WITHOUT_ANSWER_MS = 60_000
/** What a caller waits for an answer, before the token is served without one. */
const PATIENCE_MS = 1_500
/** Questions of one workload that may be under way. */
const AT_ONCE = 8

/**
 * Asks the authority again and again whether delegated tokens are still good: whoever verifies them by signature alone
 * sees nothing of a revocation until they end. A token of which that cannot be told for a minute is not served.
 */
export class Recheck {
  readonly #dependencies: RecheckDependencies
  readonly #slots = new Slots(AT_ONCE)
  readonly #checks = new WeakMap<Delegated, Promise<Verdict>>()
  /** Monotonic: the authority asked to be left alone until then. */
  #silentUntil = -Infinity

  constructor(dependencies: RecheckDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Before a token is served: `good`, or `ended`, and then it is dropped already. Waits where its last good answer is too old
   * to do without another.
   */
  async before(
    workload: Workload,
    acting: Acting,
    delegated: Delegated,
  ): Promise<'good' | 'ended' | BrokerError> {
    const { clock } = this.#dependencies
    if (this.#ageOf(delegated) <= GOOD_WITHOUT_CHECK_MS) return 'good'
    const check = this.#check(workload, acting, delegated)
    const verdict = check && (await within(clock, PATIENCE_MS, check, () => 'unanswered' as const))
    if (verdict === 'ended') return 'ended'
    const isGood = this.#ageOf(delegated) < GOOD_WITHOUT_ANSWER_MS
    return isGood ? 'good' : new BrokerError('recheck_unanswered')
  }

  /** Asks about every token whose time it is, and ends what must not be in use any longer. For nobody who waits. */
  look(workload: Workload, acting: Acting): void {
    const tokens = new Set([...acting.inUse, ...acting.tokens.values().map(([, one]) => one)])
    for (const delegated of tokens) {
      const { users, usedAt, checkedAt } = delegated
      const age = this.#ageOf(delegated)
      const isUsed = users.size > 0 || usedAt >= checkedAt
      if (users.size > 0 && age >= GOOD_WITHOUT_ANSWER_MS) {
        this.#dependencies.metrics.tally('rechecks', { outcome: 'given_up' }).add()
        acting.endUse(delegated)
      }
      if (isUsed && age >= RECHECK_MS) {
        this.#check(workload, acting, delegated)?.catch((error: unknown) => {
          this.#dependencies.log.error('a delegated token could not be asked about', causeOf(error))
        })
      }
    }
  }

  /** One question at a time for each token. Undefined: there is no room for another. */
  #check(workload: Workload, acting: Acting, delegated: Delegated): Promise<Verdict> | undefined {
    const under = this.#checks.get(delegated)
    if (under) return under
    const { clock } = this.#dependencies
    if (clock.monotonic() < this.#silentUntil) return undefined
    const check = this.#slots
      .run(workload, () => this.#ask(workload, acting, delegated))
      ?.finally(() => this.#checks.delete(delegated))
    if (check) this.#checks.set(delegated, check)
    return check
  }

  async #ask(workload: Workload, acting: Acting, delegated: Delegated): Promise<Verdict> {
    const { clock, metrics, ownTokens, standingOf } = this.#dependencies
    const askedAt = clock.monotonic()
    const { quotedToken, wish } = delegated
    const answer = await ownTokens.asking(workload, wish.agent, (own) =>
      standingOf(JSON.parse(quotedToken) as string, own),
    )
    if (answer instanceof BrokerError) {
      metrics.tally('rechecks', { outcome: 'unanswered' }).add()
      return this.#withoutOwn(acting, answer)
    }
    metrics.tally('rechecks', { outcome: outcomeOf(answer) }).add()
    switch (answer.kind) {
      case 'active':
        delegated.checkedAt = Math.max(delegated.checkedAt, askedAt)
        return 'good'
      case 'inactive':
        this.#end(acting, delegated)
        return 'ended'
      case 'unproven':
        return 'unanswered'
      case 'unanswered':
        this.#silentUntil = Math.max(this.#silentUntil, askedAt + answer.retryAfterMs)
        return 'unanswered'
    }
  }

  /** The authority gives the workload no token of its own any more: it may act for nobody. An outage says nothing. */
  #withoutOwn(acting: Acting, { code }: BrokerError): Verdict {
    if (code !== 'authority_refused') return 'unanswered'
    for (const [, delegated] of acting.tokens.values()) this.#end(acting, delegated)
    for (const delegated of acting.inUse) this.#end(acting, delegated)
    return 'ended'
  }

  /** What else came of the same subject token is asked about before it is served again. */
  #end(acting: Acting, delegated: Delegated): void {
    const { log } = this.#dependencies
    log.info('a delegated token was revoked', {
      event: 'delegation.ended',
      token_sha256: delegated.sha256,
    })
    acting.endToken(delegated)
    for (const other of [...acting.inUse, ...acting.tokens.values().map(([, one]) => one)]) {
      other.checkedAt = Math.min(other.checkedAt, this.#now() - GOOD_WITHOUT_CHECK_MS - 1)
    }
  }

  #ageOf({ checkedAt }: Delegated): number {
    return this.#now() - checkedAt
  }

  #now(): number {
    return this.#dependencies.clock.monotonic()
  }
}

type Verdict = 'good' | 'ended' | 'unanswered'

function outcomeOf({ kind }: Standing): 'active' | 'inactive' | 'unanswered' {
  return kind === 'unproven' ? 'unanswered' : kind
}
