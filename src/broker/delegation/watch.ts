import { repeatedly, type Clock } from '../../platform/clock.ts'
import type { Workload } from '../caller/workload.ts'
import type { ActFor } from './act_for.ts'
import type { Consents } from './consents.ts'
import type { Delegated } from './delegated.ts'
import type { Recheck } from './recheck.ts'

export interface WatchDependencies {
  readonly workloads: () => Iterable<Workload>
  readonly actFor: ActFor
  readonly recheck: Recheck
  readonly consents: Consents
  readonly revoke: (workload: Workload, tokens: readonly Delegated[]) => void
  readonly clock: Clock
}

const LOOK_EVERY_MS = 1_000
/** Refreshes that one look begins for one workload; the rest have time until the next. */
const REFRESHES_A_LOOK = 16

/**
 * Sees to what is held for subjects: ends what has had its time, asks whether the rest is still good, fetches the next
 * token before one ends, and asks what users have answered. One look a second instead of a timer each.
 */
export function watchDelegations(dependencies: WatchDependencies): () => void {
  const { workloads, actFor, recheck, consents, revoke, clock } = dependencies
  return repeatedly(clock, LOOK_EVERY_MS, () => {
    for (const workload of workloads()) {
      for (const { acting, living } of workload.subjects.sweep()) {
        if (acting.isSession) revoke(workload, living)
      }
      let left = REFRESHES_A_LOOK
      for (const acting of workload.subjects.all()) {
        for (const [key, { wish }] of acting.tokens.due().slice(0, left)) {
          left -= 1
          actFor.refresh(workload, acting, wish, key)
        }
      }
      recheck.look(workload)
      consents.look(workload)
    }
    return Promise.resolve()
  })
}
