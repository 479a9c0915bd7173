import { LRUCache } from 'lru-cache'
import type { Clock } from '../platform/clock.ts'
import { fractionOf, type Random } from '../platform/random.ts'
import type { CacheKey } from './key.ts'

/** When a token was asked for, on both clocks, and in which state of the cache. */
export interface Asked {
  readonly wall: number
  readonly monotonic: number
  readonly generation: number
}

/** A token and its end, on both clocks. */
interface Dated<Value> {
  readonly value: Value
  readonly expiresAtWall: number
  readonly expiresAtMonotonic: number
}

interface Entry<Value> extends Dated<Value> {
  readonly lifetimeMs: number
  /** What was good still when this one took its place, the newest first. */
  readonly replaced: readonly Dated<Value>[]
  /** With so much left it is to be fetched anew. */
  dueAtMs: number
  /** Whether anybody asked for it since it came. */
  used: boolean
  failures: number
  /** Monotonic; not asked for ahead of time before. */
  retryAt: number
}

/** A token of the cache, with what is left of it. */
export interface Held<Value> {
  readonly value: Value
  readonly remainingMs: number
  readonly lifetimeMs: number
  /** When it was asked for; monotonic. */
  readonly askedAt: number
  /** It is time to fetch the next one. */
  readonly isDue: boolean
  /** The last try to replace it failed, and the next one is not yet due. */
  readonly isWaiting: boolean
}

/** The longest that a refusal is remembered, so that a mended policy is felt soon. */
const REFUSAL_MS = 10_000
/** Of its life, after which a token is fetched anew, give or take a tenth of that. */
export const REFRESH_AT = 0.65
export const JITTER = 0.1
const BACK_OFF_MS = { first: 1_000, longest: 60_000 }
/** Of one key. In the ordinary course there is one that still lives; with a proof that is replaced soon after, there may be more. */
const MAX_REPLACED = 3
const NONE: readonly never[] = []

export interface CacheDependencies {
  readonly clock: Clock
  readonly random: Random
}

/**
 * The tokens of one workload on their way to it: bounded, each until the nearer of its wall and its monotonic end. A wall
 * clock that is set back would otherwise keep an expired token alive, and one that is set forward is believed.
 */
export class TokenCache<Value extends object, Refusal extends object> {
  readonly #clock: Clock
  readonly #random: Random
  readonly #keepsReplaced: boolean
  readonly #entries: LRUCache<CacheKey, Entry<Value>>
  readonly #refusals: LRUCache<CacheKey, { readonly refusal: Refusal; readonly until: number }>
  readonly #flights = new Map<CacheKey, Promise<unknown>>()
  #generation = 0

  /** `keepsReplaced`: for `living`, at the price of up to three more tokens an entry. */
  constructor(maxEntries: number, { clock, random }: CacheDependencies, keepsReplaced = false) {
    this.#clock = clock
    this.#random = random
    this.#keepsReplaced = keepsReplaced
    this.#entries = bounded(maxEntries)
    this.#refusals = bounded(Math.min(maxEntries, 1_000))
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: CacheKey): Held<Value> | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const remainingMs = this.#remainingOf(entry)
    if (remainingMs <= 0) {
      this.#entries.delete(key)
      return undefined
    }
    entry.used = true
    const { value, lifetimeMs, dueAtMs } = entry
    const askedAt = entry.expiresAtMonotonic - lifetimeMs
    const isDue = remainingMs <= dueAtMs
    const isWaiting = this.#clock.monotonic() < entry.retryAt
    return { value, remainingMs, lifetimeMs, askedAt, isDue, isWaiting }
  }

  /** To be called before a token is asked for, and handed to `put` or `refuse` with what came of it. */
  ask(): Asked {
    return {
      wall: this.#clock.wall(),
      monotonic: this.#clock.monotonic(),
      generation: this.#generation,
    }
  }

  /** Its life is counted from when it was asked for: it began on the way here. When it will be due is drawn now, once. */
  put(key: CacheKey, value: Value, lifetimeMs: number, asked: Asked): void {
    if (asked.generation !== this.#generation) return
    this.#refusals.delete(key)
    const share = REFRESH_AT * (1 + JITTER * (2 * fractionOf(this.#random) - 1))
    this.#entries.set(key, {
      value,
      lifetimeMs,
      expiresAtWall: asked.wall + lifetimeMs,
      expiresAtMonotonic: asked.monotonic + lifetimeMs,
      replaced: this.#keepsReplaced ? this.#replacedBy(key) : NONE,
      dueAtMs: lifetimeMs * (1 - share),
      used: false,
      failures: 0,
      retryAt: -Infinity,
    })
  }

  /** Drops the token and answers with the refusal for a while. */
  refuse(key: CacheKey, refusal: Refusal, asked: Asked): void {
    if (asked.generation !== this.#generation) return
    this.#entries.delete(key)
    this.#refusals.set(key, { refusal, until: this.#clock.monotonic() + REFUSAL_MS })
  }

  /** Whether any refusal is remembered. */
  get hasRefusals(): boolean {
    const now = this.#clock.monotonic()
    return [...this.#refusals.values()].some(({ until }) => now < until)
  }

  refusalOf(key: CacheKey): Refusal | undefined {
    const known = this.#refusals.get(key)
    return known && this.#clock.monotonic() < known.until ? known.refusal : undefined
  }

  /**
   * A try to replace a token failed: the next waits from 1 s up to 60 s with full jitter, and `atLeastMs`. All who waited for
   * the same try say so; it counts once.
   */
  postpone(key: CacheKey, atLeastMs: number): void {
    const entry = this.#entries.peek(key)
    if (!entry) return
    const now = this.#clock.monotonic()
    if (now < entry.retryAt) {
      entry.retryAt = Math.max(entry.retryAt, now + atLeastMs)
      return
    }
    const cap = Math.min(BACK_OFF_MS.first * 2 ** entry.failures, BACK_OFF_MS.longest)
    entry.failures = Math.min(entry.failures + 1, 16)
    const pause = Math.max(cap * fractionOf(this.#random), atLeastMs)
    entry.retryAt = now + pause
  }

  /** All tokens become due within a tenth of their lives, each at a moment of its own: the proof that they came from was replaced. */
  hasten(): void {
    for (const entry of this.#entries.values()) {
      const soon = this.#remainingOf(entry) - entry.lifetimeMs * JITTER * fractionOf(this.#random)
      entry.dueAtMs = Math.max(entry.dueAtMs, soon)
    }
  }

  /**
   * What is to be fetched ahead of time now, the nearest to its end first. Whatever nobody asked for since it came is left
   * out: whoever asks for it late begins its refresh then. Forgets what has ended.
   */
  due(): readonly (readonly [CacheKey, Value])[] {
    const now = this.#clock.monotonic()
    const found: { readonly key: CacheKey; readonly value: Value; readonly left: number }[] = []
    for (const [key, entry] of this.#entries.entries()) {
      const left = this.#remainingOf(entry)
      if (left <= 0) this.#entries.delete(key)
      else if (left <= entry.dueAtMs && entry.used && now >= entry.retryAt) {
        if (!this.#flights.has(key)) found.push({ key, value: entry.value, left })
      }
    }
    return found.sort((one, other) => one.left - other.left).map(({ key, value }) => [key, value])
  }

  /** Milliseconds since a token became due; 0 where it is not, or is gone. */
  overdueMs(key: CacheKey): number {
    const entry = this.#entries.peek(key)
    return entry ? Math.max(0, entry.dueAtMs - this.#remainingOf(entry)) : 0
  }

  /** Every token that is held, without counting as a use of it. */
  values(): readonly (readonly [CacheKey, Value])[] {
    return [...this.#entries.entries()].map(([key, { value }]) => [key, value] as const)
  }

  /**
   * Every token that was handed out under what is held and is good still, with the milliseconds that are left of it: what is
   * held, and with `keepsReplaced` the newest of those in whose place it came.
   */
  living(): readonly { readonly value: Value; readonly remainingMs: number }[] {
    return [...this.#entries.values()]
      .flatMap((entry) => [entry, ...entry.replaced])
      .map((dated) => ({ value: dated.value, remainingMs: this.#remainingOf(dated) }))
      .filter(({ remainingMs }) => remainingMs > 0)
  }

  /** All tokens are to be fetched anew at once, whether or not anybody uses them: something speaks against them. */
  suspect(): void {
    for (const entry of this.#entries.values()) {
      entry.dueAtMs = Infinity
      entry.used = true
      entry.retryAt = -Infinity
    }
  }

  /** Whether a token is held, without counting as a use of it. */
  has(key: CacheKey): boolean {
    return this.#entries.has(key)
  }

  /** Drops a token that is known to be worth nothing any more. */
  drop(key: CacheKey): void {
    this.#entries.delete(key)
  }

  /** Drops the token that was not asked for the longest. */
  dropOldest(): void {
    this.#entries.pop()
  }

  /** Forgets all, and whatever was asked for before. */
  clear(): void {
    this.#generation += 1
    this.#entries.clear()
    this.#refusals.clear()
    this.#flights.clear()
  }

  /** True when a flight of this key is under way. */
  isFlying(key: CacheKey): boolean {
    return this.#flights.has(key)
  }

  get flights(): number {
    return this.#flights.size
  }

  /** One flight a key: whoever comes while it is under way shares it. A waiter that gives up leaves it flying. */
  fly<Result>(key: CacheKey, work: () => Promise<Result>): Promise<Result> {
    const under = this.#flights.get(key)
    if (under) return under as Promise<Result>
    const flight: Promise<Result> = work().finally(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key)
    })
    this.#flights.set(key, flight)
    return flight
  }

  #replacedBy(key: CacheKey): readonly Dated<Value>[] {
    const entry = this.#entries.peek(key)
    if (!entry) return NONE
    // The entry itself would hold all that came before it.
    const { value, expiresAtWall, expiresAtMonotonic, replaced } = entry
    return [{ value, expiresAtWall, expiresAtMonotonic }, ...replaced]
      .filter((dated) => this.#remainingOf(dated) > 0)
      .slice(0, MAX_REPLACED)
  }

  #remainingOf({ expiresAtWall, expiresAtMonotonic }: Dated<Value>): number {
    return Math.min(
      expiresAtWall - this.#clock.wall(),
      expiresAtMonotonic - this.#clock.monotonic(),
    )
  }
}

/** By size, for one that is bounded by `max` takes its room when it is made, and a node has a cache for each of its pods. */
function bounded<Value extends object>(maxEntries: number): LRUCache<CacheKey, Value> {
  return new LRUCache({ maxSize: maxEntries, sizeCalculation: () => 1 })
}
