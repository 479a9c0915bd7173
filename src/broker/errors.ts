/** Every refusal of the broker: a stable code, the answer's status and `error`, and what the caller may know. */
const catalogue = {
  guard_header_missing: [403, 'access_denied', 'Send the header "Lumo-Broker: true".'],
  host_not_allowed: [403, 'access_denied', 'The Host header names another host.'],
  forwarded_request: [
    403,
    'access_denied',
    'Forwarded requests and requests of web pages are not served.',
  ],
  rate_limited: [429, 'too_many_requests', 'Too many requests.'],
  route_unknown: [404, 'not_found', 'There is nothing here.'],
  method_not_allowed: [405, 'invalid_request', 'The method is not allowed here.'],
  media_type: [
    400,
    'invalid_request',
    'The body must be application/x-www-form-urlencoded or application/json.',
  ],
  body_too_large: [413, 'invalid_request', 'The body is too large.'],
  body_malformed: [400, 'invalid_request', 'The request cannot be read.'],
  query_refused: [400, 'invalid_request', 'With POST, parameters belong in the body.'],
  parameter_repeated: [400, 'invalid_request', 'A parameter stands more than once.'],
  parameter_malformed: [400, 'invalid_request', 'A parameter has a value that is not allowed.'],
  parameter_unknown: [400, 'invalid_request', 'There is no such parameter.'],
  scope_malformed: [400, 'invalid_scope', 'The scope is not well-formed.'],
  target_malformed: [
    400,
    'invalid_target',
    'A resource must be an absolute URI without a fragment, an audience a name.',
  ],
  min_ttl_too_long: [400, 'invalid_request', 'No token for this request lives as long as min_ttl.'],
  request_refused: [400, 'invalid_request', 'The authority does not allow this scope or target.'],
  authority_refused: [403, 'access_denied', 'The authority refuses a token to this workload.'],
  proof_missing: [503, 'temporarily_unavailable', "The pod's own proof is not there."],
  proof_unreadable: [503, 'temporarily_unavailable', "The pod's own proof cannot be read."],
  proof_empty: [503, 'temporarily_unavailable', "The pod's own proof is empty."],
  proof_malformed: [503, 'temporarily_unavailable', "The pod's own proof is malformed."],
  proof_expired: [503, 'temporarily_unavailable', "The pod's own proof has expired."],
  proof_wrong_audience: [
    503,
    'temporarily_unavailable',
    "The pod's own proof is made for another audience.",
  ],
  proof_credentials_missing: [
    503,
    'temporarily_unavailable',
    'The workload has no credentials of its cloud.',
  ],
  proof_credentials_refused: [
    503,
    'temporarily_unavailable',
    "The cloud does not accept the workload's credentials.",
  ],
  proof_denied: [503, 'temporarily_unavailable', 'The cloud issues no proof to the workload.'],
  proof_unavailable: [503, 'temporarily_unavailable', 'The cloud issues no proof at the moment.'],
  authority_unavailable: [
    503,
    'temporarily_unavailable',
    'The authority gives no answer at the moment.',
  ],
  overloaded: [503, 'temporarily_unavailable', 'Too many different tokens are being fetched.'],
  unexpected: [500, 'server_error', 'The request could not be served.'],
} as const satisfies Record<string, readonly [status: number, error: string, description: string]>

export type BrokerErrorCode = keyof typeof catalogue

interface BrokerErrorDetails {
  /** The authority's `error`, where it is passed on. */
  readonly error?: string
  readonly retryAfterSeconds?: number
}

/** A refusal as a value. */
export class BrokerError {
  readonly code: BrokerErrorCode
  readonly status: number
  readonly error: string
  readonly description: string
  readonly retryAfterSeconds: number | undefined

  constructor(code: BrokerErrorCode, details: BrokerErrorDetails = {}) {
    const [status, error, description] = catalogue[code]
    this.code = code
    this.status = status
    this.error = details.error ?? error
    this.description = description
    this.retryAfterSeconds = details.retryAfterSeconds ?? (status === 503 ? 1 : undefined)
  }

  body(): string {
    return JSON.stringify({
      error: this.error,
      error_description: this.description,
      code: this.code,
    })
  }
}
