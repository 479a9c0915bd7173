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
  proof_refused: [400, 'invalid_request', 'The subject_token is not valid for this request.'],
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
  /** The client used HTTP Basic and is owed a challenge (RFC 6749 section 5.2). */
  readonly basicChallenge?: boolean
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
  }
}

/**
 * The body of a refusal. External proofs carry LumoAuth's own code beside RFC 8693's `error`; an unknown tenant carries one
 * so that a broker can tell its operator's mistake from its caller's.
 */
export function errorBody(error: OAuthError): Readonly<Record<string, string>> {
  return {
    error: error.error,
    error_description: error.description,
    ...(error.code === 'proof_refused' && { code: 'workload_identity_failed' }),
    ...(error.code === 'tenant_unknown' && { code: 'tenant_unknown' }),
  }
}
