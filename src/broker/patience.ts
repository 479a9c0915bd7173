import { ExchangeFailure } from '../exchange/exchanger.ts'
import type { Clock } from '../platform/clock.ts'
import { fractionOf, type Random } from '../platform/random.ts'

const PAUSE_MS = { first: 250, longest: 2_000 }

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
    if (!(result instanceof ExchangeFailure) || result.kind !== 'outage') return result
    const { retryAfterSeconds } = result
    const pause = Math.min(PAUSE_MS.first * 2 ** tries, PAUSE_MS.longest)
    const waitMs =
      retryAfterSeconds === undefined
        ? pause * (0.5 + fractionOf(random) / 2)
        : Math.max(retryAfterSeconds, 1) * 1000
    if (clock.monotonic() + waitMs >= endsAt) return result
    await new Promise<void>((resolve) => clock.after(waitMs, resolve))
  }
}
