import type { BrokerErrorCode } from '../broker/errors.ts'
import type { HttpFailure } from '../platform/http_client.ts'
import type { BrokerPlace } from './broker_place.ts'

const findBreak = 'lumo-broker doctor shows where it breaks'
const mendRequest = 'mend what is asked for'

/** What to do about a refusal of the broker, by its code. */
const byCode: Readonly<Record<string, string>> = {
  host_not_allowed:
    'use an address that it listens on, or add this name to broker.hosts of its configuration',
  forwarded_request: 'ask it directly, without anything in between',
  rate_limited: 'ask less often: broker.rateLimit of its configuration bounds it',
  route_unknown: 'is it a broker of this version?',
  scope_malformed: 'mend --scope',
  target_malformed: 'mend --audience or --resource',
  parameter_malformed: mendRequest,
  parameter_unknown: 'is it a broker of this version?',
  min_ttl_too_long: 'ask for less with --min-ttl, or give the agent a longer lifetime',
  request_refused:
    'ask for what the grants of this agent name, or have the trust policy of the authority changed',
  authority_refused:
    'does the trust policy of the authority have an agent for this namespace and service account? Its log has the reason, and lumo-broker explain shows it there',
  proof_missing: `is the projected volume mounted in the container of the broker? ${findBreak}`,
  proof_wrong_audience:
    'set the audience of the projected volume, or broker.proof.audience of its configuration',
  proof_expired: 'has the kubelet rotated it, and is the clock of this machine right?',
  caller_missing: 'show it the projected token of this pod with --proof-file',
  caller_unproven:
    'is --proof-file the token of a projected volume of this pod, with the audience that the broker takes?',
  caller_elsewhere: 'ask the broker of the node that this pod runs on',
  caller_not_pod: 'show the token of a projected volume with --proof-file',
  workload_not_allowed: 'have the policy of the broker name this workload',
  audience_not_allowed: 'have the policy of the broker allow this target',
  scope_not_allowed: 'have the policy of the broker allow this scope, or ask for less',
  exchanges_exhausted: 'ask for the same token again instead of another, or have its limit raised',
  audiences_exhausted: 'ask for the same targets again instead of others, or have its limit raised',
  authority_busy: 'lumo-broker wait does so',
  authority_unavailable: `is the authority up, and can this pod reach it? ${findBreak}`,
  overloaded: 'ask for fewer different tokens at once',
} satisfies Partial<Record<BrokerErrorCode, string>>

/** The codes grow with the broker, which may be newer than this program. */
const byStatus: Readonly<Record<number, string>> = {
  400: mendRequest,
  401: 'show a token of this pod that is made for the broker, with --proof-file, or wait until it is rotated',
  403: 'it would be allowed by whoever keeps the policy',
  429: 'ask less often',
  500: 'its log has the reason',
  503: findBreak,
}

/** `namesAgent`: the request names one, which the authority may not have for this workload. */
export function adviceFor(code: string, status: number, namesAgent: boolean): string {
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined
  const advice = known ?? byStatus[status] ?? 'its log has the reason'
  return namesAgent && code === 'authority_refused' ? `${advice}, or leave out --agent` : advice
}

/** What to do where no answer came. */
export function adviceOnFailure({ code }: HttpFailure, { socket }: BrokerPlace): string {
  switch (code) {
    case 'tls_untrusted':
      return 'does --ca-file hold the CA that signed its certificate?'
    case 'tls_wrong_name':
      return 'use a name in --url that its certificate has'
    case 'timeout':
      return 'its log has the reason'
    case 'cannot_connect':
    case 'connect_timeout':
    case 'broken_off':
    case 'answer_too_large':
    case 'address_refused':
      return socket === undefined
        ? 'does it run, and is this its address?'
        : 'does it run, and is the volume of the socket mounted in this container?'
  }
}
