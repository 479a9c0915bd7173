import { within, type Clock } from '../../platform/clock.ts'
import { ProofFault } from '../proof.ts'

const LIMIT_MS = 3_000
const PAUSE_MS = 1_000

/**
 * Asks AWS for something: once at a time, whoever waits for it, and not longer than three seconds. A fault is said again
 * for one second without asking: the quota of STS is one for the whole account, and a workload that is refused there must
 * not use it up. `ask` must not reject.
 */
export function oneFlight<Got extends object>(
  ask: () => Promise<Got | ProofFault>,
  clock: Clock,
): () => Promise<Got | ProofFault> {
  let flying: Promise<Got | ProofFault> | undefined
  let said: { readonly fault: ProofFault; readonly until: number } | undefined
  const fly = async (): Promise<Got | ProofFault> => {
    try {
      const got = await bounded(ask, clock)
      said =
        got instanceof ProofFault ? { fault: got, until: clock.monotonic() + PAUSE_MS } : undefined
      return got
    } finally {
      flying = undefined
    }
  }
  return () => {
    if (said && clock.monotonic() < said.until) return Promise.resolve(said.fault)
    flying ??= fly()
    return flying
  }
}

function bounded<Got>(
  ask: () => Promise<Got | ProofFault>,
  clock: Clock,
): Promise<Got | ProofFault> {
  return within<Got | ProofFault>(clock, LIMIT_MS, ask(), () => {
    const detail =
      'AWS gave no answer in 3 s: can the workload reach the regional endpoint of STS and, where its credentials come from there, the metadata service (169.254.169.254, in a container with a hop limit of 2) or the Pod Identity agent?'
    return new ProofFault('proof_unavailable', detail)
  })
}
