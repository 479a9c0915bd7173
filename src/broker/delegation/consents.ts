import type { ApprovalStatus } from '../../exchange/approval_status.ts'
import type { Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import type { ActFor } from './act_for.ts'
import { isOfOwner } from './find_acting.ts'
import type { Handle } from './handle.ts'
import { settle } from './handles.ts'
import type { OwnTokens } from './own_tokens.ts'

export interface ConsentsDependencies {
  readonly statusOf: (approval: string, own: string) => Promise<ApprovalStatus>
  readonly ownTokens: OwnTokens
  readonly actFor: ActFor
  readonly clock: Clock
  readonly log: Log
}

const EVERY_MS = 1_000
const LONGEST_PAUSE_MS = 10_000

/** Asks the authority what users have answered, once a second for each, and has the token fetched that they agreed to. */
export class Consents {
  readonly #dependencies: ConsentsDependencies

  constructor(dependencies: ConsentsDependencies) {
    this.#dependencies = dependencies
  }

  /** For nobody who waits. */
  look(workload: Workload): void {
    const now = this.#dependencies.clock.monotonic()
    for (const handle of workload.subjects.pending()) {
      if (handle.isAsking || now < handle.askAt) continue
      handle.isAsking = true
      this.#ask(workload, handle)
        .catch((error: unknown) => {
          this.#later(handle)
          this.#dependencies.log.error('a user could not be waited for', causeOf(error))
        })
        .finally(() => {
          handle.isAsking = false
        })
    }
  }

  async #ask(workload: Workload, handle: Handle): Promise<void> {
    const { ownTokens, statusOf, clock } = this.#dependencies
    if (!isOfOwner(workload, handle.acting)) {
      this.#later(handle)
      return
    }
    const answer = await ownTokens.asking(workload, handle.wish.agent, (own) =>
      statusOf(handle.approval, own),
    )
    const kind = answer instanceof BrokerError ? 'unanswered' : answer.kind
    switch (kind) {
      case 'pending':
        handle.failures = 0
        handle.askAt = clock.monotonic() + EVERY_MS
        return
      case 'denied':
      case 'expired':
        settle(handle, { status: kind })
        return
      case 'gone':
        settle(handle, { status: 'failed', error: new BrokerError('consent_unknown') })
        return
      case 'approved':
        await this.#fetch(workload, handle)
        return
      case 'unproven':
      case 'unanswered':
        this.#later(handle, 'retryAfterMs' in answer ? answer.retryAfterMs : 0)
    }
  }

  /** What the user agreed to is fetched at once. That the authority is out meanwhile takes nothing of it back. */
  async #fetch(workload: Workload, handle: Handle): Promise<void> {
    const { actFor } = this.#dependencies
    const { acting, wish } = handle
    const outcome = await actFor.agreed(workload, acting, wish)
    if ('delegated' in outcome) settle(handle, { status: 'approved' })
    else if (!(outcome instanceof BrokerError)) {
      // The user agreed to something else: the authority asks again, and whoever asks anew waits by that.
      settle(handle, { status: 'failed', error: new BrokerError('consent_required') })
    } else if (outcome.status < 500 && outcome.status !== 429) {
      settle(handle, { status: 'failed', error: outcome })
    } else this.#later(handle, (outcome.retryAfterSeconds ?? 0) * 1000)
  }

  /** Not before the authority asked for, and later with each time that it failed. */
  #later(handle: Handle, atLeastMs = 0): void {
    const { clock } = this.#dependencies
    handle.failures = Math.min(handle.failures + 1, 8)
    const pause = Math.min(EVERY_MS * 2 ** handle.failures, LONGEST_PAUSE_MS)
    handle.askAt = clock.monotonic() + Math.max(pause, atLeastMs)
  }
}
