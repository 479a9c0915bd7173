/** Every refusal of the broker: a stable code, the answer's status and `error`, and what the caller may know. */
const catalogue = {
  guard_header_missing: [403, 'access_denied', 'Send the header "Lumo-Broker: true".'],
  host_not_allowed: [403, 'access_denied', 'The Host header names another host.'],
  forwarded_request: [
    403,
    'access_denied',
    'Forwarded requests and requests of web pages are not served.',
  ],
  caller_missing: [
    401,
    'invalid_token',
    "Send the pod's own projected token: Authorization: Bearer, with one such header.",
  ],
  caller_unproven: [401, 'invalid_token', 'The token that was sent does not prove a pod.'],
  caller_elsewhere: [403, 'access_denied', 'The pod of this token runs on another node.'],
  caller_not_pod: [403, 'access_denied', 'The token that was sent is not bound to a pod.'],
  cannot_verify: [
    503,
    'temporarily_unavailable',
    'The token that was sent cannot be verified at the moment.',
  ],
  workload_not_allowed: [403, 'access_denied', 'The local policy allows this workload nothing.'],
  audience_not_allowed: [
    403,
    'access_denied',
    'The local policy does not allow this target, or a request that names none.',
  ],
  scope_not_allowed: [
    403,
    'access_denied',
    'The local policy does not allow this scope or, where none is named, any that the authority grants.',
  ],
  exchanges_exhausted: [
    429,
    'too_many_requests',
    'This workload asked for too many new tokens in a minute.',
  ],
  audiences_exhausted: [
    429,
    'too_many_requests',
    'This workload asked for too many different targets in an hour.',
  ],
  delegation_not_allowed_here: [
    403,
    'access_denied',
    'The local policy does not allow this workload to act for others.',
  ],
  delegation_too_deep: [
    403,
    'delegation_depth_exceeded',
    'The local policy does not allow so long a chain of actors.',
  ],
  subjects_exhausted: [
    429,
    'too_many_requests',
    'This workload acts for too many different subjects at once.',
  ],
  subject_exchanges_exhausted: [
    429,
    'too_many_requests',
    'This workload asked for too many new tokens for this subject in a minute.',
  ],
  rate_limited: [429, 'too_many_requests', 'Too many requests.'],
  discovery_elsewhere: [
    404,
    'not_found',
    'Discovery is not served here. Set the token_endpoint of your client by hand, to /t/{tenant}/api/v1/oauth/token at this address (http://127.0.0.1:9180 by default), with a client_id and the guard value as its client_secret; issuer and keys are those of the authority: discover them there.',
  ],
  route_unknown: [404, 'not_found', 'There is nothing here.'],
  method_not_allowed: [405, 'invalid_request', 'The method is not allowed here.'],
  media_type: [
    400,
    'invalid_request',
    'The body must be application/x-www-form-urlencoded or application/json, and one Content-Type say which, without a Content-Encoding.',
  ],
  body_too_large: [413, 'invalid_request', 'The body is too large.'],
  body_malformed: [400, 'invalid_request', 'The request cannot be read.'],
  query_refused: [400, 'invalid_request', 'With POST, parameters belong in the body.'],
  parameter_repeated: [400, 'invalid_request', 'A parameter stands more than once.'],
  parameter_malformed: [
    400,
    'invalid_request',
    'A parameter has a value that is not allowed: each is a text, not too long and not empty, but for min_ttl of /v1/token, which is whole seconds.',
  ],
  parameter_unknown: [
    400,
    'invalid_request',
    'There is no such parameter here: /v1/token has audience, resource, scope, min_ttl and agent; /v1/exchange has subject_token and subject_token_type, or session, and audience, resource, scope and agent; /v1/sessions has subject_token, subject_token_type and agent.',
  ],
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
  authority_busy: [503, 'temporarily_unavailable', 'The authority asks to come back later.'],
  overloaded: [503, 'temporarily_unavailable', 'Too many different tokens are being fetched.'],
  tenant_unknown: [404, 'not_found', 'This broker serves another tenant.'],
  drop_in_off: [
    403,
    'access_denied',
    'The token routes for OAuth clients are off: give the broker a guard value (broker.dropIn.secret, by environment LUMO_GUARD_SECRET, or broker.dropIn.secretFile), which is then the client secret, or set broker.dropIn.guard to none.',
  ],
  client_unproven: [
    401,
    'invalid_client',
    "Client authentication failed: the client_secret must be the guard value of this broker or, at a broker for other pods, the pod's own projected token.",
  ],
  client_id_missing: [401, 'invalid_client', "Send the agent's client_id, or self."],
  client_twice: [
    400,
    'invalid_request',
    'Use one way of client authentication, and one client_id.',
  ],
  assertion_unsupported: [
    401,
    'invalid_client',
    'A client assertion is not taken here: the client_secret must be the guard value of this broker.',
  ],
  dpop_unsupported: [
    400,
    'invalid_request',
    'Tokens of this broker are bearer tokens: send no DPoP.',
  ],
  grant_unsupported: [
    400,
    'unsupported_grant_type',
    'This takes client_credentials and token exchange; for other grants use the authority itself.',
  ],
  parameter_missing: [400, 'invalid_request', 'A required parameter is missing.'],
  parameter_unsupported: [
    400,
    'invalid_request',
    'A parameter asks for something that is not supported here.',
  ],
  token_type_unsupported: [
    400,
    'invalid_request',
    'This token type is not supported here: use urn:ietf:params:oauth:token-type:access_token or urn:ietf:params:oauth:token-type:jwt.',
  ],
  subject_missing: [
    400,
    'invalid_request',
    'Send subject_token and subject_token_type together; /v1/exchange takes a session in their place.',
  ],
  subject_expired: [
    400,
    'invalid_request',
    'The subject_token has expired, or is about to: get a new one, and begin a new session where you had one.',
  ],
  subject_own: [
    400,
    'invalid_request',
    "The subject_token is the workload's own: there is nobody to act for. Use /v1/token.",
  ],
  subject_twice: [
    400,
    'invalid_request',
    'Send a session, or subject_token and subject_token_type, and not both.',
  ],
  session_unknown: [
    404,
    'not_found',
    'This workload has no such session: it was ended, was idle for too long, or its subject_token ended. Begin a new one.',
  ],
  session_lost: [
    404,
    'not_found',
    'The session was begun before this broker was started, or at another broker: begin a new one.',
  ],
  sessions_exhausted: [429, 'too_many_requests', 'This workload has too many sessions: end some.'],
  handle_unknown: [
    404,
    'not_found',
    'This workload has no such handle: it is over, or its session or subject_token ended. Ask for the exchange again.',
  ],
  handle_lost: [
    404,
    'not_found',
    'The exchange was asked for before this broker was started, or at another broker: ask for it again.',
  ],
  handles_exhausted: [
    429,
    'too_many_requests',
    'Too many questions of this workload wait for the answers of users.',
  ],
  consent_required: [
    403,
    'access_denied',
    'The user has yet to agree, on their account page. Send the request again when they have. Who reaches the broker can wait by the handle: GET /v1/exchange/{handle}.',
  ],
  consent_denied: [403, 'access_denied', 'The user did not agree.'],
  consent_expired: [403, 'access_denied', 'The user did not answer in time: ask again.'],
  consent_unknown: [
    403,
    'access_denied',
    'The authority knows nothing of what the user was asked: ask again.',
  ],
  recheck_unanswered: [
    503,
    'temporarily_unavailable',
    'Whether this token was revoked cannot be told at the moment.',
  ],
  subject_foreign: [
    400,
    'invalid_request',
    "The subject_token is no access token of this tenant, or not written as one: the bare token, without Bearer, spaces or a line break. The pod's own proof is none: the broker exchanges that by itself.",
  ],
  actor_not_own: [400, 'invalid_request', "The actor_token is not the workload's own."],
  exchange_refused: [
    400,
    'invalid_request',
    'The authority does not accept the scope (invalid_scope), the target (invalid_target), or the subject_token or actor_token (invalid_request).',
  ],
  forwarding_elsewhere: [
    404,
    'not_found',
    'A broker for many pods passes nothing on: call the authority itself for this.',
  ],
  authorization_missing: [
    401,
    'invalid_token',
    'This is passed on to the authority with your own Authorization: send one, Bearer or Basic.',
  ],
  dpop_not_forwarded: [
    400,
    'invalid_request',
    'A DPoP proof for this address is none for the authority: call the authority itself.',
  ],
  query_not_forwarded: [400, 'invalid_request', 'This takes no query, or not this one.'],
  authority_answer_unusable: [
    503,
    'temporarily_unavailable',
    'The authority gave an answer that cannot be passed on.',
  ],
  authorization_unknown: [
    404,
    'not_found',
    'No route of broker.authorization has this name: the gateway asks for another.',
  ],
  subject_unsupported: [
    403,
    'access_denied',
    'Nobody is acted for here: send neither Lumo-Subject-Token nor Lumo-Session through this gateway.',
  ],
  proxy_forward_refused: [
    403,
    'access_denied',
    'This is no forward proxy, as HTTP_PROXY and curl -x want one: send the request to this address itself, with a path that a route begins with.',
  ],
  proxy_route_unknown: [404, 'not_found', 'No route of the proxy begins so.'],
  proxy_method_not_allowed: [
    405,
    'invalid_request',
    'The route of the proxy does not allow this method.',
  ],
  proxy_path_not_allowed: [
    403,
    'access_denied',
    'The route of the proxy does not allow this path.',
  ],
  proxy_path_malformed: [
    400,
    'invalid_request',
    'The path cannot be judged: dot segments, empty segments, encoded slashes, backslashes, percent signs and control characters do not pass.',
  ],
  proxy_override_refused: [
    400,
    'invalid_request',
    'A header could show the upstream another method, path or sender than those of the request, or its name has other characters than letters, digits and hyphens.',
  ],
  proxy_framing_refused: [
    400,
    'invalid_request',
    'A body passes with a Content-Length or with the transfer coding chunked alone.',
  ],
  proxy_upgrade_refused: [
    400,
    'invalid_request',
    'Only a GET without a body is upgraded, and only to websocket.',
  ],
  proxy_subject_missing: [
    400,
    'invalid_request',
    'This route acts for somebody: send Lumo-Subject-Token with the bare token, without Bearer, or Lumo-Session: one of them, once.',
  ],
  proxy_subject_refused: [
    400,
    'invalid_request',
    'This route acts for nobody else: send neither Lumo-Subject-Token nor Lumo-Session.',
  ],
  proxy_route_refused: [
    502,
    'server_error',
    'The authority does not allow what this route asks for: have its audience, resources, scopes and agent looked at.',
  ],
  proxy_overloaded: [
    503,
    'temporarily_unavailable',
    'Too many requests of this route are under way.',
  ],
  proxy_access_ended: [
    403,
    'access_denied',
    'The token of this request was revoked, or the session or subject that it stands for has ended.',
  ],
  upstream_unavailable: [502, 'upstream_error', 'The upstream cannot be reached, or broke off.'],
  upstream_timeout: [
    504,
    'upstream_error',
    'The upstream gives no answer in time, or the body of the request does not come.',
  ],
  upstream_unusable: [
    502,
    'upstream_error',
    'The upstream gave an answer that cannot be passed on.',
  ],
  unexpected: [500, 'server_error', 'The request could not be served.'],
} as const satisfies Record<string, readonly [status: number, error: string, description: string]>

export type BrokerErrorCode = keyof typeof catalogue

const challenges: Partial<Record<BrokerErrorCode, string>> = {
  caller_missing: 'Bearer',
  caller_unproven: 'Bearer error="invalid_token"',
  authorization_missing: 'Bearer',
}

export interface BrokerErrorDetails {
  /** The authority's `error`, where it is passed on. */
  readonly error?: string
  readonly retryAfterSeconds?: number
  /** Value of `WWW-Authenticate`, where it depends on what the caller used. */
  readonly challenge?: string
  /** What the authority says beside its `error`; a `code` of it takes the place of ours. */
  readonly members?: Readonly<Record<string, string | number>>
}

/** A refusal as a value. */
export class BrokerError {
  readonly code: BrokerErrorCode
  readonly status: number
  readonly error: string
  readonly description: string
  readonly retryAfterSeconds: number | undefined
  /** Value of `WWW-Authenticate`, where the caller did not prove itself (RFC 6750 section 3). */
  readonly challenge: string | undefined
  readonly members: Readonly<Record<string, string | number>>

  constructor(code: BrokerErrorCode, details: BrokerErrorDetails = {}) {
    const [status, error, description] = catalogue[code]
    this.code = code
    this.status = status
    this.error = details.error ?? error
    this.description = description
    this.retryAfterSeconds = details.retryAfterSeconds ?? (status === 503 ? 1 : undefined)
    this.challenge = details.challenge ?? challenges[code]
    this.members = details.members ?? {}
  }

  body(): string {
    return JSON.stringify({
      error: this.error,
      error_description: this.description,
      code: this.code,
      ...this.members,
    })
  }
}
