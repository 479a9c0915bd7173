import type { Clock } from '../platform/clock.ts'
import { BrokerError } from './errors.ts'
import type { GetToken } from './get_token.ts'
import { plainWish } from './wish.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

export interface WarmUp {
  /** True once a first token was had. */
  done(): boolean
  /** Resolves when the authority refused instead: asking again would change nothing until somebody changes the policy. */
  readonly refused: Promise<BrokerError>
  stop(): void
}

/** Fetches the first token before anybody asks, again and again until it is there: the start-up probe waits for it. */
export function warmUp(getToken: GetToken, clock: Clock): WarmUp {
  let done = false
  let stopped = false
  let cancel = (): void => {}
  const { promise: refused, resolve: refuse } = Promise.withResolvers<BrokerError>()
  const attempt = async (pause: number): Promise<void> => {
    const result =
      getToken.fromCache(plainWish) ??
      (await getToken.byExchange(plainWish).catch(() => new BrokerError('unexpected')))
    done = !(result instanceof BrokerError)
    if (result instanceof BrokerError && result.status < 500) refuse(result)
    if (done || stopped) return
    cancel = clock.after(pause, () => void attempt(Math.min(pause * 2, LONGEST_PAUSE_MS)))
  }
  void attempt(FIRST_PAUSE_MS)
  return {
    done: () => done,
    refused,
    stop: () => {
      stopped = true
      cancel()
    },
  }
}
