import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Workload } from './caller/workload.ts'
import { accessTokenOf } from './servable.ts'

export interface RevokeHeldDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

const AT_ONCE = 8

/**
 * Has every token that is held ended, for nobody is left to use it. Not longer than `withinMs`: what is left by then ends by
 * itself. `revoke` gives false where a token may still be good, and never rejects.
 */
export async function revokeHeld(
  workloads: Iterable<Workload>,
  revoke: (token: string) => Promise<boolean>,
  { clock, log, metrics }: RevokeHeldDependencies,
  withinMs: number,
): Promise<void> {
  const tokens = [...workloads].flatMap(({ tokens }) =>
    tokens.values().map(([, servable]) => accessTokenOf(servable)),
  )
  const waiting = [...tokens]
  const count = { revoked: 0, failed: 0, left: tokens.length }
  const work = async (): Promise<void> => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
      count[(await revoke(token)) ? 'revoked' : 'failed'] += 1
      count.left -= 1
    }
  }
  let stopClock = (): void => {}
  const timeUp = new Promise<void>((resolve) => {
    stopClock = clock.after(withinMs, resolve)
  })
  const workers = Promise.all(Array.from({ length: AT_ONCE }, work))
  await Promise.race([workers, timeUp]).finally(stopClock)
  // Nothing more is begun; what is under way is not waited for.
  waiting.length = 0
  for (const outcome of ['revoked', 'failed', 'left'] as const) {
    const tally = metrics.tally('revocations', { outcome })
    for (let counted = 0; counted < count[outcome]; counted += 1) tally.add()
  }
  log.info('the tokens that were held have been revoked', { ...count })
}
