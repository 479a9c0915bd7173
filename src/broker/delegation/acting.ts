import { cacheKey, type CacheKey, type KeySubject } from '../../cache/key.ts'
import { TokenCache, type Asked, type CacheDependencies } from '../../cache/token_cache.ts'
import type { BrokerError } from '../errors.ts'
import type { Wish } from '../wish.ts'
import type { Delegated } from './delegated.ts'
import type { Handle } from './handle.ts'
import type { SubjectToken } from './subject.ts'

/** Different tokens that are held for one subject token. */
const MAX_TOKENS = 64
/** Those that were handed out and are good still; the oldest of more are not to live on unseen. */
const MAX_ISSUED = 1_024

/** What there is to know of whom somebody acts for. */
export interface ActingParts {
  readonly subject: SubjectToken
  /** Whose pod it is: nobody else reaches it, should the proof of this workload become another's. */
  readonly owner: KeySubject
  readonly tenant: string
  /** Whether somebody began it and will end it. Without that it is what the broker remembers of a subject token. */
  readonly isSession: boolean
  /** Takes a place among the subjects that are acted for at once; gives what lets go of it. */
  readonly hold: () => () => void
}

interface Issued {
  readonly value: Delegated
  /** Monotonic. */
  readonly endsAt: number
}

/**
 * A workload acting for one subject, by one subject token. The tokens that come of it are reached through it and in no other
 * way: what was issued for one session, or one subject, can be served to no other. It ends once, for good, and all that is
 * in use ends with it.
 */
export class Acting {
  readonly subject: SubjectToken
  readonly owner: KeySubject
  readonly isSession: boolean
  readonly tokens: TokenCache<Delegated, BrokerError>
  /** What the user has yet to agree to, by what was asked for. */
  readonly handles = new Map<CacheKey, Handle>()
  /** Tokens that somebody sends with a request that still runs. */
  readonly inUse = new Set<Delegated>()
  readonly #clock: CacheDependencies['clock']
  readonly #tenant: string
  readonly #hold: () => () => void
  readonly #endsAtMonotonic: number
  readonly #keys = new WeakMap<Wish, CacheKey>()
  #issued: Issued[] = []
  #release: (() => void) | undefined
  /** Handles whose answer can be had still. */
  #answers = 0
  #hasEnded = false
  #touchedAt: number

  constructor(parts: ActingParts, dependencies: CacheDependencies) {
    const { subject, owner, tenant, isSession, hold } = parts
    const { clock } = dependencies
    this.subject = subject
    this.owner = owner
    this.isSession = isSession
    this.tokens = new TokenCache(MAX_TOKENS, dependencies)
    this.#clock = clock
    this.#tenant = tenant
    this.#hold = hold
    this.#touchedAt = clock.monotonic()
    this.#endsAtMonotonic = clock.monotonic() + subject.expiresAt * 1000 - clock.wall()
  }

  /** Of the subject token; the nearer of both clocks counts. */
  get remainingMs(): number {
    return Math.min(
      this.subject.expiresAt * 1000 - this.#clock.wall(),
      this.#endsAtMonotonic - this.#clock.monotonic(),
    )
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Since somebody used it; what still runs uses it. */
  get idleMs(): number {
    return this.inUse.size > 0 ? 0 : this.#clock.monotonic() - this.#touchedAt
  }

  /** Whether nothing would be lost with it. */
  get isEmpty(): boolean {
    const { tokens, inUse } = this
    const isHeld = tokens.size > 0 || tokens.flights > 0 || inUse.size > 0
    return !isHeld && this.#answers === 0 && !tokens.hasRefusals
  }

  /** Whether the authority believed the subject token. Until then it is a claim of whoever showed it. */
  get isProven(): boolean {
    return this.#release !== undefined
  }

  /** The authority did: the subject counts among those that are acted for, until this ends. */
  prove(): void {
    if (!this.#hasEnded) this.#release ??= this.#hold()
  }

  /** A handle is known, or no more. */
  countAnswer(change: 1 | -1): void {
    this.#answers += change
  }

  touch(): void {
    this.#touchedAt = this.#clock.monotonic()
  }

  /** Remembered with the wish, as a workload's own. */
  keyOf(wish: Wish): CacheKey {
    const known = this.#keys.get(wish)
    if (known) return known
    const { subject, owner } = this
    const key = cacheKey({
      tenant: this.#tenant,
      client: wish.agent,
      subject: { issuer: subject.iss, sub: subject.sub, instance: subject.digest },
      actors: [JSON.stringify(owner), ...subject.chain.map(({ sub }) => sub)],
      audiences: wish.audiences,
      resources: wish.resources,
      scope: wish.scope,
      tokenType: 'Bearer',
      confirmation: undefined,
    })
    this.#keys.set(wish, key)
    return key
  }

  /** Calls back once when a token must not be in use any more. Gives what stops listening. */
  use(delegated: Delegated, ended: () => void): () => void {
    if (this.#hasEnded) {
      ended()
      return () => {}
    }
    // One function may stand for several requests: each is a user of its own.
    const user = (): void => {
      ended()
    }
    delegated.users.add(user)
    this.inUse.add(delegated)
    return () => {
      delegated.users.delete(user)
      if (delegated.users.size === 0) this.inUse.delete(delegated)
      this.touch()
    }
  }

  /** Holds a token. Whatever becomes of it here, it ends with the session. Gives those that there is no room for any more. */
  put(key: CacheKey, delegated: Delegated, lifetimeMs: number, asked: Asked): readonly Delegated[] {
    this.tokens.put(key, delegated, lifetimeMs, asked)
    const endsAt = asked.monotonic + lifetimeMs
    const issued = [...this.#living(), { value: delegated, endsAt }]
    this.#issued = issued.slice(-MAX_ISSUED)
    return issued.slice(0, -MAX_ISSUED).map(({ value }) => value)
  }

  /** Every token that was handed out and is good still, as far as anybody here knows, with the milliseconds that are left of it. */
  living(): readonly { readonly value: Delegated; readonly remainingMs: number }[] {
    const now = this.#clock.monotonic()
    return this.#living().map(({ value, endsAt }) => ({ value, remainingMs: endsAt - now }))
  }

  /** A token that is worth nothing any more: it is dropped, and whatever runs with it ends. */
  endToken(delegated: Delegated): void {
    for (const [key, held] of this.tokens.values()) {
      if (held === delegated) this.tokens.drop(key)
    }
    this.#issued = this.#issued.filter(({ value }) => value !== delegated)
    this.endUse(delegated)
  }

  /** Whatever runs with a token ends. */
  endUse(delegated: Delegated): void {
    if (this.inUse.delete(delegated)) this.touch()
    const users = [...delegated.users]
    delegated.users.clear()
    for (const ended of users) ended()
  }

  #living(): Issued[] {
    const now = this.#clock.monotonic()
    return this.#issued.filter(({ endsAt }) => endsAt > now)
  }

  /** Gives the tokens that were handed out and are good still; the second time, none. */
  end(): readonly Delegated[] {
    if (this.#hasEnded) return []
    this.#hasEnded = true
    const living = this.living().map(({ value }) => value)
    for (const delegated of this.inUse) this.endUse(delegated)
    this.#issued = []
    this.tokens.clear()
    this.handles.clear()
    this.#release?.()
    return living
  }
}
