/**
 * Every metric of the program, its help text and its labels, defined once. A label is always present, and its values
 * come from closed sets or from the configuration, never from a request.
 */
export const counters = {
  requests: {
    name: 'lumo_requests_total',
    help: 'Requests answered, by listener, route and answer code.',
    labels: ['listener', 'route', 'code'],
  },
  cache: {
    name: 'lumo_cache_total',
    help: 'Token look-ups of the broker: hit, miss, or stale (served below the floor because the authority was out).',
    labels: ['outcome'],
  },
  exchanges: {
    name: 'lumo_exchanges_total',
    help: 'Exchanges the broker asked of its authority, by outcome.',
    labels: ['outcome'],
  },
  servedStale: {
    name: 'lumo_served_stale_total',
    help: 'Tokens served although they were due for refresh, because no newer one could be had.',
    labels: [],
  },
  refreshes: {
    name: 'lumo_refreshes_total',
    help: 'Exchanges made ahead of time, by outcome.',
    labels: ['outcome'],
  },
  localDenials: {
    name: 'lumo_local_denied_total',
    help: "Requests that the broker's own policy or limits denied, by reason.",
    labels: ['reason'],
  },
  callers: {
    name: 'lumo_callers_refused_total',
    help: 'Callers of a node broker whose proof was refused, by reason.',
    labels: ['reason'],
  },
  forwarded: {
    name: 'lumo_forwarded_total',
    help: "Requests passed on to the authority with the caller's own credentials, by answer code.",
    labels: ['code'],
  },
  admissions: {
    name: 'lumo_webhook_admissions_total',
    help: 'Pods that the webhook was asked about: injected, untouched, refused, failed (no fault of theirs), or malformed questions.',
    labels: ['outcome'],
  },
  sinkWrites: {
    name: 'lumo_sink_writes_total',
    help: 'What became of token files: written, failed, removed.',
    labels: ['outcome'],
  },
  revocations: {
    name: 'lumo_revocations_total',
    help: 'Tokens that the broker had revoked, as it ended or a session did, by outcome.',
    labels: ['outcome'],
  },
  rechecks: {
    name: 'lumo_delegated_rechecks_total',
    help: 'Questions whether a delegated token is still good, by outcome: active, inactive, unanswered; given_up: a request that ran was ended, for there was no answer for a minute.',
    labels: ['outcome'],
  },
  sharedFlights: {
    name: 'lumo_shared_flights_total',
    help: 'Callers that were answered by an exchange that another caller had begun.',
    labels: [],
  },
  proofFaults: {
    name: 'lumo_proof_faults_total',
    help: "Readings of the pod's own proof that found it unusable, by code.",
    labels: ['code'],
  },
  tokens: {
    name: 'lumo_tokens_issued_total',
    help: 'Tokens minted, by tenant and grant.',
    labels: ['tenant', 'grant'],
  },
  denials: {
    name: 'lumo_exchange_denied_total',
    help: 'Token requests refused, by tenant and reason.',
    labels: ['tenant', 'reason'],
  },
  keyFetches: {
    name: 'lumo_key_fetches_total',
    help: "Fetches of an issuer's key set, by provider and outcome.",
    labels: ['provider', 'outcome'],
  },
  tokenReviews: {
    name: 'lumo_token_reviews_total',
    help: 'Proofs that the API server was to confirm, by provider and outcome: passed, denied, or failed (it could not be asked).',
    labels: ['provider', 'outcome'],
  },
  reloads: {
    name: 'lumo_reloads_total',
    help: 'Watched files taken up or refused after a change, by what they hold.',
    labels: ['what', 'outcome'],
  },
} as const satisfies Record<string, { name: string; help: string; labels: readonly string[] }>

export const gauges = {
  keySetAge: {
    name: 'lumo_key_set_age_seconds',
    help: 'Age of the key set in use, by provider; -1 while there is none.',
    labels: ['provider'],
  },
  workloads: {
    name: 'lumo_workloads',
    help: 'Workloads that the broker holds tokens for.',
    labels: [],
  },
  sessions: {
    name: 'lumo_sessions',
    help: 'Sessions in which workloads act for somebody.',
    labels: [],
  },
  handlesPending: {
    name: 'lumo_consents_pending',
    help: 'Questions of workloads that wait for the answer of a user.',
    labels: [],
  },
  delegatedEntries: {
    name: 'lumo_delegated_entries',
    help: 'Delegated tokens that the broker holds.',
    labels: [],
  },
  exchangesWaiting: {
    name: 'lumo_exchanges_waiting',
    help: 'Exchanges that wait for others to end, for so many are under way.',
    labels: [],
  },
  cacheEntries: {
    name: 'lumo_cache_entries',
    help: 'Tokens in the cache of the broker.',
    labels: [],
  },
  proofRemaining: {
    name: 'lumo_proof_remaining_seconds',
    help: "What was left of the pod's own proof, at this moment; -1 while there is none.",
    labels: [],
  },
  podsBeforeCa: {
    name: 'lumo_webhook_pods_before_ca',
    help: 'Running pods that trust a CA before the newest one, and not that one; -1 where another replica counts them.',
    labels: [],
  },
  podsWithoutCa: {
    name: 'lumo_webhook_pods_without_ca',
    help: 'Running pods whose annotation names no CA that is still there: they trust nothing that is served; -1 where another replica counts them.',
    labels: [],
  },
  certificateRemaining: {
    name: 'lumo_webhook_certificate_remaining_seconds',
    help: 'What is left of the certificate that ends next, of those the webhook keeps; -1 while there is none.',
    labels: [],
  },
} as const satisfies Record<string, { name: string; help: string; labels: readonly string[] }>

/** Seconds, each with the upper bounds of its buckets. */
export const histograms = {
  remainingAtServe: {
    name: 'lumo_remaining_lifetime_at_serve_seconds',
    help: 'What was left of tokens as the broker served them.',
    buckets: [15, 60, 180, 600, 1_200, 1_800, 2_700, 3_600],
  },
  delegationDepth: {
    name: 'lumo_delegation_depth',
    help: 'How many actors the delegated tokens name that the broker was issued.',
    buckets: [1, 2, 3, 5],
  },
  refreshLag: {
    name: 'lumo_refresh_lag_seconds',
    help: 'How long after they became due tokens were replaced ahead of time.',
    buckets: [1, 2, 5, 15, 60, 180, 600, 1_800],
  },
} as const satisfies Record<string, { name: string; help: string; buckets: readonly number[] }>

type Labels<Definition extends { labels: readonly string[] }> = Readonly<
  Record<Definition['labels'][number], string>
>

export type CounterName = keyof typeof counters
export type GaugeName = keyof typeof gauges
export type HistogramName = keyof typeof histograms
export type CounterLabels<Name extends CounterName> = Labels<(typeof counters)[Name]>
export type GaugeLabels<Name extends GaugeName> = Labels<(typeof gauges)[Name]>

/** One series of a counter, found once and then only incremented: looking labels up costs more than counting. */
export interface Tally {
  add(): void
}

/** The series of a histogram. */
export interface Spread {
  /** Counts a number of seconds. */
  record(seconds: number): void
}

export interface Metrics {
  /** The series of a counter; the same labels give the same series. */
  tally<Name extends CounterName>(name: Name, labels: CounterLabels<Name>): Tally
  spread(name: HistogramName): Spread
  /** A value that is read when the metrics are scraped. */
  observe<Name extends GaugeName>(name: Name, labels: GaugeLabels<Name>, read: () => number): void
}
