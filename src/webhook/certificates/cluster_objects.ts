/** The API server gave no usable answer, or something that the chart renders is missing. A value, for it is expected to happen. */
export class Outage {
  /** One sentence for the operator; names objects, quotes nothing of an answer. */
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export interface KeptSecret {
  /** Decoded; binary values do not occur in ours. */
  readonly data: Readonly<Record<string, string>>
  readonly resourceVersion: string
}

export interface KeptLease {
  /** Undefined: nobody holds it. */
  readonly holder: string | undefined
  readonly resourceVersion: string
}

export interface LeaseClaim {
  /** Undefined: it is given back. */
  readonly holder: string | undefined
  /** Milliseconds since the Unix epoch. For readers; whether a lease lapsed is never told from it, for clocks differ. */
  readonly renewedAt: number
  readonly durationSeconds: number
}

export type Writing = 'written' | 'conflict' | Outage

/**
 * The objects of the cluster that certificates are kept in. None of them is ever made here: the chart renders them empty, and
 * a permission to create Secrets cannot be limited to names. A write replaces what was read with that `resourceVersion`,
 * or is a conflict.
 */
export interface ClusterObjects {
  /** Undefined: there is none of the name. */
  readSecret(name: string): Promise<KeptSecret | undefined | Outage>
  /** Replaces the data; labels, annotations and type stay. */
  writeSecret(
    name: string,
    data: Readonly<Record<string, string>>,
    resourceVersion: string,
  ): Promise<Writing>
  readLease(): Promise<KeptLease | undefined | Outage>
  writeLease(claim: LeaseClaim, resourceVersion: string): Promise<Writing>
  /** Sets `caBundle` of every webhook of a MutatingWebhookConfiguration, where it is another. */
  patchCaBundle(
    webhookConfiguration: string,
    pem: string,
  ): Promise<'patched' | 'same' | 'absent' | Outage>
  /**
   * How many pods that have not ended carry each value of the annotation `lumoauth.dev/ca`; those without it are left out. A
   * value that is no list of certificate ids is counted as the empty text: anybody who may change a pod can write one.
   */
  podsTrusting(): Promise<ReadonlyMap<string, number> | Outage>
  /**
   * How far the clock of the API server is ahead of ours, in milliseconds, as its last answer told it to the second. Undefined: no
   * answer told it.
   */
  clockAheadMs(): number | undefined
}
