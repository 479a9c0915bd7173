import type { Calling } from '../../src/broker/caller/callers.ts'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { ProofFault, type ProofFaultCode } from '../../src/broker/proof.ts'
import { ExchangeFailure, type FailureKind } from '../../src/exchange/exchanger.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { TENANT_ISSUER } from '../fakes/acting_world.ts'
import { ampleLimits, proofOf } from '../fakes/broker.ts'
import { consentMissing } from '../fakes/delegating.ts'
import type { HttpWish } from '../fakes/running_authority.ts'
import { FORM } from './described.ts'
import { ASKED, type ActingBroker, type DelegationPlace } from './delegation_places.ts'

/** What is the matter, so that a refusal is met: around the broker, and with the request. */
export interface Trouble {
  /** Whose request it is, where it is not the pod's. */
  readonly calling?: (broker: ActingBroker) => Calling
  /** What changes the broker for good. */
  readonly given?: (broker: ActingBroker) => unknown
  readonly sent?: (request: HttpWish, broker: ActingBroker) => HttpWish
  /** Where it is not that of the code: a question to a user that came to nothing is no error of HTTP. */
  readonly status?: number
}

const headers = (more: Readonly<Record<string, string>>): Trouble => ({
  sent: (request) => ({ ...request, headers: { ...request.headers, ...more } }),
})
const body = (text: string, type = FORM['content-type']): Trouble => ({
  sent: (request) => ({
    ...request,
    body: text,
    headers: { ...request.headers, 'content-type': type, 'content-length': String(text.length) },
  }),
})
const added = (text: string): Trouble => ({
  sent: (request) => ({ ...request, body: `${String(request.body)}&${text}` }),
})
const path = (more: string): Trouble => ({
  sent: (request) => ({ ...request, path: `${String(request.path)}${more}` }),
})
const named = (name: string): Trouble => ({
  sent: (request) => ({ ...request, path: String(request.path).replace(/[^/]+$/, name) }),
})
const caller = (code: BrokerErrorCode): Trouble => ({
  calling: () => new BrokerError(code),
})
const proof = (code: ProofFaultCode): Trouble => ({
  calling: ({ other }) => {
    const read = () => Promise.resolve(new ProofFault(code, 'as the test wants it'))
    return other({ last: () => undefined, read })
  },
})
const setPolicy = (broker: ActingBroker, rule: string): void => {
  const bytes = Buffer.from(`workloads: [{ name: a, ${rule} }]`)
  broker.usePolicy(LocalPolicy.parse([{ path: 'policy.yaml', bytes }]))
}
/** Has its own token asked for anew. */
const forget = ({ workload }: ActingBroker) => workload.tokens.clear()
const ruled = (rule: string): Trouble => ({
  given: (broker) => {
    forget(broker)
    setPolicy(broker, rule)
  },
})
const fails = (kind: FailureKind, error: string) => {
  return ({ authority }: ActingBroker): void => {
    authority.fail(new ExchangeFailure(kind, error, 'as the test wants it', 60))
  }
}
const ownFails = (kind: FailureKind, error: string): Trouble => ({
  given: (broker) => {
    forget(broker)
    fails(kind, error)(broker)
  },
})
const user = (claims: (now: number) => Readonly<Record<string, unknown>>): Trouble => ({
  given: ({ actFor, clock }) => actFor(claims(clock.now)),
})
/** Its own token, and whatever comes of others, says this of itself from now on. */
const issues = (token: string): Trouble => ({
  given: (broker) => {
    forget(broker)
    broker.authority.tokenOf = () => token
  },
})
const settledAs = (state: Parameters<ActingBroker['decide']>[0]): Trouble => ({
  status: 200,
  given: ({ decide }) => {
    decide(state)
  },
})
/** All who are acted for are let go while the authority is asked. */
const endsMeanwhile: Trouble = {
  given: ({ authority, workload: { subjects } }) => {
    const { tokenOf } = authority
    authority.tokenOf = (count, request) => {
      for (const acting of subjects.all()) subjects.end(acting)
      return tokenOf(count, request)
    }
  },
}

type Troubles = Partial<Readonly<Record<BrokerErrorCode, Trouble>>>

/** By what is met. */
const everywhere: Troubles = {
  guard_header_missing: headers({ 'lumo-broker': '' }),
  host_not_allowed: headers({ host: 'a.example' }),
  forwarded_request: headers({ via: 'a' }),
  caller_missing: caller('caller_missing'),
  caller_unproven: caller('caller_unproven'),
  caller_elsewhere: caller('caller_elsewhere'),
  caller_not_pod: caller('caller_not_pod'),
  cannot_verify: caller('cannot_verify'),
  overloaded: caller('overloaded'),
  workload_not_allowed: ruled('namespace: elsewhere'),
  audience_not_allowed: ruled('allow: [{ audience: https://other.example.com }]'),
  scope_not_allowed: {
    given: (broker) => {
      broker.authority.grants = ['agent:self']
      forget(broker)
      setPolicy(broker, 'allow: [{ scopes: [a] }, { audience: "**", scopes: [a] }]')
    },
  },
  exchanges_exhausted: {
    given: (broker) => {
      forget(broker)
      const { exchangesPerMinute } = ampleLimits
      for (let spent = 0; spent < exchangesPerMinute; spent += 1) spend(broker, [])
    },
  },
  audiences_exhausted: {
    given: (broker) => {
      forget(broker)
      // What was asked for before is forgotten by a limit that leaves no room for it.
      broker.workload.budget.spend([], { ...ampleLimits, audiencesPerHour: 0 })
      const { audiencesPerHour } = ampleLimits
      spend(
        broker,
        Array.from({ length: audiencesPerHour }, (_, count) => String(count)),
      )
    },
  },
  delegation_not_allowed_here: ruled('delegation: { maxDepth: 0 }'),
  delegation_too_deep: {
    given: (broker) => {
      setPolicy(broker, 'delegation: { maxDepth: 1 }')
      broker.actFor({ act: { sub: 'agent:other' } })
    },
  },
  subjects_exhausted: {
    given: (broker) => {
      setPolicy(broker, 'delegation: { subjects: 1 }')
      broker.actFor({ sub: 'user_b' })
    },
  },
  subject_exchanges_exhausted: ruled('delegation: { exchangesPerMinute: 1 }'),
  rate_limited: { calling: ({ other, proofs }) => other(proofs, 0) },
  media_type: body('a', '%%%'),
  body_too_large: body('x'.repeat(65_537)),
  body_malformed: body('scope=%zz'),
  query_refused: path('?scope=a'),
  parameter_unknown: added('actor_token=a'),
  parameter_repeated: added('subject_token_type=a'),
  parameter_malformed: added('agent='),
  subject_missing: body('agent=a'),
  scope_malformed: added('scope=%22'),
  target_malformed: added('resource=a'),
  dpop_unsupported: headers({ dpop: 'a' }),
  token_type_unsupported: body('subject_token=a&subject_token_type=b'),
  request_refused: ownFails('relayed', 'invalid_scope'),
  authority_refused: ownFails('refused', 'access_denied'),
  authority_unavailable: ownFails('outage', 'authority_cannot_connect'),
  authority_busy: ownFails('outage', 'authority_busy'),
  authority_answer_unusable: issues('opaque'),
  exchange_refused: { given: fails('relayed', 'invalid_target') },
  proof_missing: proof('proof_missing'),
  proof_unreadable: proof('proof_unreadable'),
  proof_empty: proof('proof_empty'),
  proof_malformed: proof('proof_malformed'),
  proof_expired: proof('proof_expired'),
  proof_wrong_audience: proof('proof_wrong_audience'),
  proof_credentials_missing: proof('proof_credentials_missing'),
  proof_credentials_refused: proof('proof_credentials_refused'),
  proof_denied: proof('proof_denied'),
  proof_unavailable: proof('proof_unavailable'),
  subject_expired: user((now) => ({ exp: now + 10 })),
  subject_own: user(() => ({ sub: 'agent:doc-analyst', client_id: 'doc-analyst' })),
  subject_foreign: user(() => ({ iss: 'https://other.example.com' })),
  subject_twice: added('session=a'),
  session_unknown: named('unknown'),
  session_lost: named(`AAAAAAAA.${'A'.repeat(43)}`),
  handle_unknown: named('unknown'),
  handle_lost: named(`AAAAAAAA.${'A'.repeat(43)}`),
  sessions_exhausted: {
    given: async ({ ask }) => {
      for (let begun = 1; begun < 100; begun += 1) await ask('beginSession')
    },
  },
  handles_exhausted: {
    given: async ({ authority, ask, decide }) => {
      decide({ status: 'approved' })
      authority.fail(consentMissing('another'))
      for (let at = 0; at < 32; at += 1) await ask('exchange', { audience: `a-${String(at)}` })
    },
  },
  recheck_unanswered: {
    given: async ({ ask, decide, clock, link }) => {
      await ask('exchange')
      decide({ status: 'approved' })
      await ask('handle')
      clock.advance(61_000)
      link.fail('unavailable')
    },
  },
  unexpected: {
    calling: ({ other }) => {
      const read = () => Promise.reject(new Error('a defect'))
      return other({ last: () => undefined, read })
    },
  },
}

const spoiltPath = named('%zz')
const queried = path('?a=b')

/** Where the same is met by something else. */
const elsewhere: Readonly<Record<DelegationPlace, Troubles>> = {
  exchange: {
    consent_denied: {
      given: ({ decide }) => {
        decide({ status: 'denied' })
      },
      sent: (_request, { request }) => request('exchange', { audience: ASKED }),
    },
    session_unknown: body('session=unknown'),
    session_lost: body(`session=AAAAAAAA.${'A'.repeat(43)}`),
  },
  handle: {
    body_malformed: spoiltPath,
    parameter_unknown: queried,
    delegation_too_deep: {
      given: async (broker) => {
        broker.actFor({ act: { sub: 'agent:other' } })
        await broker.consent()
        setPolicy(broker, 'delegation: { maxDepth: 1 }')
      },
    },
    subject_expired: endsMeanwhile,
    session_unknown: {
      given: async (broker) => {
        await broker.consent({ session: broker.session })
        endsMeanwhile.given?.(broker)
      },
    },
    subject_own: issues(proofOf({ iss: TENANT_ISSUER, sub: 'user_a', client_id: 'app' })),
    subject_foreign: issues(proofOf({ iss: 'https://other.example', sub: 'a', client_id: 'a' })),
    consent_denied: settledAs({ status: 'denied' }),
    consent_expired: settledAs({ status: 'expired' }),
    consent_unknown: settledAs({ status: 'failed', error: new BrokerError('consent_unknown') }),
  },
  beginSession: {},
  endSession: { body_malformed: spoiltPath, parameter_unknown: queried },
}

export function troubleAt(place: DelegationPlace, code: BrokerErrorCode): Trouble | undefined {
  return elsewhere[place][code] ?? everywhere[code]
}

/** Of the workload's own budget. */
function spend({ workload }: ActingBroker, targets: readonly string[]): void {
  workload.budget.spend(targets, ampleLimits)
}
