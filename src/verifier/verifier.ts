import type { WorkloadIdentity } from './identity.ts'
import type { CannotVerify, ProofRefusal } from './refusal.ts'

/** Takes a proof as it was shown and says whose it is. Never throws for anything in the proof. */
export interface Verifier {
  verify(proof: string): Promise<WorkloadIdentity | ProofRefusal | CannotVerify>
}
