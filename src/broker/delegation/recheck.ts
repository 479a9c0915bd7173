import type { Standing } from '../../exchange/introspection.ts'
import { within, type Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import { Slots } from '../slots.ts'
import type { Acting } from './acting.ts'
import { isOfOwner } from './find_acting.ts'
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
/** Questions of one workload that may be under way for nobody who waits, and for callers. */
const AT_ONCE = { ahead: 8, awaited: 64 } as const
/** After a question without an answer; doubled with each more. */
const PAUSE_MS = { first: 1_000, longest: 8_000 } as const

/** What is asked about for one workload, ahead of time. */
interface Line {
  /** What was vouched for the longest ago first. */
  waiting: (readonly [Acting, Delegated])[]
  underWay: number
  /** Monotonic: the authority asked to be left alone until then. */
  silentUntil: number
}

interface Unanswered {
  readonly failures: number
  /** Monotonic: not asked about before. */
  readonly askAt: number
}

/**
 * Asks the authority again and again whether delegated tokens are still good: whoever verifies them by signature alone
 * sees nothing of a revocation until they end. A token of which that cannot be told for a minute is not served.
 */
export class Recheck {
  readonly #dependencies: RecheckDependencies
  readonly #slots = new Slots(AT_ONCE.awaited)
  readonly #lines = new WeakMap<Workload, Line>()
  readonly #checks = new WeakMap<Delegated, Promise<Verdict>>()
  readonly #unanswered = new WeakMap<Delegated, Unanswered>()

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
    const check = this.#awaited(workload, acting, delegated)
    const verdict = check && (await within(clock, PATIENCE_MS, check, () => 'unanswered' as const))
    if (verdict === 'ended') return 'ended'
    const isGood = this.#ageOf(delegated) < GOOD_WITHOUT_ANSWER_MS
    return isGood ? 'good' : new BrokerError('recheck_unanswered')
  }

  /** Asks about every token whose time it is, and ends what must not be in use any longer. For nobody who waits. */
  look(workload: Workload): void {
    const line = this.#lineOf(workload)
    const due: (readonly [Acting, Delegated])[] = []
    for (const acting of workload.subjects.all()) {
      // The pod is another agent's by now, and nobody could ask about what the first one has.
      if (!isOfOwner(workload, acting)) for (const used of acting.inUse) acting.endUse(used)
      for (const delegated of heldIn(acting)) {
        if (delegated.users.size > 0 && this.#ageOf(delegated) >= GOOD_WITHOUT_ANSWER_MS) {
          this.#dependencies.metrics.tally('rechecks', { outcome: 'given_up' }).add()
          acting.endUse(delegated)
        }
        if (this.#isDue(delegated)) due.push([acting, delegated])
      }
    }
    line.waiting = due.sort(([, one], [, other]) => one.checkedAt - other.checkedAt)
    this.#begin(workload, line)
  }

  /** Used since it was vouched for. What nobody uses is asked about when somebody wants it. */
  #isDue(delegated: Delegated): boolean {
    const { users, usedAt, checkedAt } = delegated
    const age = this.#ageOf(delegated)
    const isUsed = users.size > 0 || (usedAt >= checkedAt && age < GOOD_WITHOUT_ANSWER_MS)
    const askAt = this.#unanswered.get(delegated)?.askAt ?? -Infinity
    return isUsed && age >= RECHECK_MS && this.#now() >= askAt
  }

  /** As many as may be under way; each that ends makes room for the next, so that none waits for the next look. */
  #begin(workload: Workload, line: Line): void {
    while (line.underWay < AT_ONCE.ahead && this.#now() >= line.silentUntil) {
      const [acting, delegated] = line.waiting.shift() ?? []
      if (!acting || !delegated) return
      if (acting.hasEnded || this.#checks.has(delegated)) continue
      line.underWay += 1
      this.#check(workload, acting, delegated)
        .catch((error: unknown) => {
          this.#dependencies.log.error('a delegated token could not be asked about', causeOf(error))
        })
        .finally(() => {
          line.underWay -= 1
          this.#begin(workload, line)
        })
    }
  }

  /** Undefined: there is no room for another, or the authority is left alone. */
  #awaited(workload: Workload, acting: Acting, delegated: Delegated): Promise<Verdict> | undefined {
    const under = this.#checks.get(delegated)
    if (under) return under
    if (this.#now() < this.#lineOf(workload).silentUntil) return undefined
    return this.#slots.run(workload, () => this.#check(workload, acting, delegated))
  }

  /** One question at a time for each token. */
  #check(workload: Workload, acting: Acting, delegated: Delegated): Promise<Verdict> {
    const check = this.#ask(workload, acting, delegated)
      .then((verdict) => {
        this.#note(delegated, verdict)
        return verdict
      })
      .finally(() => this.#checks.delete(delegated))
    this.#checks.set(delegated, check)
    return check
  }

  #note(delegated: Delegated, verdict: Verdict): void {
    if (verdict !== 'unanswered') {
      this.#unanswered.delete(delegated)
      return
    }
    const failures = (this.#unanswered.get(delegated)?.failures ?? 0) + 1
    const pause = Math.min(PAUSE_MS.first * 2 ** (failures - 1), PAUSE_MS.longest)
    this.#unanswered.set(delegated, { failures, askAt: this.#now() + pause })
  }

  async #ask(workload: Workload, acting: Acting, delegated: Delegated): Promise<Verdict> {
    // To another agent the authority would say that there is no such token.
    if (!isOfOwner(workload, acting)) return 'unanswered'
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
        this.#silence(workload, askedAt + answer.retryAfterMs)
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
    for (const other of heldIn(acting)) {
      other.checkedAt = Math.min(other.checkedAt, this.#now() - GOOD_WITHOUT_CHECK_MS - 1)
    }
  }

  /** Of one agent: another's pods are asked about as before. */
  #silence(workload: Workload, until: number): void {
    const line = this.#lineOf(workload)
    line.silentUntil = Math.max(line.silentUntil, until)
  }

  #lineOf(workload: Workload): Line {
    const known = this.#lines.get(workload)
    if (known) return known
    const line: Line = { waiting: [], underWay: 0, silentUntil: -Infinity }
    this.#lines.set(workload, line)
    return line
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

/** What is held, and what runs still with a token that is not. */
function heldIn({ inUse, tokens }: Acting): ReadonlySet<Delegated> {
  return new Set([...inUse, ...tokens.values().map(([, one]) => one)])
}
