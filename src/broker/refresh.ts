import { repeatedly, type Clock } from '../platform/clock.ts'
import { shedOverflow } from './caller/overflow.ts'
import type { Workload } from './caller/workload.ts'
import { AHEAD_AT_ONCE, type GetToken } from './get_token.ts'
import { ProofFault } from './proof.ts'

export interface RefreshDependencies {
  readonly getToken: GetToken
  readonly workloads: () => Iterable<Workload>
  /** Whether proofs lie in a file that somebody else replaces. */
  readonly followsFile: boolean
  /** How many tokens may be held, for all workloads together. */
  readonly maxEntries: number
  readonly clock: Clock
}

const LOOK_EVERY_MS = 1_000
const READ_PROOF_EVERY_MS = 10_000

/**
 * Keeps what is asked for fresh, ahead of time and for nobody who waits. One look a second instead of a timer a token: a
 * look over ten thousand costs a few milliseconds, and sees a clock that jumped.
 */
export function keepFresh(dependencies: RefreshDependencies): () => void {
  const { getToken, workloads, followsFile, maxEntries, clock } = dependencies
  const stopLooking = repeatedly(clock, LOOK_EVERY_MS, () => {
    const all = [...workloads()]
    shedOverflow(all, maxEntries)
    for (const workload of all) {
      const { tokens } = workload
      for (const [key, { wish }] of tokens.due().slice(0, AHEAD_AT_ONCE - workload.ahead.size)) {
        getToken.refresh(workload, wish, key)
      }
    }
    return Promise.resolve()
  })
  if (!followsFile) return stopLooking
  const seen = new WeakMap<Workload, number>()
  const stopReading = repeatedly(clock, READ_PROOF_EVERY_MS, async () => {
    for (const workload of workloads()) await takeUpProof(workload, seen)
  })
  return () => {
    stopLooking()
    stopReading()
  }
}

/**
 * A new proof is put to use soon: should the authority not like it, there is time left to see to it. `seen`: until when the
 * proof of the look before was good. What was read last does not tell: an exchange between two looks reads the new one first.
 */
async function takeUpProof(workload: Workload, seen: WeakMap<Workload, number>): Promise<void> {
  const { proofs, tokens } = workload
  const before = seen.get(workload) ?? proofs.last()?.expiresAt
  const proof = await proofs.read()
  if (proof instanceof ProofFault) return
  seen.set(workload, proof.expiresAt)
  if (before !== undefined && proof.expiresAt !== before) tokens.hasten()
}
