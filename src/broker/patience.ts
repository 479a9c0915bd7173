import { ExchangeFailure } from '../exchange/exchanger.ts'
import type { Clock } from '../platform/clock.ts'
import { fractionOf, type Random } from '../platform/random.ts'

const PAUSE_MS = { first: 250, longest: 2_000 }
/** What is left for the last attempt: made later, its answer would find nobody. */
export const LAST_ATTEMPT_MS = 250

/**
 * Asks an authority that is out again while there is time, so that a short outage costs no request. Gives the last failure
 * once the time is up, and everything else at once.
 */
export async function askAgain<Result>(
  attempt: () => Promise<Result | ExchangeFailure>,
  forMs: number,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<Result | ExchangeFailure> {
  const endsAt = clock.monotonic() + forMs
  for (let tries = 0; ; tries += 1) {
    const result = await attempt()
    if (!(result instanceof ExchangeFailure)) return result
    const waitMs = pauseAfter(result, tries, endsAt - clock.monotonic(), random)
    if (waitMs === undefined) return result
    await new Promise<void>((resolve) => clock.after(waitMs, resolve))
  }
}

/** Undefined: not again. `left` is the time that whoever waits has, in milliseconds. */
function pauseAfter(
  { kind, retryAfterSeconds }: ExchangeFailure,
  tries: number,
  left: number,
  random: Random,
): number | undefined {
  if (kind !== 'outage') return undefined
  if (retryAfterSeconds !== undefined) {
    const asked = Math.max(retryAfterSeconds, 1) * 1000
    return asked < left ? asked : undefined
  }
  const pause = Math.min(PAUSE_MS.first * 2 ** tries, PAUSE_MS.longest)
  const untilLast = left - LAST_ATTEMPT_MS
  return untilLast > 0 ? Math.min(pause * (0.5 + fractionOf(random) / 2), untilLast) : undefined
}
