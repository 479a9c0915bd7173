import { MAX_AUDIENCES_PER_HOUR } from '../../config/bounds.ts'
import type { Clock } from '../../platform/clock.ts'
import { RecentExchanges } from './recent_exchanges.ts'
import { RecentTargets } from './recent_targets.ts'

export interface BudgetLimits {
  readonly exchangesPerMinute: number
  /** At most `MAX_AUDIENCES_PER_HOUR` are remembered, whatever is said here. */
  readonly audiencesPerHour: number
}

/**
 * Which limit is used up, and the seconds until the same call passes if nothing else is asked for until then; an hour for
 * more targets at once than the limit, which never pass.
 */
export interface BudgetExceeded {
  readonly code: 'exchanges_exhausted' | 'audiences_exhausted'
  readonly retryAfterSeconds: number
}

/**
 * What one workload may still have exchanged. An agent that was talked into trying out what it can reach is held back by the
 * number of exchanges and of different targets.
 */
export class Budget {
  readonly #clock: Clock
  readonly #exchanges = new RecentExchanges()
  readonly #targets = new RecentTargets()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many targets are remembered. */
  get audiences(): number {
    return this.#targets.size
  }

  /**
   * Pays for one exchange with all of its targets, or refuses it and takes nothing. A request without a target counts as one
   * for a target of its own. The limits may be others than those of the call before.
   */
  spend(targets: readonly string[], limits: BudgetLimits): BudgetExceeded | undefined {
    const now = this.#clock.monotonic()
    const hashes = RecentTargets.hashesOf(targets.length === 0 ? [''] : targets)
    const most = Math.min(limits.audiencesPerHour, MAX_AUDIENCES_PER_HOUR)
    const waits = {
      exchanges: this.#exchanges.wait(limits.exchangesPerMinute, now),
      audiences: this.#targets.wait(hashes, most, now),
    }
    const longest = Math.max(waits.exchanges, waits.audiences)
    if (longest > 0) {
      return {
        code: longest === waits.exchanges ? 'exchanges_exhausted' : 'audiences_exhausted',
        retryAfterSeconds: Math.ceil(longest / 1000),
      }
    }
    this.#exchanges.add(now)
    this.#targets.add(hashes, now)
    return undefined
  }
}
