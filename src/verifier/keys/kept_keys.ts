import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { OperatorFault } from '../../platform/operator_fault.ts'
import { KeySet } from './key_set.ts'

/** The text of a key set that was fetched, and when, in Unix seconds. */
export interface KeptKeySet {
  readonly text: string
  readonly fetchedAt: number
}

/** Where the last good key set of a provider lies while the program does not run. Both may reject. */
export interface KeptKeys {
  /** Undefined where there is none, or none that can be trusted. */
  load(): Promise<KeptKeySet | undefined>
  save(text: string, fetchedAt: number): Promise<void>
}

/** A set that came back, and how long ago it was fetched. */
export interface RestoredKeys {
  readonly keys: KeySet
  readonly ageMs: number
}

/** An unchanged set is written so often at most, only for its age to be known. */
const SAVE_AGAIN_MS = 600_000
/** How far the clock may have been set back since the set was kept; beyond that its age says nothing. */
const CLOCK_TOLERANCE_MS = 60_000

interface KeeperDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * Keeps one provider's last good set, and judges what comes back. No fault of the place where it is kept is one of the
 * verification: neither verb rejects.
 */
export class KeySetKeeper {
  readonly #provider: string
  readonly #kept: KeptKeys
  readonly #stalenessMs: number
  readonly #dependencies: KeeperDependencies
  #saved: { readonly text: string; readonly at: number } | undefined
  #failing = false
  #answered = false

  constructor(
    provider: string,
    kept: KeptKeys,
    stalenessMs: number,
    dependencies: KeeperDependencies,
  ) {
    this.#provider = provider
    this.#kept = kept
    this.#stalenessMs = stalenessMs
    this.#dependencies = dependencies
  }

  /** Keeps a set that was fetched now, unless it was kept lately as it is. */
  async save(text: string): Promise<void> {
    const { clock, log, metrics } = this.#dependencies
    const before = this.#saved
    const now = clock.monotonic()
    if (before?.text === text && now - before.at < SAVE_AGAIN_MS) return
    try {
      // Taken down first, so that no second one is begun for the same set while this one is under way.
      this.#saved = { text, at: now }
      await this.#kept.save(text, unixSeconds(clock))
      this.#failing = false
    } catch (error) {
      this.#saved = undefined
      metrics.tally('keyFetches', { provider: this.#provider, outcome: 'not_kept' }).add()
      if (!this.#failing) {
        log.warn('a key set could not be kept for the next start', this.#fields(reasonOf(error)))
      }
      this.#failing = true
    }
  }

  /** What was kept, once, where it is still good. A place that does not answer is asked again the next time. */
  async restore(): Promise<RestoredKeys | undefined> {
    if (this.#answered) return undefined
    const { log } = this.#dependencies
    try {
      const kept = await this.#kept.load()
      this.#answered = true
      return kept && this.#judge(kept)
    } catch (error) {
      log.warn('the kept key set cannot be used', this.#fields(reasonOf(error)))
      return undefined
    }
  }

  #judge({ text, fetchedAt }: KeptKeySet): RestoredKeys | undefined {
    const { clock, log } = this.#dependencies
    const ageMs = clock.wall() - fetchedAt * 1000
    const keys = this.#goodAge(ageMs) ? KeySet.parse(text) : undefined
    if (!keys?.size) {
      const reason = keys ? 'it has no usable key' : 'it is too old, or dated in the future'
      log.warn('the kept key set is not used', this.#fields(reason))
      return undefined
    }
    const restored = { keys, ageMs: Math.max(0, ageMs) }
    log.warn('a kept key set serves until its issuer can be reached', {
      provider: this.#provider,
      age_seconds: Math.round(restored.ageMs / 1000),
    })
    return restored
  }

  #goodAge(ageMs: number): boolean {
    return ageMs >= -CLOCK_TOLERANCE_MS && ageMs <= this.#stalenessMs
  }

  #fields(reason: string) {
    return { provider: this.#provider, reason }
  }
}

/** Messages of libraries quote what they were given; ours do not. */
function reasonOf(error: unknown): string {
  return error instanceof OperatorFault ? error.message : 'unknown'
}
