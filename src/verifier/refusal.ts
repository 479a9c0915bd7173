/** Why a proof is not believed: for the log and the metric. The wire learns only that it was refused. */
export type RefusalCode =
  | 'too_large'
  | 'malformed'
  | 'algorithm_not_allowed'
  | 'type_not_allowed'
  | 'header_not_allowed'
  | 'issuer_unknown'
  | 'audience_mismatch'
  | 'audience_many'
  | 'key_unknown'
  | 'signature_invalid'
  | 'claim_missing'
  | 'claim_malformed'
  | 'expired'
  | 'not_yet_valid'
  | 'lifetime_too_long'
  | 'subject_mismatch'
  | 'binding_unknown'
  | 'not_pod_bound'
  | 'node_mismatch'
  | 'too_old'
  | 'claim_mismatch'
  | 'account_mismatch'
  | 'principal_unsupported'
  | 'review_denied'
  | 'request_malformed'
  | 'request_not_allowed'
  | 'header_unsigned'
  | 'caller_unknown'
  | 'replayed'

/** The proof was looked at and is not good. */
export class ProofRefusal {
  readonly code: RefusalCode
  /** For the operator: names a claim or a rule, never a value that was sent. */
  readonly detail: string
  /** The provider whose rules it failed, once one was selected. */
  readonly provider: string | undefined
  constructor(code: RefusalCode, detail: string, provider?: string) {
    this.code = code
    this.detail = detail
    this.provider = provider
  }
}

/** Nothing can be said about the proof now, and that is no fault of whoever shows it. */
export class CannotVerify {
  readonly detail: string
  readonly provider: string
  readonly retryAfterSeconds: number
  constructor(detail: string, provider: string, retryAfterSeconds: number) {
    this.detail = detail
    this.provider = provider
    this.retryAfterSeconds = retryAfterSeconds
  }
}
