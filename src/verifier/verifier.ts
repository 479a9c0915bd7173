import type { WorkloadIdentity } from './identity.ts'
import type { UnverifiedJws } from './jws.ts'
import type { CannotVerify, ProofRefusal } from './refusal.ts'

/** A signed request of AWS as it was shown: URL-encoded JSON, and no token. */
export interface AwsRequestProof {
  readonly awsRequest: string
}

/** A token as it was shown, or as its form was read already, or a signed request. */
export type Proof = string | UnverifiedJws | AwsRequestProof

export interface Verifier {
  /** Says whose a proof is. Never throws for anything in the proof. */
  verify(proof: Proof): Promise<WorkloadIdentity | ProofRefusal | CannotVerify>
}
