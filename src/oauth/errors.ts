/**
 * Every refusal of the token endpoint: a stable code for the log and the metric, the answer's status and `error`
 * (RFC 6749 section 5.2, RFC 8693 section 2.2.2, RFC 8707 section 2), and what the caller may know.
 */
const catalogue = {
  tenant_unknown: [400, 'invalid_request', 'There is no such tenant.'],
  query_refused: [
    400,
    'invalid_request',
    'Parameters belong in the body, not in the query string.',
  ],
  media_type: [
    400,
    'invalid_request',
    'The body must be application/x-www-form-urlencoded or application/json.',
  ],
  body_too_large: [413, 'invalid_request', 'The body is too large.'],
  body_malformed: [400, 'invalid_request', 'The body cannot be read.'],
  parameter_repeated: [400, 'invalid_request', 'A parameter stands more than once.'],
  parameter_missing: [400, 'invalid_request', 'A required parameter is missing.'],
  parameter_malformed: [400, 'invalid_request', 'A parameter has a value that is not allowed.'],
  parameter_unsupported: [
    400,
    'invalid_request',
    'A parameter asks for something that is not supported here.',
  ],
  response_type_unsupported: [400, 'unsupported_response_type', 'response_type must be code.'],
  tenant_not_found: [404, 'not_found', 'There is no such tenant.'],
  origin_untrusted: [403, 'access_denied', 'Pages of this origin may not sign people in.'],
  credentials_wrong: [401, 'invalid_credentials', 'Address or password is wrong.'],
  approval_unknown: [404, 'not_found', 'There is no such approval of yours.'],
  grant_unsupported: [400, 'unsupported_grant_type', 'This grant type is not supported.'],
  client_unproven: [401, 'invalid_client', 'Client authentication failed.'],
  client_twice: [
    400,
    'invalid_request',
    'Use one way of client authentication, and one client_id.',
  ],
  grant_not_allowed: [400, 'unauthorized_client', 'This client may not use this grant.'],
  scope_malformed: [400, 'invalid_scope', 'The scope is not well-formed.'],
  scope_not_allowed: [400, 'invalid_scope', 'The scope goes beyond what is allowed.'],
  target_malformed: [
    400,
    'invalid_target',
    'A resource must be an absolute URI without a fragment, an audience a name.',
  ],
  target_not_allowed: [400, 'invalid_target', 'The audience or resource is not allowed.'],
  targets_too_many: [400, 'invalid_target', 'Too many audiences or resources.'],
  token_type_unsupported: [400, 'invalid_request', 'This token type is not supported.'],
  // One text for whatever is wrong with a token that was shown: a difference would tell a prober how far it came.
  proof_refused: [
    400,
    'invalid_request',
    'The subject_token or the actor_token is not valid for this request.',
  ],
  token_refused: [
    400,
    'invalid_request',
    'The subject_token or the actor_token is not valid for this request.',
  ],
  workload_identity_failed: [
    401,
    'workload_identity_failed',
    'The subject_token is not valid for this request.',
  ],
  delegation_not_allowed: [403, 'delegation_not_allowed', 'This agent may not act for others.'],
  delegation_unlinked: [
    403,
    'access_denied',
    'Nothing allows this agent to act for the subject of this token.',
  ],
  consent_required: [403, 'access_denied', 'The user has not allowed this agent to act for them.'],
  delegation_too_deep: [
    403,
    'delegation_depth_exceeded',
    'The chain of delegation would become too long.',
  ],
  // One text for whatever is wrong with a code or a refresh token.
  grant_invalid: [
    400,
    'invalid_grant',
    'The authorization code or refresh token is invalid, expired or revoked.',
  ],
  dpop_invalid: [400, 'invalid_dpop_proof', 'The DPoP proof is not valid for this request.'],
  dpop_nonce_needed: [400, 'use_dpop_nonce', 'The DPoP proof must hold the nonce of this answer.'],
  bearer_missing: [401, 'invalid_token', 'An access token is needed.'],
  bearer_invalid: [401, 'invalid_token', 'The access token is invalid, expired or revoked.'],
  bearer_dpop_invalid: [401, 'invalid_dpop_proof', 'The DPoP proof is not valid for this token.'],
  bearer_dpop_mismatch: [401, 'invalid_token', 'The access token is bound to another key.'],
  bearer_dpop_nonce_needed: [
    401,
    'use_dpop_nonce',
    'The DPoP proof must hold the nonce of this answer.',
  ],
  bearer_insufficient: [403, 'insufficient_scope', 'The access token does not reach this.'],
  permission_missing: [400, 'MISSING_PERMISSION', 'Name a permission, as a text.'],
  permissions_invalid: [
    400,
    'INVALID_PERMISSIONS',
    'Name 1 to 100 permissions, as an array of texts.',
  ],
  api_key_invalid: [401, 'invalid_token', 'The API key is invalid, expired or removed.'],
  user_not_askable: [
    403,
    'access_denied',
    'Only a client that is registered for it may ask about other users.',
  ],
  token_hint_unsupported: [400, 'unsupported_token_type', 'This token type is not supported.'],
  token_of_another: [400, 'unauthorized_client', 'The token was issued to another client.'],
  too_many_requests: [429, 'too_many_requests', 'Too many requests.'],
  cannot_verify: [503, 'temporarily_unavailable', 'The proof cannot be verified at the moment.'],
  store_down: [503, 'temporarily_unavailable', 'The request cannot be served at the moment.'],
  unexpected: [500, 'server_error', 'The request could not be served.'],
} as const satisfies Record<string, readonly [status: number, error: string, description: string]>

export type OAuthErrorCode = keyof typeof catalogue

interface OAuthErrorDetails {
  /** What the operator needs and the caller must not have. Never a byte of what was sent. */
  readonly detail?: string
  /** A finer stable code for the metric, where one wire answer has many causes. */
  readonly reason?: string
  readonly retryAfterSeconds?: number
  /** Members of the body beside `error` and `error_description`. */
  readonly members?: Readonly<Record<string, string | number>>
  /** A proof that is good and still becomes nobody: whose it is, and what the nearest rule of the trust policy asks for. */
  readonly proven?: ProvenButRefused
  /** Line by line, for the operator who looks into it. Verified values and the operator's own texts only. */
  readonly explanation?: readonly string[]
  /** The client used HTTP Basic and is owed a challenge (RFC 6749 section 5.2). */
  readonly basicChallenge?: boolean
}

export interface ProvenButRefused {
  readonly provider: string
  readonly subject: string
  readonly mismatch: string | undefined
}

/** A refusal as a value: returned, never thrown, so that no phase can be left without its caller looking at it. */
export class OAuthError {
  readonly code: OAuthErrorCode
  readonly status: number
  readonly error: string
  readonly description: string
  readonly reason: string
  readonly detail: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly basicChallenge: boolean
  readonly members: Readonly<Record<string, string | number>>
  readonly proven: ProvenButRefused | undefined
  readonly explanation: readonly string[]

  constructor(code: OAuthErrorCode, details: OAuthErrorDetails = {}) {
    const [status, error, description] = catalogue[code]
    this.code = code
    this.status = status
    this.error = error
    this.description = description
    this.reason = details.reason ?? code
    this.detail = details.detail
    this.retryAfterSeconds = details.retryAfterSeconds
    this.basicChallenge = details.basicChallenge ?? false
    this.members = details.members ?? {}
    this.proven = details.proven
    this.explanation = details.explanation ?? []
  }
}

/**
 * The body of a refusal. External proofs carry LumoAuth's own code beside RFC 8693's `error`; an unknown tenant carries one
 * so that a broker can tell its operator's mistake from its caller's.
 */
export function errorBody(error: OAuthError): Readonly<Record<string, string | number>> {
  const code = wireCodes[error.code]
  return {
    error: error.error,
    error_description: error.description,
    ...(code !== undefined && { code }),
    ...error.members,
  }
}

/** Where `error` alone would leave a client in the dark. */
const wireCodes: Partial<Record<OAuthErrorCode, string>> = {
  proof_refused: 'workload_identity_failed',
  workload_identity_failed: 'workload_identity_failed',
  tenant_unknown: 'tenant_unknown',
  consent_required: 'consent_required',
}

/**
 * The body of a refusal where no specification gives one: each of LumoAuth's SDKs finds its text and its code in it, under
 * whatever name it looks for them.
 */
export function apiErrorBody(error: OAuthError): Readonly<Record<string, string | number>> {
  return {
    ...errorBody(error),
    code: wireCodes[error.code] ?? error.error,
    message: error.description,
    status: error.status,
  }
}
