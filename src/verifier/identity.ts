declare const proven: unique symbol

/** A Kubernetes object by name and uid. A name can be made again, a uid cannot. */
export interface ObjectReference {
  readonly name: string
  readonly uid: string
}

interface Proven {
  readonly [proven]: true
  /** The provider of the configuration that vouches for it. */
  readonly provider: string
  readonly issuer: string
  readonly subject: string
  /** Unix seconds. */
  readonly expiresAt: number
}

/** A pod, or what else holds a token of a service account. */
export interface KubernetesWorkload extends Proven {
  readonly kind: 'kubernetes'
  readonly namespace: string
  readonly serviceAccount: ObjectReference
  readonly pod: ObjectReference | undefined
  /** The uid is absent where the Node object was gone when the token was made. */
  readonly node: { readonly name: string; readonly uid: string | undefined } | undefined
}

/** A principal of AWS. `subject` is its canonical ARN: of a session that of the role, `arn:{partition}:iam::{account}:role/{name}`. */
export interface AwsWorkload extends Proven {
  readonly kind: 'aws'
  readonly partition: string
  readonly account: string
  /** `AROA…` of the role or `AIDA…` of the user, where the proof tells: a name can be made again, this cannot. */
  readonly uniqueId: string | undefined
}

/** A Google service account. `subject` is its number. */
export interface GcpWorkload extends Proven {
  readonly kind: 'gcp'
  /** Only where Google says that it is verified. */
  readonly email: string | undefined
}

/** A managed identity of Entra. `subject` is its object id. */
export interface AzureWorkload extends Proven {
  readonly kind: 'azure'
  readonly tenantId: string
}

/** A subject of any OpenID Connect issuer. */
export interface OidcWorkload extends Proven {
  readonly kind: 'oidc'
  /** Top-level claims that are texts. */
  readonly claims: ReadonlyMap<string, string>
}

/**
 * Who a workload is, as its platform said it and a verifier checked it. Only a verifier makes one (the brand has no
 * other source), so whoever holds this type holds a verified proof.
 */
export type WorkloadIdentity =
  KubernetesWorkload | AwsWorkload | GcpWorkload | AzureWorkload | OidcWorkload

type Facts<Workload> = Workload extends WorkloadIdentity ? Omit<Workload, typeof proven> : never

/** What makes a workload of one kind, before it is stated that every rule was checked. */
export type WorkloadFacts = Facts<WorkloadIdentity>

/** For the registry alone: states that every rule was checked. */
export function provenIdentity<F extends WorkloadFacts>(
  facts: F,
): Extract<WorkloadIdentity, { readonly kind: F['kind'] }> {
  return Object.freeze({ ...facts }) as unknown as Extract<
    WorkloadIdentity,
    { readonly kind: F['kind'] }
  >
}
