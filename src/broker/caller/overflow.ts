import type { Workload } from './workload.ts'

/** Keeps the tokens of all workloads together within `maxEntries`: whoever holds most loses what it used least lately, so that none can drive out the tokens of others. */
export function shedOverflow(workloads: readonly Workload[], maxEntries: number): void {
  let over = workloads.reduce((sum, { tokens }) => sum + tokens.size, 0) - maxEntries
  if (over <= 0) return
  const bySize = [...workloads].sort((one, other) => other.tokens.size - one.tokens.size)
  for (; over > 0; over -= 1) {
    const [largest, next] = bySize
    if (!largest) return
    largest.tokens.dropOldest()
    if (next && largest.tokens.size < next.tokens.size) {
      bySize.sort((one, other) => other.tokens.size - one.tokens.size)
    }
  }
}
