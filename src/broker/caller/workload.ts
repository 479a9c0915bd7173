import { cacheKey, isSameSubject, type CacheKey, type KeySubject } from '../../cache/key.ts'
import { TokenCache, type CacheDependencies } from '../../cache/token_cache.ts'
import type { ExchangeFailure } from '../../exchange/exchanger.ts'
import { Budget } from '../../policy/local/budget.ts'
import { DelegationBudget } from '../../policy/local/delegation_budget.ts'
import type { BrokerError } from '../errors.ts'
import type { KnownProof, ProofSource } from '../proof.ts'
import type { Identifiers } from '../delegation/identifiers.ts'
import { Subjects } from '../delegation/subjects.ts'
import { RateLimit } from '../rate_limit.ts'
import type { KnownAgent, Servable } from '../servable.ts'
import type { Wish } from '../wish.ts'

export interface WorkloadBounds {
  readonly tenant: string
  readonly maxEntries: number
  readonly delegation: { readonly maxSessions: number; readonly sessionIdleMs: number }
  readonly rateLimit: { readonly perSecond: number; readonly burst: number }
  /** Whether tokens are revoked at the end: then those that were replaced are remembered, too. */
  readonly shutdown?: { readonly revoke: boolean }
}

export interface WorkloadDependencies extends CacheDependencies {
  /** Of the broker: what it named is told from what an earlier run of it named. */
  readonly identifiers: Identifiers
}

/**
 * A workload that tokens are held for: in a sidecar the pod, on a node each pod that showed its token. Nothing of one is
 * ever reached through another: tokens, flights, refusals and budgets are its own.
 */
export class Workload {
  readonly proofs: ProofSource
  readonly tokens: TokenCache<Servable, BrokerError>
  readonly budget: Budget
  /** For clients that showed no guard value: whoever can make the pod post a form must not use up what the pod needs. */
  readonly openBudget: Budget
  /** For subject tokens that the authority has not believed yet: strangers could use up what is there for users. */
  readonly unprovenBudget: Budget
  /** For whom it acts, and how often. */
  readonly delegations: DelegationBudget
  readonly openDelegations: DelegationBudget
  /** Those that it acts for at the moment. */
  readonly subjects: Subjects
  readonly rate: RateLimit
  /** The flights ahead of time that are under way, and whether a caller waits for them by now. */
  readonly ahead = new Map<CacheKey, { isAwaited: boolean }>()
  /** What its authority asked for by its last `Retry-After`. */
  silence: { readonly failure: ExchangeFailure; readonly until: number } | undefined
  /** Who it is, as its last token said. */
  agent: KnownAgent | undefined
  readonly #tenant: string
  readonly #bounds: WorkloadBounds
  readonly #dependencies: WorkloadDependencies
  #aside: Workload | undefined
  readonly #keys = new WeakMap<Wish, { readonly subject: KeySubject; readonly key: CacheKey }>()

  constructor(proofs: ProofSource, bounds: WorkloadBounds, dependencies: WorkloadDependencies) {
    const { tenant, maxEntries, delegation, rateLimit, shutdown } = bounds
    this.#bounds = bounds
    this.#dependencies = dependencies
    this.proofs = proofs
    this.tokens = new TokenCache(maxEntries, dependencies, shutdown?.revoke ?? false)
    this.budget = new Budget(dependencies.clock)
    this.openBudget = new Budget(dependencies.clock)
    this.unprovenBudget = new Budget(dependencies.clock)
    this.delegations = new DelegationBudget(dependencies.clock)
    this.openDelegations = new DelegationBudget(dependencies.clock)
    this.subjects = new Subjects(
      { tenant, ...delegation },
      dependencies.identifiers,
      this.delegations,
      dependencies,
    )
    this.rate = new RateLimit(rateLimit, dependencies.clock)
    this.#tenant = tenant
  }

  /**
   * The same pod, for tokens that the broker itself needs, whatever the pod may have: no route reaches what is held there, or
   * the local policy could be gone around.
   */
  get aside(): Workload {
    this.#aside ??= new Workload(this.proofs, this.#bounds, this.#dependencies)
    return this.#aside
  }

  /** Everybody whose tokens are this pod's: itself, and what is aside where there is such. */
  get sides(): readonly Workload[] {
    return this.#aside ? [this, this.#aside] : [this]
  }

  /** Forgets every token; sessions go on. */
  forget(): void {
    for (const { tokens } of this.sides) tokens.clear()
    for (const acting of this.subjects.all()) acting.tokens.clear()
  }

  /** Remembered with the wish, for the same wish comes again and again, and the key is most of the work of a hit. */
  keyOf(wish: Wish, { subject }: KnownProof): CacheKey {
    const known = this.#keys.get(wish)
    if (known && isSameSubject(known.subject, subject)) return known.key
    const key = cacheKey({
      tenant: this.#tenant,
      client: wish.agent,
      subject,
      actors: [],
      audiences: wish.audiences,
      resources: wish.resources,
      scope: wish.scope,
      tokenType: 'Bearer',
      confirmation: undefined,
    })
    this.#keys.set(wish, { subject, key })
    return key
  }
}
