import type { Workload } from '../caller/workload.ts'
import type { LocalGate } from '../local_gate.ts'
import { depthOf } from './delegated.ts'

/**
 * After a change of the local policy: nothing that is held for subjects is served without being judged anew, and what runs
 * with a token that would not be had any more ends.
 */
export function reviewDelegations(workload: Workload, gate: LocalGate): void {
  for (const acting of workload.subjects.all()) {
    acting.tokens.clear()
    for (const delegated of acting.inUse) {
      const { wish, asked, scope } = delegated
      const denied =
        gate.denies(workload, wish) ??
        gate.deniesDelegation(workload, depthOf(delegated)) ??
        gate.deniesGranted(workload, asked, scope)
      if (denied) acting.endUse(delegated)
    }
  }
}
