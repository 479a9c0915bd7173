import type { KeyObject } from 'node:crypto'
import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { SignatureAlgorithm } from './algorithms.ts'
import type { FetchedKeys } from './fetch_keys.ts'
import type { KeySet } from './key_set.ts'
import type { KeySource, KeysUnavailable } from './key_source.ts'
import { KeySetKeeper, type KeptKeys } from './kept_keys.ts'

const COOL_DOWN_MS = 5_000
const FIRST_BACK_OFF_MS = 1_000
const LONGEST_BACK_OFF_MS = 30_000
const DEFAULT_MAX_AGE_MS = 600_000
const LONGEST_MAX_AGE_MS = 3_600_000
const DEFAULT_STALENESS_MS = 24 * 3_600_000

interface RemoteKeysDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface RemoteKeysOptions {
  /** Where the last good set outlives the process; nowhere, where absent. */
  readonly kept?: KeptKeys | undefined
  /** How long the last good set serves while its issuer cannot be reached. */
  readonly stalenessMs?: number | undefined
}

/**
 * An issuer's keys over the network. One fetch at a time; after each a pause in which no token, however odd its `kid`,
 * causes another (5 s after a success, 1 s doubling to 30 s after a failure); the last good set stays through failures until
 * it is stale (after a day), a restart included, and a good fetch replaces it whole. Beyond that nothing can be said of a
 * token, which is no fault of whoever shows it.
 */
export class RemoteKeys implements KeySource {
  readonly #provider: string
  readonly #fetch: () => Promise<FetchedKeys>
  readonly #dependencies: RemoteKeysDependencies
  readonly #stalenessMs: number
  readonly #keeper: KeySetKeeper | undefined
  #set: { readonly keys: KeySet; readonly fetchedAt: number; readonly maxAgeMs: number } | undefined
  #flight: Promise<void> | undefined
  #quietUntil = -Infinity
  #failures = 0
  #successes = 0

  constructor(
    provider: string,
    fetch: () => Promise<FetchedKeys>,
    dependencies: RemoteKeysDependencies,
    { kept, stalenessMs = DEFAULT_STALENESS_MS }: RemoteKeysOptions = {},
  ) {
    this.#provider = provider
    this.#fetch = fetch
    this.#dependencies = dependencies
    this.#stalenessMs = stalenessMs
    this.#keeper = kept && new KeySetKeeper(provider, kept, stalenessMs, dependencies)
    dependencies.metrics.observe('keySetAge', { provider }, () => {
      const age = this.#age()
      return age === undefined ? -1 : Math.round(age / 1000)
    })
  }

  async find(
    kid: string,
    algorithm: SignatureAlgorithm,
  ): Promise<KeyObject | 'unknown' | KeysUnavailable> {
    const failing = this.#failures > 0
    const renewal = this.#fresh() ? undefined : this.#refresh()
    // While an issuer keeps failing, nobody waits for one more attempt who can be answered with what is here.
    const held = failing ? this.#usable()?.find(kid, algorithm) : undefined
    if (held) return held
    const renewed = (await renewal) ?? false
    const known = this.#usable()?.find(kid, algorithm)
    if (known) return known
    // Not there: the issuer may have begun to sign with a new key since the set was fetched.
    const asked = renewed || (await this.#refresh())
    const keys = this.#usable()
    if (!keys) return this.#unavailable('its key set cannot be fetched')
    return (
      keys.find(kid, algorithm) ?? (asked ? 'unknown' : this.#unavailable('a key is not known yet'))
    )
  }

  /**
   * Fetches unless that is paused. True when a set was fetched that was asked for by this call: one that was on its way
   * already may be older than the key that is looked for.
   */
  async #refresh(): Promise<boolean> {
    const before = this.#successes
    const joins = this.#flight !== undefined
    if (!this.#flight && this.#now() >= this.#quietUntil) {
      this.#flight = this.#fetchOnce().finally(() => {
        this.#flight = undefined
      })
    }
    await this.#flight
    return !joins && this.#successes !== before
  }

  async #fetchOnce(): Promise<void> {
    const { log, metrics } = this.#dependencies
    try {
      const { keys, text, maxAgeSeconds } = await this.#fetch()
      const fetchedAt = this.#now()
      const maxAgeMs = Math.min(
        (maxAgeSeconds ?? DEFAULT_MAX_AGE_MS / 1000) * 1000,
        LONGEST_MAX_AGE_MS,
      )
      this.#set = { keys, fetchedAt, maxAgeMs: Math.max(maxAgeMs, COOL_DOWN_MS) }
      this.#failures = 0
      this.#successes += 1
      this.#quietUntil = fetchedAt + COOL_DOWN_MS
      metrics.tally('keyFetches', { provider: this.#provider, outcome: 'fetched' }).add()
      // Nobody waits for it, and it does not reject.
      void this.#keeper?.save(text)
    } catch (error) {
      const backOff = Math.min(FIRST_BACK_OFF_MS * 2 ** this.#failures, LONGEST_BACK_OFF_MS)
      this.#failures += 1
      this.#quietUntil = this.#now() + backOff
      metrics.tally('keyFetches', { provider: this.#provider, outcome: 'failed' }).add()
      log.warn('a key set could not be fetched', {
        provider: this.#provider,
        reason: error instanceof Error ? error.message : 'unknown',
        retry_in_ms: backOff,
      })
      if (!this.#usable()) await this.#restore()
    }
  }

  /** A kept set is never fresh: its issuer is asked again after each pause. */
  async #restore(): Promise<void> {
    const restored = await this.#keeper?.restore()
    if (!restored) return
    this.#set = { keys: restored.keys, fetchedAt: this.#now() - restored.ageMs, maxAgeMs: -1 }
  }

  #unavailable(reason: string): KeysUnavailable {
    const seconds = Math.ceil((this.#quietUntil - this.#now()) / 1000)
    return { unavailable: reason, retryAfterSeconds: Math.max(1, seconds) }
  }

  #fresh(): boolean {
    const age = this.#age()
    return age !== undefined && this.#set !== undefined && age <= this.#set.maxAgeMs
  }

  #usable(): KeySet | undefined {
    const age = this.#age()
    return age !== undefined && age <= this.#stalenessMs ? this.#set?.keys : undefined
  }

  #age(): number | undefined {
    return this.#set && this.#now() - this.#set.fetchedAt
  }

  #now(): number {
    return this.#dependencies.clock.monotonic()
  }
}
