import {
  ExchangeFailure,
  type Exchanger,
  type ExchangeRequest,
  type IssuedToken,
} from '../../exchange/exchanger.ts'
import { tokenTypes, type TokenType } from '../../oauth/token_types.ts'
import { within, type Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Random } from '../../platform/random.ts'
import { subjectKey, type SubjectKey } from '../../policy/local/subject_key.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import type { GetToken } from '../get_token.ts'
import type { LocalGate } from '../local_gate.ts'
import { askNarrowed, type Narrowed } from '../narrowing.ts'
import { askAgain } from '../patience.ts'
import type { KnownAgent } from '../servable.ts'
import { errorOf } from '../exchange_error.ts'
import { FOREGROUND_MS } from '../token_exchange.ts'
import { changedWish, type Wish } from '../wish.ts'
import { claimedBy, isHeldBy, isOf, ownToken, reachOf, type Claimed } from '../own_token.ts'
import type { ExchangedTokens, ShownToken } from './request.ts'
import { Slots } from '../slots.ts'
import { unproven } from './credentials.ts'

export interface DropInExchangeDependencies {
  readonly getToken: GetToken
  readonly exchanger: Exchanger
  readonly gate: LocalGate
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** A token that came of an exchange, for the one who asked and nobody else. */
export interface Exchanged {
  readonly accessToken: string
  readonly issuedTokenType: TokenType
  /** Whole seconds that are left of it. */
  readonly expiresIn: number
  readonly scope: string
}

export interface ExchangeWish {
  readonly wish: Wish
  readonly tokens: ExchangedTokens
  /** False: nothing of ours may be added, for the client did not show what the guard asks for. */
  readonly proven: boolean
}

/** Exchanges of one workload that may be under way. */
const MAX_UNDER_WAY = 64

/**
 * Exchanges the tokens that a client shows (RFC 8693). The workload's own token alone is narrowed. Of somebody else's the
 * workload becomes the actor: its own token is added, unless the client shows that itself. What any of them is worth, the
 * authority decides; here their claims only tell which of the two is meant.
 */
export class DropInExchange {
  readonly #dependencies: DropInExchangeDependencies
  readonly #slots = new Slots(MAX_UNDER_WAY)

  constructor(dependencies: DropInExchangeDependencies) {
    this.#dependencies = dependencies
  }

  /** Waits 8 s in all. What goes on after that is thrown away when it comes. */
  async run(workload: Workload, asked: ExchangeWish): Promise<Exchanged | BrokerError> {
    const { clock } = this.#dependencies
    const exchange = this.#slots.run(accountOf(workload, asked), () =>
      this.#exchange(workload, asked),
    )
    if (!exchange) return new BrokerError('overloaded')
    return within(clock, FOREGROUND_MS, exchange, () => new BrokerError('authority_unavailable'))
  }

  async #exchange(workload: Workload, asked: ExchangeWish): Promise<Exchanged | BrokerError> {
    const { wish, tokens, proven } = asked
    const { gate, clock } = this.#dependencies
    const startedAt = clock.monotonic()
    const parties = await this.#partiesOf(workload, wish, tokens, proven)
    if (parties instanceof BrokerError) return parties
    const owner = accountOf(workload, asked)
    const { agent, actor } = parties
    const denied = gate.denies(workload, wish) ?? this.#pay(workload, asked, parties)
    if (denied) return denied
    const ask = (asked: Wish) => this.#ask({ ...requestFor(asked, tokens, actor), owner })
    const left = FOREGROUND_MS - (clock.monotonic() - startedAt)
    const result = await askAgain(
      () => this.#askNarrowed(workload, wish, agent, ask),
      left,
      this.#dependencies,
    )
    if (result instanceof ExchangeFailure) {
      // It was believed, and refused all the same: that is what trying out looks like.
      const late = result.kind === 'refused' && this.#payLate(workload, asked, parties)
      return late ? late : refusalOf(result)
    }
    const { accessToken, scope, lifetimeSeconds, issuedTokenType, askedAt } = result.answer
    const reach = reachOf(accessToken, result.asked, agent)
    const refused =
      gate.deniesGranted(workload, reach, scope) ?? this.#payLate(workload, asked, parties)
    if (refused) return refused
    const flownMs = clock.monotonic() - askedAt
    return {
      accessToken,
      issuedTokenType: issuedTokenType ?? tokens.requestedType ?? tokenTypes.access_token,
      expiresIn: Math.max(0, Math.floor(lifetimeSeconds - flownMs / 1000)),
      scope: scope ?? '',
    }
  }

  /** A token that names actors is for somebody else: what bounds that bounds it on this way, too. */
  #pay(
    workload: Workload,
    { wish, proven }: ExchangeWish,
    { depth, subject }: Parties,
  ): BrokerError | undefined {
    const { gate } = this.#dependencies
    const { openBudget, openDelegations, unprovenBudget } = workload
    const account = proven ? workload : { budget: openBudget, delegations: openDelegations }
    if (depth === 0) return gate.spend(workload, wish, account.budget)
    return (
      gate.deniesDelegation(workload, depth) ??
      gate.deniesSubject(workload, subject, account) ??
      gate.spend(workload, wish, proven ? unprovenBudget : openBudget)
    )
  }

  /** A subject is charged once the authority believed a token of theirs: anybody could forge one, to use up what is theirs. */
  #payLate(
    workload: Workload,
    { wish, proven }: ExchangeWish,
    { depth, subject }: Parties,
  ): BrokerError | undefined {
    if (depth === 0) return undefined
    const { openBudget, openDelegations } = workload
    const account = proven ? workload : { budget: openBudget, delegations: openDelegations }
    return this.#dependencies.gate.spendForSubject(workload, wish, subject, account)
  }

  /** Who the workload is, which actor is sent, and what comes of it. */
  async #partiesOf(
    workload: Workload,
    { agent: named }: Wish,
    { subject, actor }: ExchangedTokens,
    proven: boolean,
  ): Promise<Parties | BrokerError> {
    const claimed = claimedBy(subject.token)
    if (!claimed) return new BrokerError('subject_foreign')
    const partiesWith = (agent: KnownAgent, actor: ShownToken | undefined): Parties => ({
      agent,
      actor,
      subject: subjectKey(claimed),
      depth: claimed.depth + (actor ? 1 : 0),
    })
    const known = workload.agent
    const actorClaims = actor && claimedBy(actor.token)
    if (known && isNarrowed(claimed, known) && (!actor || isOf(actorClaims, known))) {
      return partiesWith(known, actor)
    }
    // Unknown yet, or several in one pod; and what follows may need the token itself.
    // Whoever showed no guard value names no agent: each name that came by would be an exchange of the workload's.
    const own = await ownToken(this.#dependencies.getToken, workload, proven ? named : undefined)
    if (own instanceof BrokerError) return own
    const { agent } = own
    if (claimed.iss !== agent.iss) return new BrokerError('subject_foreign')
    if (actor)
      return isOf(actorClaims, agent) ? partiesWith(agent, actor) : new BrokerError('actor_not_own')
    if (isNarrowed(claimed, agent)) return partiesWith(agent, undefined)
    if (!proven) return unproven(false)
    // Made for another, it proves nobody as an actor, and the local policy allows none without a target.
    if (!own.isPlain) return new BrokerError('audience_not_allowed')
    return partiesWith(agent, { token: own.token, tokenType: tokenTypes.access_token })
  }

  /** A token of somebody else brings its audiences with it where the request names none: which scopes are allowed is known then. */
  async #askNarrowed(
    workload: Workload,
    wish: Wish,
    agent: KnownAgent,
    ask: (asked: Wish) => Promise<Timed | ExchangeFailure>,
  ): Promise<Narrowed<Timed> | ExchangeFailure> {
    const { gate } = this.#dependencies
    const full = gate.completes(workload, wish)
    const isOpen = full.audiences.length === 0 && full.resources.length === 0
    const completed = isOpen ? changedWish(full, { scope: wish.scope }) : full
    const { asked, answer } = await askNarrowed(wish, completed, {
      gate,
      workload,
      ask,
      resultOf: (answer) => answer,
      reachOf: ({ accessToken }, asked) => reachOf(accessToken, asked, agent),
    })
    return answer instanceof ExchangeFailure ? answer : { asked, answer }
  }

  async #ask(request: ExchangeRequest): Promise<Timed | ExchangeFailure> {
    const { exchanger, clock, log, metrics } = this.#dependencies
    const askedAt = clock.monotonic()
    const result = await exchanger.exchange(request)
    const failed = result instanceof ExchangeFailure
    metrics.tally('exchanges', { outcome: failed ? result.kind : 'issued' }).add()
    if (!failed) return { ...result, askedAt }
    log.warn('an exchange brought no token', {
      outcome: result.kind,
      error: result.error,
      detail: result.detail,
    })
    return result
  }
}

/** Whoever showed no guard value may be somebody beside the workload: it takes no slot and no turn of the workload's. */
function accountOf(workload: Workload, { proven }: ExchangeWish): object {
  return proven ? workload : workload.openBudget
}

/** With when it was asked for; monotonic milliseconds. */
type Timed = IssuedToken & { readonly askedAt: number }

interface Parties {
  readonly agent: KnownAgent
  readonly actor: ShownToken | undefined
  readonly subject: SubjectKey
  /** How many actors the token names that results. */
  readonly depth: number
}

/** A token that is exchanged as it is, for it is the workload's already. */
function isNarrowed(claimed: Claimed, agent: KnownAgent): boolean {
  return isOf(claimed, agent) || isHeldBy(claimed, agent)
}

function requestFor(
  { audiences, resources, scope, agent }: Wish,
  { subject, requestedType }: ExchangedTokens,
  actor: ShownToken | undefined,
): ExchangeRequest {
  return {
    subjectToken: subject.token,
    subjectTokenType: subject.tokenType,
    audiences,
    resources,
    scope,
    clientId: agent,
    urgent: true,
    ...(actor && { actor }),
    ...(requestedType !== undefined && { requestedTokenType: requestedType }),
  }
}

/** A user who has yet to agree, or a chain that is too long, is for the client to know as the authority says it. */
function refusalOf(failure: ExchangeFailure): BrokerError {
  const { kind, error, members } = failure
  if (kind === 'relayed') return new BrokerError('exchange_refused', { error })
  return kind === 'refused'
    ? new BrokerError('authority_refused', { error, members })
    : errorOf(failure)
}
