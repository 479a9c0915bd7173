import type { TokenCache } from '../cache/token_cache.ts'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { BrokerError } from './errors.ts'
import { accessTokenOf, type Servable } from './servable.ts'

export interface RevokeHeldDependencies {
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

/** Whose tokens are to end. */
export interface Holder {
  readonly tokens: Pick<TokenCache<Servable, BrokerError>, 'living'>
}

const AT_ONCE = 8

/**
 * Has every token ended that is held, or was before one that is, for nobody is left to use it; those first that would live
 * longest. Not longer than `withinMs`: what is left by then ends by itself. `revoke` gives false where a token may still be good, and never rejects.
 */
export async function revokeHeld(
  holders: Iterable<Holder>,
  revoke: (token: string) => Promise<boolean>,
  { clock, log, metrics }: RevokeHeldDependencies,
  withinMs: number,
): Promise<void> {
  const living = [...holders].flatMap(({ tokens }) => tokens.living())
  living.sort((one, other) => one.remainingMs - other.remainingMs)
  // An authority may give the same token again.
  const tokens = new Set(living.map(({ value }) => accessTokenOf(value)))
  const waiting = [...tokens]
  const count = { revoked: 0, failed: 0, left: tokens.size }
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
