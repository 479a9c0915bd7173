import { LRUCache } from 'lru-cache'
import type { Clock } from '../platform/clock.ts'
import type { CacheKey } from './key.ts'

/** When a token was asked for, on both clocks, and in which state of the cache. */
export interface Asked {
  readonly wall: number
  readonly monotonic: number
  readonly generation: number
}

interface Entry<Value> {
  readonly value: Value
  readonly lifetimeMs: number
  readonly expiresAtWall: number
  readonly expiresAtMonotonic: number
}

/** A token of the cache, with what is left of it. */
export interface Held<Value> {
  readonly value: Value
  readonly remainingMs: number
  readonly lifetimeMs: number
}

/** The longest that a refusal is remembered, so that a mended policy is felt soon. */
const REFUSAL_MS = 10_000

/**
 * Tokens on their way to the pod: bounded, each until the nearer of its wall and its monotonic end. A wall clock that is set
 * back would otherwise keep an expired token alive, and one that is set forward is believed.
 */
export class TokenCache<Value extends object, Refusal extends object> {
  readonly #clock: Clock
  readonly #entries: LRUCache<CacheKey, Entry<Value>>
  readonly #refusals: LRUCache<CacheKey, { readonly refusal: Refusal; readonly until: number }>
  readonly #flights = new Map<CacheKey, Promise<unknown>>()
  #generation = 0

  constructor(maxEntries: number, clock: Clock) {
    this.#clock = clock
    this.#entries = new LRUCache({ max: maxEntries })
    this.#refusals = new LRUCache({ max: Math.min(maxEntries, 1_000) })
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: CacheKey): Held<Value> | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    const { value, lifetimeMs } = entry
    const remainingMs = Math.min(
      entry.expiresAtWall - this.#clock.wall(),
      entry.expiresAtMonotonic - this.#clock.monotonic(),
    )
    if (remainingMs > 0) return { value, remainingMs, lifetimeMs }
    this.#entries.delete(key)
    return undefined
  }

  /** To be called before a token is asked for, and handed to `put` or `refuse` with what came of it. */
  ask(): Asked {
    return {
      wall: this.#clock.wall(),
      monotonic: this.#clock.monotonic(),
      generation: this.#generation,
    }
  }

  /** Its life is counted from when it was asked for: it began on the way here. */
  put(key: CacheKey, value: Value, lifetimeMs: number, asked: Asked): void {
    if (asked.generation !== this.#generation) return
    this.#refusals.delete(key)
    this.#entries.set(key, {
      value,
      lifetimeMs,
      expiresAtWall: asked.wall + lifetimeMs,
      expiresAtMonotonic: asked.monotonic + lifetimeMs,
    })
  }

  /** Drops the token and answers with the refusal for a while. */
  refuse(key: CacheKey, refusal: Refusal, asked: Asked): void {
    if (asked.generation !== this.#generation) return
    this.#entries.delete(key)
    this.#refusals.set(key, { refusal, until: this.#clock.monotonic() + REFUSAL_MS })
  }

  refusalOf(key: CacheKey): Refusal | undefined {
    const known = this.#refusals.get(key)
    return known && this.#clock.monotonic() < known.until ? known.refusal : undefined
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
}
