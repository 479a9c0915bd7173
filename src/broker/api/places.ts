import type { BrokerErrorCode } from '../errors.ts'

/** The operations that are told apart by what can go wrong in them. */
export type Place =
  | 'getToken'
  | 'postToken'
  | 'exchange'
  | 'handle'
  | 'beginSession'
  | 'endSession'
  | 'identity'
  | 'dropIn'
  | 'forwarded'
  | 'discovery'

/** Answered outside of any operation: to unknown paths, and to methods that a path does not take. */
const nowhere: readonly Place[] = []
const plain: readonly Place[] = ['getToken', 'postToken', 'dropIn']
const behalf: readonly Place[] = ['exchange', 'handle', 'beginSession', 'endSession']
const exchanges: readonly Place[] = ['exchange', 'handle']
/** Where the workload's own token is needed, or one that comes of it. */
const tokens: readonly Place[] = [...plain, ...exchanges, 'beginSession']
const own: readonly Place[] = ['getToken', 'postToken', ...behalf, 'identity']
const proven: readonly Place[] = [...plain, ...behalf, 'identity']
const bodies: readonly Place[] = ['postToken', 'exchange', 'beginSession', 'dropIn', 'forwarded']
const asks: readonly Place[] = ['exchange', 'beginSession']
const delegated: readonly Place[] = [...exchanges, 'beginSession', 'dropIn']
const dropIn: readonly Place[] = ['dropIn']
const forwarded: readonly Place[] = ['forwarded']
const everywhere: readonly Place[] = [...proven, 'forwarded', 'discovery']

/** Where each refusal can be met. A code that is missing here does not compile. */
const places: Readonly<Record<BrokerErrorCode, readonly Place[]>> = {
  guard_header_missing: own,
  host_not_allowed: everywhere,
  forwarded_request: everywhere,
  caller_missing: own,
  caller_unproven: own,
  caller_elsewhere: proven,
  caller_not_pod: proven,
  cannot_verify: proven,
  workload_not_allowed: tokens,
  audience_not_allowed: tokens,
  scope_not_allowed: tokens,
  exchanges_exhausted: tokens,
  audiences_exhausted: tokens,
  delegation_not_allowed_here: delegated,
  delegation_too_deep: delegated,
  // Whoever has a handle acts for its subject already.
  subjects_exhausted: ['exchange', 'beginSession', 'dropIn'],
  subject_exchanges_exhausted: [...exchanges, 'dropIn'],
  rate_limited: everywhere,
  discovery_elsewhere: ['discovery'],
  route_unknown: forwarded,
  method_not_allowed: nowhere,
  // A body that nobody reads has to be one all the same.
  media_type: [...bodies, 'endSession'],
  body_too_large: [...bodies, 'endSession'],
  body_malformed: [...plain, ...behalf, 'forwarded'],
  query_refused: ['postToken', ...asks, 'dropIn'],
  parameter_repeated: [...plain, ...asks],
  parameter_malformed: [...plain, ...asks],
  parameter_unknown: ['getToken', 'postToken', ...behalf],
  scope_malformed: [...plain, 'exchange'],
  target_malformed: [...plain, 'exchange'],
  min_ttl_too_long: ['getToken', 'postToken'],
  request_refused: tokens,
  authority_refused: tokens,
  proof_missing: proven,
  proof_unreadable: proven,
  proof_empty: proven,
  proof_malformed: proven,
  proof_expired: proven,
  proof_wrong_audience: proven,
  proof_credentials_missing: proven,
  proof_credentials_refused: proven,
  proof_denied: proven,
  proof_unavailable: proven,
  authority_unavailable: [...tokens, 'forwarded'],
  authority_busy: [...tokens, 'forwarded'],
  overloaded: [...proven, 'forwarded'],
  tenant_unknown: ['dropIn', 'forwarded'],
  drop_in_off: dropIn,
  client_unproven: dropIn,
  client_id_missing: dropIn,
  client_twice: [...dropIn, 'forwarded'],
  assertion_unsupported: dropIn,
  dpop_unsupported: [...asks, 'dropIn'],
  grant_unsupported: dropIn,
  parameter_missing: dropIn,
  parameter_unsupported: dropIn,
  token_type_unsupported: [...asks, 'dropIn'],
  subject_missing: asks,
  subject_expired: [...exchanges, 'beginSession'],
  subject_own: [...exchanges, 'beginSession'],
  subject_twice: ['exchange'],
  // At a handle: the session ended while the token was fetched.
  session_unknown: [...exchanges, 'endSession'],
  session_lost: ['exchange', 'endSession'],
  sessions_exhausted: ['beginSession'],
  handle_unknown: ['handle'],
  handle_lost: ['handle'],
  // At a handle: what the user agreed to was not enough, and there is no room for another.
  handles_exhausted: exchanges,
  consent_required: nowhere,
  consent_denied: exchanges,
  consent_expired: ['handle'],
  consent_unknown: ['handle'],
  recheck_unanswered: exchanges,
  subject_foreign: delegated,
  actor_not_own: dropIn,
  exchange_refused: [...exchanges, 'dropIn'],
  forwarding_elsewhere: forwarded,
  authorization_missing: forwarded,
  dpop_not_forwarded: forwarded,
  query_not_forwarded: forwarded,
  authority_answer_unusable: [...exchanges, 'beginSession', 'dropIn', 'forwarded'],
  authorization_unknown: nowhere,
  subject_unsupported: nowhere,
  proxy_forward_refused: nowhere,
  proxy_route_unknown: nowhere,
  proxy_method_not_allowed: nowhere,
  proxy_path_not_allowed: nowhere,
  proxy_path_malformed: nowhere,
  proxy_override_refused: nowhere,
  proxy_framing_refused: nowhere,
  proxy_upgrade_refused: nowhere,
  proxy_subject_missing: nowhere,
  proxy_subject_refused: nowhere,
  proxy_route_refused: nowhere,
  proxy_overloaded: nowhere,
  proxy_access_ended: nowhere,
  upstream_unavailable: nowhere,
  upstream_timeout: nowhere,
  upstream_unusable: nowhere,
  unexpected: everywhere,
}

/** Refusals of callers who show a proof of their own. */
const ofCallers: ReadonlySet<BrokerErrorCode> = new Set([
  'caller_missing',
  'caller_unproven',
  'caller_elsewhere',
  'caller_not_pod',
  'cannot_verify',
])

/** Every code, in the order of the catalogue. */
export function describedCodes(): readonly BrokerErrorCode[] {
  return Object.keys(places) as BrokerErrorCode[]
}

/** The codes of an operation. `callersProve`: whether callers show a proof of their own. */
export function codesAt(place: Place, callersProve: boolean): readonly BrokerErrorCode[] {
  return describedCodes().filter(
    (code) => places[code].includes(place) && (callersProve || !ofCallers.has(code)),
  )
}
