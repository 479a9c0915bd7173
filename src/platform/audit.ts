/** Everything that is audited. */
export type AuditEventName =
  | 'token.issued'
  | 'token.refused'
  | 'token.revoked'
  | 'code.issued'
  | 'grant.spent'
  | 'oauth.security.code_reuse_detected'
  | 'oauth.security.refresh_reuse_detected'
  | 'client.added'
  | 'client.removed'
  | 'client.secret_rotated'
  | 'api_key.added'
  | 'api_key.removed'
  | 'user.disabled'
  | 'user.enabled'
  | 'user.added'
  | 'user.password_reset'
  | 'user.signed_in'
  | 'user.sign_in_failed'
  | 'user.signed_out'
  | 'consent.given'
  | 'consent.denied'
  | 'consent.removed'
  | 'approval.approved'
  | 'approval.denied'
  | 'approval.expired'
  | 'user_grant.added'
  | 'user_grant.removed'
  | 'signing_key.rotated'
  | 'signing_key.retired'

/**
 * One thing that was done or refused. A token, code or secret has no place in it: of a token its hash and its `jti` stand
 * here, and a reason is a code of ours, never what the caller sent. Members that are undefined are left out of the row.
 */
export interface AuditEvent {
  readonly event: AuditEventName
  readonly tenant: string
  readonly outcome: 'success' | 'denied' | 'failure'
  readonly severity?: 'info' | 'warning' | 'high' | undefined
  /** Name of the grant type. */
  readonly grant?: string | undefined
  readonly client_id?: string | undefined
  readonly subject?: string | undefined
  /** In delegation order: who acted first stands first, the current actor last. The `act` of a token is the other way round. */
  readonly actor_chain?: readonly string[] | undefined
  readonly audience?: readonly string[] | undefined
  readonly scope_requested?: string | undefined
  readonly scope_granted?: string | undefined
  /** Agent whose rule decided. */
  readonly rule?: string | undefined
  readonly reason?: string | undefined
  /** Where no rule fitted a proof: what the nearest one asks for. */
  readonly mismatch?: string | undefined
  /** SHA-256 of the issued token in base64url: who holds a token finds its row, who holds the row has no token. */
  readonly token_sha256?: string | undefined
  readonly jti?: string | undefined
  readonly grant_id?: string | undefined
  /** Unix seconds. */
  readonly expires_at?: number | undefined
  /** Name of the provider that verified the proof. */
  readonly provider?: string | undefined
  /** Verified subject of the proof of the platform. */
  readonly subject_proof?: string | undefined
  readonly request_id?: string | undefined
  readonly trace_id?: string | undefined
  readonly ip_address?: string | undefined
}

/** Where audited events go. */
export interface Audit {
  /**
   * Resolves when the row of the event is in the store.
   * @throws StoreFault when it cannot be written; what was to be recorded must not be done then
   */
  record(event: AuditEvent): Promise<void>
}
