import type { BrokerErrorCode } from '../errors.ts'

/** The operations that are told apart by what can go wrong in them. */
export type Place = 'getToken' | 'postToken' | 'identity' | 'dropIn' | 'forwarded' | 'discovery'

/** Answered outside of any operation: to unknown paths, and to methods that a path does not take. */
const nowhere: readonly Place[] = []
const tokens: readonly Place[] = ['getToken', 'postToken', 'dropIn']
const own: readonly Place[] = ['getToken', 'postToken', 'identity']
const proven: readonly Place[] = [...tokens, 'identity']
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
  rate_limited: everywhere,
  discovery_elsewhere: ['discovery'],
  route_unknown: forwarded,
  method_not_allowed: nowhere,
  media_type: ['postToken', 'dropIn', 'forwarded'],
  body_too_large: ['postToken', 'dropIn', 'forwarded'],
  body_malformed: [...tokens, 'forwarded'],
  query_refused: ['postToken', 'dropIn'],
  parameter_repeated: tokens,
  parameter_malformed: tokens,
  parameter_unknown: ['getToken', 'postToken'],
  scope_malformed: tokens,
  target_malformed: tokens,
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
  dpop_unsupported: dropIn,
  grant_unsupported: dropIn,
  parameter_missing: dropIn,
  parameter_unsupported: dropIn,
  token_type_unsupported: dropIn,
  subject_foreign: dropIn,
  actor_not_own: dropIn,
  exchange_refused: dropIn,
  forwarding_elsewhere: forwarded,
  authorization_missing: forwarded,
  dpop_not_forwarded: forwarded,
  query_not_forwarded: forwarded,
  authority_answer_unusable: forwarded,
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
