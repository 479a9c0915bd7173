import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'

/** Dashboards and alerts are written against these names and labels. */
const countersWithLabels = {
  lumo_requests_total: ['listener', 'route', 'code'],
  lumo_cache_total: ['outcome'],
  lumo_exchanges_total: ['outcome'],
  lumo_served_stale_total: [],
  lumo_refreshes_total: ['outcome'],
  lumo_local_denied_total: ['reason'],
  lumo_callers_refused_total: ['reason'],
  lumo_forwarded_total: ['code'],
  lumo_sink_writes_total: ['outcome'],
  lumo_revocations_total: ['outcome'],
  lumo_shared_flights_total: [],
  lumo_proof_faults_total: ['code'],
  lumo_tokens_issued_total: ['tenant', 'grant'],
  lumo_exchange_denied_total: ['tenant', 'reason'],
  lumo_key_fetches_total: ['provider', 'outcome'],
  lumo_token_reviews_total: ['provider', 'outcome'],
  lumo_reloads_total: ['what', 'outcome'],
}
const gaugesWithLabels = {
  lumo_key_set_age_seconds: ['provider'],
  lumo_workloads: [],
  lumo_exchanges_waiting: [],
  lumo_cache_entries: [],
  lumo_proof_remaining_seconds: [],
}

/** One series of each, every label with its own name as its value. */
function filled(): PrometheusMetrics {
  const metrics = new PrometheusMetrics()
  metrics.tally('requests', { listener: 'listener', route: 'route', code: 'code' }).add()
  metrics.tally('cache', { outcome: 'outcome' }).add()
  metrics.tally('exchanges', { outcome: 'outcome' }).add()
  metrics.tally('sharedFlights', {}).add()
  metrics.tally('proofFaults', { code: 'code' }).add()
  metrics.tally('tokens', { tenant: 'tenant', grant: 'grant' }).add()
  metrics.tally('denials', { tenant: 'tenant', reason: 'reason' }).add()
  metrics.tally('keyFetches', { provider: 'provider', outcome: 'outcome' }).add()
  metrics.tally('reloads', { what: 'what', outcome: 'outcome' }).add()
  metrics.tally('tokenReviews', { provider: 'provider', outcome: 'outcome' }).add()
  metrics.tally('servedStale', {}).add()
  metrics.tally('refreshes', { outcome: 'outcome' }).add()
  metrics.tally('localDenials', { reason: 'reason' }).add()
  metrics.tally('callers', { reason: 'reason' }).add()
  metrics.tally('forwarded', { code: 'code' }).add()
  metrics.tally('sinkWrites', { outcome: 'outcome' }).add()
  metrics.tally('revocations', { outcome: 'outcome' }).add()
  metrics.observe('workloads', {}, () => 1)
  metrics.observe('exchangesWaiting', {}, () => 1)
  metrics.observe('keySetAge', { provider: 'provider' }, () => 1)
  metrics.observe('cacheEntries', {}, () => 1)
  metrics.observe('proofRemaining', {}, () => 1)
  return metrics
}

const linesOf = async (metrics: PrometheusMetrics) => (await metrics.text()).split('\n')
const samplesOf = async (metrics: PrometheusMetrics) =>
  (await linesOf(metrics)).filter((line) => line !== '' && !line.startsWith('#'))

describe('names and labels', () => {
  test('are these and no others', async () => {
    const expected = Object.entries({ ...countersWithLabels, ...gaugesWithLabels }).map(
      ([name, labels]) => {
        const shown = labels.map((label) => `${label}="${label}"`).join(',')
        return shown === '' ? `${name} 1` : `${name}{${shown}} 1`
      },
    )
    expect(await samplesOf(filled())).toEqual(expected)
  })

  test.each([
    ['counter', Object.keys(countersWithLabels)],
    ['gauge', Object.keys(gaugesWithLabels)],
  ])('every %s says what it is, even before it has a series', async (type, names) => {
    const lines = await linesOf(new PrometheusMetrics())
    for (const name of names) {
      expect(lines).toContain(`# TYPE ${name} ${type}`)
      expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1)
    }
  })
})

describe('counters', () => {
  test('the same labels are the same series, however often they are asked for', async () => {
    const metrics = new PrometheusMetrics()
    const held = metrics.tally('cache', { outcome: 'hit' })
    held.add()
    held.add()
    metrics.tally('cache', { outcome: 'hit' }).add()
    metrics.tally('cache', { outcome: 'miss' }).add()
    const samples = await samplesOf(metrics)
    expect(samples.filter((line) => line.startsWith('lumo_cache_total'))).toEqual([
      'lumo_cache_total{outcome="hit"} 3',
      'lumo_cache_total{outcome="miss"} 1',
    ])
  })

  test('the order in which labels are written makes no other series', async () => {
    const metrics = new PrometheusMetrics()
    metrics.tally('reloads', { what: 'policy', outcome: 'taken' }).add()
    metrics.tally('reloads', { outcome: 'taken', what: 'policy' }).add()
    expect(await samplesOf(metrics)).toContain(
      'lumo_reloads_total{what="policy",outcome="taken"} 2',
    )
  })

  test('values that join to the same text are different series', async () => {
    const metrics = new PrometheusMetrics()
    metrics.tally('tokens', { tenant: 'a","b', grant: 'c' }).add()
    metrics.tally('tokens', { tenant: 'a', grant: 'b","c' }).add()
    const samples = await samplesOf(metrics)
    expect(samples.filter((line) => line.startsWith('lumo_tokens_issued_total'))).toHaveLength(2)
  })

  test('a scrape counts nothing twice', async () => {
    const metrics = filled()
    const first = await metrics.text()
    expect(await metrics.text()).toBe(first)
  })

  test('a series that was found and not yet counted is 0', async () => {
    const metrics = new PrometheusMetrics()
    metrics.tally('cache', { outcome: 'stale' })
    expect(await samplesOf(metrics)).toContain('lumo_cache_total{outcome="stale"} 0')
  })
})

describe('gauges', () => {
  test('are read at the scrape', async () => {
    const metrics = new PrometheusMetrics()
    let entries = 3
    metrics.observe('cacheEntries', {}, () => entries)
    expect(await samplesOf(metrics)).toContain('lumo_cache_entries 3')
    entries = 4
    expect(await samplesOf(metrics)).toContain('lumo_cache_entries 4')
  })

  test('have no sample where nobody observes them: an authority has no proof, not one that ended', async () => {
    const samples = await samplesOf(new PrometheusMetrics())
    const names = samples.map((line) => line.split(/[ {]/)[0])
    expect(names.filter((name) => name !== undefined && name in gaugesWithLabels)).toEqual([])
  })
})

describe('a histogram', () => {
  test('counts into cumulative buckets, an edge into the lower one', async () => {
    const metrics = new PrometheusMetrics()
    const lag = metrics.spread('refreshLag')
    for (const seconds of [0, 1, 1.5, 60, 10_000]) lag.record(seconds)
    expect((await linesOf(metrics)).filter((line) => line.includes('refresh_lag'))).toEqual([
      '# HELP lumo_refresh_lag_seconds How long after they became due tokens were replaced ahead of time.',
      '# TYPE lumo_refresh_lag_seconds histogram',
      'lumo_refresh_lag_seconds_bucket{le="1"} 2',
      'lumo_refresh_lag_seconds_bucket{le="2"} 3',
      'lumo_refresh_lag_seconds_bucket{le="5"} 3',
      'lumo_refresh_lag_seconds_bucket{le="15"} 3',
      'lumo_refresh_lag_seconds_bucket{le="60"} 4',
      'lumo_refresh_lag_seconds_bucket{le="180"} 4',
      'lumo_refresh_lag_seconds_bucket{le="600"} 4',
      'lumo_refresh_lag_seconds_bucket{le="1800"} 4',
      'lumo_refresh_lag_seconds_bucket{le="+Inf"} 5',
      'lumo_refresh_lag_seconds_sum 10062.5',
      'lumo_refresh_lag_seconds_count 5',
    ])
  })

  test('is one series, whoever asks for it', () => {
    const metrics = new PrometheusMetrics()
    expect(metrics.spread('refreshLag')).toBe(metrics.spread('refreshLag'))
  })
})
