declare const proven: unique symbol

/** A Kubernetes object by name and uid. A name can be made again, a uid cannot. */
export interface ObjectReference {
  readonly name: string
  readonly uid: string
}

/**
 * Who a workload is, as its platform said it and a verifier checked it. Only a verifier makes one (the brand has no
 * other source), so whoever holds this type holds a verified proof.
 */
export interface WorkloadIdentity {
  readonly [proven]: true
  readonly kind: 'kubernetes'
  /** The provider of the configuration that vouches for it. */
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  readonly namespace: string
  readonly serviceAccount: ObjectReference
  readonly pod: ObjectReference | undefined
  /** The uid is absent where the Node object was gone when the token was made. */
  readonly node: { readonly name: string; readonly uid: string | undefined } | undefined
  /** Unix seconds. */
  readonly expiresAt: number
}

/** For verifiers alone: states that every rule was checked. */
export function provenIdentity(facts: Omit<WorkloadIdentity, typeof proven>): WorkloadIdentity {
  return Object.freeze({ ...facts }) as WorkloadIdentity
}
