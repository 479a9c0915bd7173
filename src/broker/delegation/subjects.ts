import { isSameSubject, type CacheKey, type KeySubject } from '../../cache/key.ts'
import type { CacheDependencies } from '../../cache/token_cache.ts'
import type { DelegationBudget } from '../../policy/local/delegation_budget.ts'
import { subjectKey } from '../../policy/local/subject_key.ts'
import { BrokerError } from '../errors.ts'
import type { Wish } from '../wish.ts'
import { Acting } from './acting.ts'
import type { Delegated } from './delegated.ts'
import { Handles } from './handles.ts'
import type { Handle } from './handle.ts'
import type { Identifiers, IdentifierDigest } from './identifiers.ts'
import { FLOOR_MS, type SubjectToken } from './subject.ts'

export interface SubjectsBounds {
  readonly tenant: string
  /** Sessions at once; as many subject tokens without one are remembered. */
  readonly maxSessions: number
  readonly sessionIdleMs: number
}

/**
 * Sessions that nothing came of yet. Their subject tokens may be forged, each is as long as it may be, and whoever has an
 * agent pass on what it was shown would fill the pod's memory with them.
 */
const MAX_UNPROVEN = 128

/** Whom one workload acts for. Nothing of it is reached through another workload, and nothing of it outlives the process. */
export class Subjects {
  readonly #dependencies: CacheDependencies
  readonly #bounds: SubjectsBounds
  readonly #identifiers: Identifiers
  readonly #budget: Pick<DelegationBudget, 'hold'>
  readonly #sessions = new Map<IdentifierDigest, Acting>()
  /** Without a session, by owner and subject token; what was used last comes last. */
  readonly #loose = new Map<string, Acting>()
  readonly #handles: Handles

  constructor(
    bounds: SubjectsBounds,
    identifiers: Identifiers,
    budget: Pick<DelegationBudget, 'hold'>,
    dependencies: CacheDependencies,
  ) {
    this.#bounds = bounds
    this.#identifiers = identifiers
    this.#budget = budget
    this.#dependencies = dependencies
    this.#handles = new Handles(identifiers, dependencies.clock)
  }

  get sessions(): number {
    return this.#sessions.size
  }

  *all(): Generator<Acting> {
    yield* this.#sessions.values()
    yield* this.#loose.values()
  }

  /** The name by which whoever began it comes back to it. */
  begin(subject: SubjectToken, owner: KeySubject): string | BrokerError {
    const unproven = [...this.#sessions.values()].filter(({ isProven }) => !isProven)
    if (this.#sessions.size >= this.#bounds.maxSessions || unproven.length >= MAX_UNPROVEN) {
      return new BrokerError('sessions_exhausted', { retryAfterSeconds: 1 })
    }
    const { id, digest } = this.#identifiers.make()
    this.#sessions.set(digest, this.#open(subject, owner, true))
    return id
  }

  /** A session of this very pod. Of another's, and of one that never was, nothing but that is said. */
  session(id: string, owner: KeySubject): Acting | BrokerError {
    const shown = this.#identifiers.read(id)
    if (shown.kind === 'lost') return new BrokerError('session_lost')
    const acting = shown.kind === 'own' ? this.#sessions.get(shown.digest) : undefined
    if (!acting || !isSameSubject(acting.owner, owner) || this.#isOver(acting)) {
      return new BrokerError('session_unknown')
    }
    return acting
  }

  /** What is known of a subject token that comes without a session. Undefined: nothing yet. */
  known(digest: string, owner: KeySubject): Acting | undefined {
    const key = looseKey(digest, owner)
    const acting = this.#loose.get(key)
    if (!acting || this.#isOver(acting)) return undefined
    this.#loose.delete(key)
    this.#loose.set(key, acting)
    return acting
  }

  /** The same, made where there is none. */
  loose(subject: SubjectToken, owner: KeySubject): Acting | BrokerError {
    const known = this.known(subject.digest, owner)
    if (known) return known
    if (this.#loose.size >= this.#bounds.maxSessions && !this.#makeRoom()) {
      return new BrokerError('subjects_exhausted', { retryAfterSeconds: 1 })
    }
    const key = looseKey(subject.digest, owner)
    const before = this.#loose.get(key)
    if (before) this.end(before)
    const acting = this.#open(subject, owner, false)
    this.#loose.set(key, acting)
    return acting
  }

  /** Gives the tokens that are to be revoked. */
  end(acting: Acting): readonly Delegated[] {
    if (acting.hasEnded) return []
    for (const [digest, one] of this.#sessions) if (one === acting) this.#sessions.delete(digest)
    // A session may be of the same token as what is known without one, which goes on.
    const loose = looseKey(acting.subject.digest, acting.owner)
    if (this.#loose.get(loose) === acting) this.#loose.delete(loose)
    this.#handles.forget(acting)
    return acting.end()
  }

  /** Of a subject token that nothing came of, nothing is remembered: it would take the place of another. */
  forgetIfEmpty(acting: Acting): void {
    if (!acting.isSession && acting.isEmpty) this.end(acting)
  }

  /** Ends what has had its time. Gives those that ended, each with the tokens of it that are to be revoked. */
  sweep(): readonly { readonly acting: Acting; readonly living: readonly Delegated[] }[] {
    this.#handles.sweep()
    return [...this.all()]
      .filter((acting) => this.#isOver(acting))
      .map((acting) => ({ acting, living: this.end(acting) }))
  }

  /** All of it, for the pod is gone. Gives the tokens that are to be revoked. */
  endAll(): readonly Delegated[] {
    return [...this.all()].flatMap((acting) => {
      const living = this.end(acting)
      return acting.isSession ? living : []
    })
  }

  openHandle(
    acting: Acting,
    asked: { readonly wish: Wish; readonly key: CacheKey },
    approval: { readonly id: string; readonly expiresInMs: number },
  ): Handle | BrokerError {
    if (acting.hasEnded) return new BrokerError('session_unknown')
    return this.#handles.open(acting, asked, approval)
  }

  handle(id: string, owner: KeySubject): Handle | BrokerError {
    const handle = this.#handles.find(id)
    if (handle instanceof BrokerError) return handle
    const { acting } = handle
    const mine = isSameSubject(acting.owner, owner) && !acting.hasEnded && !this.#isOver(acting)
    return mine ? handle : new BrokerError('handle_unknown')
  }

  pending(): readonly Handle[] {
    return this.#handles.pending()
  }

  #open(subject: SubjectToken, owner: KeySubject, isSession: boolean): Acting {
    const { tenant } = this.#bounds
    const hold = () => this.#budget.hold(subjectKey(subject))
    return new Acting({ subject, owner, tenant, isSession, hold }, this.#dependencies)
  }

  /** A user has minutes to answer, and whoever waits for that is not idle. */
  #isOver(acting: Acting): boolean {
    if (acting.remainingMs < FLOOR_MS || (!acting.isSession && acting.isEmpty)) return true
    return acting.idleMs >= this.#bounds.sessionIdleMs && acting.handles.size === 0
  }

  #makeRoom(): boolean {
    const idle = [...this.#loose.values()].find(
      ({ inUse, handles, tokens }) =>
        inUse.size === 0 && handles.size === 0 && tokens.flights === 0,
    )
    if (idle) this.end(idle)
    return idle !== undefined
  }
}

function looseKey(digest: string, { issuer, sub, instance }: KeySubject): string {
  return JSON.stringify([digest, issuer, sub, instance])
}
