import { MAX_SUBJECTS_AT_ONCE } from '../../config/bounds.ts'
import type { Clock } from '../../platform/clock.ts'
import type { BudgetExceeded } from './budget.ts'
import { KnownSubjects } from './known_subjects.ts'
import type { SubjectKey } from './subject_key.ts'

export interface DelegationLimits {
  /** At most `MAX_SUBJECTS_AT_ONCE` are known, whatever is said here. */
  readonly subjectsAtOnce: number
  readonly exchangesPerSubjectPerMinute: number
}

/**
 * Which limit is used up, and the seconds until the same call passes if nothing else is asked for until then. Where all
 * subjects are held nobody knows, and it is a minute.
 */
export interface DelegationExceeded {
  readonly code: 'subjects_exhausted' | 'subject_exchanges_exhausted'
  readonly retryAfterSeconds: number
}

/**
 * For whom one workload may act, and how often. An agent that was talked into trying out users, or what one user can reach,
 * is held back by the number of different subjects at once and of exchanges for each.
 */
export class DelegationBudget {
  readonly #clock: Clock
  readonly #subjects = new KnownSubjects()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many subjects are known. */
  get subjects(): number {
    return this.#subjects.size
  }

  /** Whether the workload may act for this subject as well. One that is known is admitted. Takes nothing. */
  refuses(
    subject: SubjectKey,
    { subjectsAtOnce }: DelegationLimits,
  ): DelegationExceeded | undefined {
    const most = Math.min(subjectsAtOnce, MAX_SUBJECTS_AT_ONCE)
    const wait = this.#subjects.wait(subject, most, this.#clock.monotonic())
    return exceeded('subjects_exhausted', wait)
  }

  /** Keeps a subject known, until what it gives is called. To be called when `refuses` was asked, and in the same turn. */
  hold(subject: SubjectKey): () => void {
    return this.#subjects.hold(subject)
  }

  /**
   * Pays for one exchange for a subject, or refuses it and takes nothing. `rest` pays what else the exchange costs: where it
   * refuses, nothing is taken here either. The limits may be others than those of the call before.
   */
  spend(
    subject: SubjectKey,
    limits: DelegationLimits,
    rest: () => BudgetExceeded | undefined,
  ): DelegationExceeded | BudgetExceeded | undefined {
    const refused = this.refuses(subject, limits)
    if (refused) return refused
    const now = this.#clock.monotonic()
    const most = limits.exchangesPerSubjectPerMinute
    const wait = this.#subjects.waitForExchange(subject, most, now)
    const tooOften = exceeded('subject_exchanges_exhausted', wait) ?? rest()
    if (!tooOften) this.#subjects.add(subject, now)
    return tooOften
  }
}

function exceeded(code: DelegationExceeded['code'], wait: number): DelegationExceeded | undefined {
  return wait > 0 ? { code, retryAfterSeconds: Math.ceil(wait / 1000) } : undefined
}
