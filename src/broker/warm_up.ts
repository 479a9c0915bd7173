import type { Clock } from '../platform/clock.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError } from './errors.ts'
import type { GetToken, Served } from './get_token.ts'
import type { LocalGate } from './local_gate.ts'
import { plainWish, type Wish } from './wish.ts'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

export interface WarmUp {
  /** True once a first token was had. */
  done(): boolean
  /** Resolves when the authority refused instead: asking again would change nothing until somebody changes the policy. */
  readonly refused: Promise<BrokerError>
  stop(): void
}

export interface WarmUpDependencies {
  readonly getToken: GetToken
  readonly gate: LocalGate
  readonly workload: Workload
  readonly clock: Clock
}

/**
 * Fetches the first token before anybody asks, again and again until it is there: the start-up probe waits for it. Where the
 * broker's own policy leaves out requests without a target it is one that it names; where it allows nothing that can be
 * told from it, there is none to wait for.
 */
export function warmUp({ getToken, gate, workload, clock }: WarmUpDependencies): WarmUp {
  let done = false
  let stopped = false
  let cancel = (): void => {}
  const { promise: refused, resolve: refuse } = Promise.withResolvers<BrokerError>()
  const tokenFor = async (wish: Wish) =>
    getToken.fromCache(workload, wish) ??
    (await getToken.byExchange(workload, wish).catch(() => new BrokerError('unexpected')))
  // An authority that refuses one target knows the agent: the next is asked for, and where it refuses all there is none to wait for.
  const firstOf = async (samples: readonly Wish[], denial: BrokerError | Served) => {
    for (const sample of samples) {
      const result = await tokenFor(sample)
      if (!isRefusedRequest(result)) return result
    }
    return denial
  }
  /** Whether the policy says a target for requests that name none. */
  const isAimed = () => gate.completes(workload, plainWish).audiences.length > 0
  const attempt = async (pause: number): Promise<void> => {
    const plain = await tokenFor(plainWish)
    const isNone = isLocalDenial(plain) || (isRefusedRequest(plain) && isAimed())
    const result = isNone ? await firstOf(gate.sampleWishes(workload), plain) : plain
    done = !(result instanceof BrokerError) || (isNone && result === plain)
    if (!done && result instanceof BrokerError && isOfAuthority(result)) refuse(result)
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

/** Our own limits pass, and a fault of our proof may. */
function isOfAuthority({ code }: BrokerError): boolean {
  return code === 'authority_refused' || code === 'request_refused'
}

function isRefusedRequest(result: object): boolean {
  return result instanceof BrokerError && result.code === 'request_refused'
}

function isLocalDenial(result: object): boolean {
  return result instanceof BrokerError && result.code.endsWith('_not_allowed')
}
