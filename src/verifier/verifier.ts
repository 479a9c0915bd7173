import type { WorkloadIdentity } from './identity.ts'
import type { UnverifiedJws } from './jws.ts'
import type { CannotVerify, ProofRefusal } from './refusal.ts'

/** Takes a proof as it was shown, or as its form was read already, and says whose it is. Never throws for anything in the proof. */
export interface Verifier {
  verify(proof: string | UnverifiedJws): Promise<WorkloadIdentity | ProofRefusal | CannotVerify>
}
