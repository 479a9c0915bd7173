import type { CacheKey } from '../../cache/key.ts'
import type { Asked } from '../../cache/token_cache.ts'
import { ExchangeFailure, type Exchanger, type IssuedToken } from '../../exchange/exchanger.ts'
import { isApproval } from '../../exchange/approval_status.ts'
import { tokenTypes } from '../../oauth/token_types.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { subjectKey } from '../../policy/local/subject_key.ts'
import type { Workload } from '../caller/workload.ts'
import { reachOf, type OwnToken } from '../own_token.ts'
import { BrokerError } from '../errors.ts'
import { errorOf } from '../exchange_error.ts'
import type { LocalGate } from '../local_gate.ts'
import { askNarrowed } from '../narrowing.ts'
import { askAgain } from '../patience.ts'
import { FOREGROUND_MS } from '../token_exchange.ts'
import { changedWish, type Wish } from '../wish.ts'
import type { Acting } from './acting.ts'
import { isOfOwner } from './find_acting.ts'
import { delegatedOf, type Delegated } from './delegated.ts'
import type { Handle } from './handle.ts'
import type { OwnTokens } from './own_tokens.ts'
import { depthFor, partOf, type Part } from './subject.ts'

export interface DelegatedExchangeDependencies {
  readonly exchanger: Exchanger
  readonly ownTokens: OwnTokens
  readonly gate: LocalGate
  /** Has a token end at the authority that nobody will get any more. */
  readonly revoke: (workload: Workload, tokens: readonly Delegated[]) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** Who acts, and as what. */
interface Actor {
  readonly own: OwnToken
  readonly part: Exclude<Part, 'own' | 'stranger'>
}

/** What came of one question to the authority. */
interface Answered {
  readonly result: IssuedToken | ExchangeFailure
  readonly asked: Asked
}

/** One exchange of a subject token for what is wished for, with the workload as actor, and what becomes of its outcome. */
export class DelegatedExchange {
  readonly #dependencies: DelegatedExchangeDependencies

  constructor(dependencies: DelegatedExchangeDependencies) {
    this.#dependencies = dependencies
  }

  /** For a caller who waits: an authority that is out is asked again while there is time. Undefined: the token is held. */
  async urgently(
    workload: Workload,
    acting: Acting,
    wish: Wish,
    key: CacheKey,
  ): Promise<Handle | BrokerError | undefined> {
    const actor = await this.#actorFor(workload, acting, wish)
    if (actor instanceof BrokerError) return actor
    const denied = this.#pay(workload, acting, wish, actor)
    if (denied) return denied
    const attempt = (by: Actor) => () => this.#attempt(workload, acting, wish, key, by, true)
    const first = await askAgain(attempt(actor), FOREGROUND_MS, this.#dependencies)
    const other = await this.#renewed(workload, acting, wish, actor, first)
    const outcome = other
      ? await askAgain(attempt(other), FOREGROUND_MS, this.#dependencies)
      : first
    if (!(outcome instanceof ExchangeFailure)) return outcome
    const failure = this.#failed(acting, key, outcome)
    // It was believed, and refused all the same: that is what trying out looks like.
    const late = outcome.kind === 'refused' && this.#payLate(workload, acting, wish)
    if (late) return late
    return isConsentMissing(outcome)
      ? this.#handleFor(workload, acting, { wish, key }, outcome)
      : failure
  }

  /**
   * The workload's own token may be what the authority does not know any more: it does not say which of the two it is, and
   * whoever asked is not to be blamed for ours.
   */
  async #renewed(
    workload: Workload,
    acting: Acting,
    { agent }: Wish,
    actor: Actor,
    outcome: ExchangeFailure | BrokerError | undefined,
  ): Promise<Actor | undefined> {
    const isDoubtful =
      outcome instanceof ExchangeFailure &&
      outcome.kind === 'relayed' &&
      outcome.error === 'invalid_request' &&
      actor.part === 'actor'
    if (!isDoubtful) return undefined
    const own = await this.#dependencies.ownTokens.instead(workload, agent, actor.own)
    if (!isOfOwner(workload, acting)) return undefined
    return own === undefined || own instanceof BrokerError ? undefined : { ...actor, own }
  }

  /** Ahead of time, once, and at nobody's expense. What it fails of puts the next try off, or ends what is held. */
  async ahead(workload: Workload, acting: Acting, wish: Wish, key: CacheKey): Promise<undefined> {
    const { metrics } = this.#dependencies
    const actor = await this.#actorFor(workload, acting, wish)
    const outcome =
      actor instanceof BrokerError
        ? actor
        : await this.#attempt(workload, acting, wish, key, actor, false)
    if (!outcome) {
      metrics.tally('refreshes', { outcome: 'issued' }).add()
      return
    }
    acting.tokens.postpone(key, (outcome.retryAfterSeconds ?? 0) * 1000)
    if (outcome instanceof BrokerError) {
      metrics.tally('refreshes', { outcome: 'denied' }).add()
      return
    }
    metrics.tally('refreshes', { outcome: outcome.kind }).add()
    // A user who is asked again has not taken anything back by that.
    if (!isConsentMissing(outcome)) this.#failed(acting, key, outcome)
  }

  async #actorFor(
    workload: Workload,
    acting: Acting,
    { agent }: Wish,
  ): Promise<Actor | BrokerError> {
    const own = await this.#dependencies.ownTokens.plain(workload, agent)
    if (own instanceof BrokerError) return own
    if (!isOfOwner(workload, acting)) return new BrokerError('session_unknown')
    const part = partOf(acting.subject, own.agent)
    switch (part) {
      case 'own':
        return new BrokerError('subject_own')
      case 'stranger':
        return new BrokerError('subject_foreign')
      case 'actor':
      case 'holder':
        return { own, part }
    }
  }

  /**
   * What bounds an agent that was talked into trying out whom it may act for, and for what. A subject is charged once the
   * authority believed a token of theirs: until then anybody could have forged it, to use up what is there for them.
   */
  #pay(workload: Workload, acting: Acting, wish: Wish, { part }: Actor): BrokerError | undefined {
    const { gate } = this.#dependencies
    const { subject } = acting
    const key = subjectKey(subject)
    const denied =
      gate.denies(workload, wish) ??
      gate.deniesDelegation(workload, depthFor(subject, part)) ??
      gate.deniesSubject(workload, key)
    if (denied) return denied
    return acting.isProven
      ? gate.spendForSubject(workload, wish, key)
      : gate.spend(workload, wish, workload.unprovenBudget)
  }

  /** The authority believed the subject token: what was not known before is charged now. */
  #payLate(workload: Workload, acting: Acting, wish: Wish): BrokerError | undefined {
    if (acting.isProven || acting.hasEnded) return undefined
    const { gate } = this.#dependencies
    const denied = gate.spendForSubject(workload, wish, subjectKey(acting.subject))
    if (!denied) acting.prove()
    return denied
  }

  async #attempt(
    workload: Workload,
    acting: Acting,
    wish: Wish,
    key: CacheKey,
    actor: Actor,
    urgent: boolean,
  ): Promise<ExchangeFailure | BrokerError | undefined> {
    const { gate } = this.#dependencies
    const { agent } = actor.own
    const full = gate.completes(workload, wish)
    const isOpen = full.audiences.length === 0 && full.resources.length === 0
    // A subject token brings its audiences with it where none is named: which scopes are allowed is known then.
    const completed = isOpen ? changedWish(full, { scope: wish.scope }) : full
    const { asked: askedFor, answer } = await askNarrowed(wish, completed, {
      gate,
      workload,
      ask: (asked) => this.#ask(workload, acting, asked, actor, urgent),
      resultOf: ({ result }) => result,
      reachOf: ({ accessToken }, asked) => reachOf(accessToken, asked, agent),
    })
    const { result, asked } = answer
    if (result instanceof ExchangeFailure) return result
    return this.#take(workload, acting, { wish, key, asked: askedFor, at: asked }, result, actor)
  }

  async #ask(
    workload: Workload,
    { subject, tokens }: Acting,
    { audiences, resources, scope, agent }: Wish,
    { own, part }: Actor,
    urgent: boolean,
  ): Promise<Answered> {
    const { exchanger, metrics } = this.#dependencies
    const asked = tokens.ask()
    const result = await exchanger.exchange({
      subjectToken: subject.token,
      subjectTokenType: subject.tokenType,
      audiences,
      resources,
      scope,
      clientId: agent,
      urgent,
      owner: workload,
      ...(part === 'actor' && {
        actor: { token: own.token, tokenType: tokenTypes.access_token },
      }),
    })
    const outcome = result instanceof ExchangeFailure ? result.kind : 'issued'
    metrics.tally('exchanges', { outcome }).add()
    return { result, asked }
  }

  /** Judges what came, and holds it. A token for whom nobody waits any more is not left to live. */
  #take(
    workload: Workload,
    acting: Acting,
    { wish, key, asked, at }: { wish: Wish; key: CacheKey; asked: Wish; at: Asked },
    issued: IssuedToken,
    { own, part }: Actor,
  ): BrokerError | undefined {
    const { gate, log, metrics, revoke } = this.#dependencies
    const { agent } = own
    const { subject, tokens } = acting
    const delegated = delegatedOf(issued, {
      subject,
      agent,
      part,
      wish,
      asked,
      askedAt: at.monotonic,
    })
    if (typeof delegated === 'string') {
      log.error('the authority issued another token than the one that was asked for', {
        event: 'delegation.unusable',
        reason: delegated,
      })
      return new BrokerError('authority_answer_unusable')
    }
    const tooWide = gate.deniesGranted(
      workload,
      reachOf(issued.accessToken, asked, agent),
      issued.scope,
    )
    const denied = tooWide ?? this.#payLate(workload, acting, wish)
    const isOwners = isOfOwner(workload, acting)
    if (denied || acting.hasEnded || !isOwners) revoke(workload, [delegated])
    if (tooWide) tokens.refuse(key, tooWide, at)
    if (denied) return denied
    if (!isOwners) return new BrokerError('session_unknown')
    if (acting.hasEnded) return undefined
    const lifetimeMs = Math.min(issued.lifetimeSeconds * 1000, acting.remainingMs)
    const fallen = acting.put(key, delegated, lifetimeMs, at)
    if (acting.isSession) revoke(workload, fallen)
    metrics.spread('delegationDepth').record(delegated.chain.length)
    log.info('a token was issued on behalf of a subject', {
      event: 'delegation.issued',
      depth: delegated.chain.length,
      token_sha256: delegated.sha256,
      session: acting.isSession,
    })
    return undefined
  }

  /** What is held is not kept against the word of the authority; an outage is none. */
  #failed({ tokens }: Acting, key: CacheKey, failure: ExchangeFailure): BrokerError {
    const { log } = this.#dependencies
    const { kind, error, detail, members } = failure
    const { code } = members
    const fields = { outcome: kind, error, detail, code }
    // A user who has yet to agree is nobody's fault.
    if (isConsentMissing(failure)) log.info('a user is asked to agree', fields)
    else log.warn('an exchange for a subject brought no token', fields)
    switch (kind) {
      case 'outage':
        tokens.postpone(key, (failure.retryAfterSeconds ?? 0) * 1000)
        return errorOf(failure)
      case 'relayed':
        tokens.drop(key)
        return new BrokerError('exchange_refused', { error })
      case 'refused': {
        const refusal = new BrokerError('authority_refused', { error, members })
        if (!isConsentMissing(failure)) tokens.refuse(key, refusal, tokens.ask())
        return refusal
      }
    }
  }

  /** A handle to wait by, in place of a socket that stays open until a person has decided. */
  #handleFor(
    workload: Workload,
    acting: Acting,
    asked: { readonly wish: Wish; readonly key: CacheKey },
    { members }: ExchangeFailure,
  ): Handle | BrokerError {
    const { approval, expires_in: expiresIn } = members
    if (typeof approval !== 'string' || typeof expiresIn !== 'number' || !isApproval(approval)) {
      return new BrokerError('authority_refused', { error: 'access_denied', members })
    }
    return workload.subjects.openHandle(acting, asked, {
      id: approval,
      expiresInMs: expiresIn * 1000,
    })
  }
}

function isConsentMissing({ kind, members }: ExchangeFailure): boolean {
  return kind === 'refused' && members['code'] === 'consent_required' && 'approval' in members
}
