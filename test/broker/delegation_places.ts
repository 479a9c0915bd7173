import type { Calling } from '../../src/broker/caller/callers.ts'
import { Workload } from '../../src/broker/caller/workload.ts'
import type { HandleState } from '../../src/broker/delegation/handle.ts'
import { settle } from '../../src/broker/delegation/handles.ts'
import { Identifiers } from '../../src/broker/delegation/identifiers.ts'
import type { ProofSource } from '../../src/broker/proof.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { ACCESS } from '../fakes/acting.ts'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { consentMissing, delegatingTokens, userToken } from '../fakes/delegating.ts'
import type { HttpWish } from '../fakes/running_authority.ts'
import { post, sendTo } from './described.ts'

/** The operations of acting for others. */
export const delegationPlaces = ['exchange', 'handle', 'beginSession', 'endSession'] as const
export type DelegationPlace = (typeof delegationPlaces)[number]

export const GUARD = { 'lumo-broker': 'true' }
export const DOCS = 'https://docs.example.com'
/** What the user is asked about. */
export const ASKED = 'https://asked.example.com'

type Form = Readonly<Record<string, string>>

/** A broker whose workload acts for somebody already, and a good request at each place. */
export interface ActingBroker extends ListeningBroker {
  /** That it began. */
  readonly session: string
  /** Says that a request is somebody else's than the pod's, or nobody's. */
  readonly callAs: (as: Calling | undefined) => void
  /** Another workload than the pod, with this proof. */
  readonly other: (proofs: ProofSource, burst?: number) => Workload
  /** Whom the next requests act for; laid over the claims of the usual user. */
  readonly actFor: (claims: Readonly<Record<string, unknown>>) => void
  readonly request: (place: DelegationPlace, more?: Form) => HttpWish
  readonly ask: (place: DelegationPlace, more?: Form) => ReturnType<typeof sendTo>
  /** Has whoever is acted for asked whether they agree: what `handle` is about from now on. */
  readonly consent: (more?: Form) => Promise<void>
  /** Their answer. */
  readonly decide: (state: HandleState) => void
}

/** Its own token is held, a session begun, and the user was asked. */
export async function actingBroker(): Promise<ActingBroker> {
  let calling: Calling | undefined
  const broker = await listeningBroker({
    callersOf: (workload) => ({
      of: () => calling ?? workload,
      byToken: undefined,
      workloads: () => [workload],
      onGone: () => {},
    }),
  })
  const { authority, clock, workload } = broker
  authority.tokenOf = delegatingTokens(clock)
  let token = userToken(clock)
  const subject = () => ({ subject_token: token, subject_token_type: ACCESS })
  const names = { session: 'none', handle: 'none' }
  const form = (fields: Form) => post(new URLSearchParams(fields).toString())
  const requests: Readonly<Record<DelegationPlace, (more: Form) => HttpWish>> = {
    exchange: (more) => ({
      path: '/v1/exchange',
      ...form({ ...(more['session'] === undefined && subject()), audience: DOCS, ...more }),
    }),
    handle: () => ({ path: `/v1/exchange/${names.handle}` }),
    beginSession: (more) => ({ path: '/v1/sessions', ...form({ ...subject(), ...more }) }),
    endSession: () => ({ method: 'DELETE', path: `/v1/sessions/${names.session}` }),
  }
  const request = (place: DelegationPlace, more: Form = {}): HttpWish => {
    const { headers, ...wish } = requests[place](more)
    return { ...wish, headers: { ...GUARD, ...headers } }
  }
  const ask = (place: DelegationPlace, more: Form = {}) => sendTo(broker, request(place, more))
  const consent = async (more: Form = {}): Promise<void> => {
    authority.fail(consentMissing('an-approval'))
    const { json, text } = await ask('exchange', { audience: ASKED, ...more })
    authority.recover()
    if (typeof json['handle'] !== 'string') throw new Error(text)
    names.handle = json['handle']
  }
  const decide = (state: HandleState): void => {
    const handle = workload.subjects.pending().find(({ id }) => id === names.handle)
    if (handle) settle(handle, state)
  }
  names.session = String((await ask('beginSession')).json['session'])
  await consent()
  return {
    ...broker,
    session: names.session,
    callAs: (as) => {
      calling = as
    },
    other: (proofs, burst = 1_000) =>
      new Workload(
        proofs,
        {
          tenant: 'acme-corp',
          maxEntries: 10,
          rateLimit: { perSecond: 1, burst },
          delegation: { maxSessions: 10, sessionIdleMs: 900_000 },
        },
        { ...broker, identifiers: new Identifiers(systemRandom) },
      ),
    actFor: (claims) => {
      token = userToken(clock, claims)
    },
    request,
    ask,
    consent,
    decide,
  }
}
