import { beforeAll, expect, test } from 'vitest'
import { tokenEndpoint, type TokenEndpoint } from '../../src/endpoint/token.ts'
import { PrometheusMetrics } from '../../src/ops/metrics.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { FakeLog } from '../fakes/log.ts'
import { basic, exchangeOf, FORM, secret } from '../fakes/running_authority.ts'
import { watchedTenant } from '../fakes/watched_tenant.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)

/** What the endpoint asked of the parts behind it, in order. */
let reached: string[] = []
let endpoint: TokenEndpoint

beforeAll(async () => {
  const tenant = await watchedTenant(clock, cluster, (part) => reached.push(part))
  endpoint = tokenEndpoint({
    tenants: new Map([[tenant.slug, tenant]]),
    clock,
    random: systemRandom,
    log: new FakeLog(),
    metrics: new PrometheusMetrics(),
  })
})

type Form = Readonly<Record<string, string>>

interface Phase {
  readonly name: string
  readonly grant: 'client_credentials' | 'exchange'
  readonly form?: Form
  readonly authorization?: string | undefined
  readonly slug?: string
  readonly contentType?: string
  readonly outcome: string
  readonly reached: readonly string[]
}

const asAgent = basic('agent', secret).authorization
const wrong = basic('agent', 'wrong').authorization
const through = { client_credentials: ['sign'], exchange: ['verify', 'match', 'sign'] } as const
const proven = { client_credentials: [], exchange: ['verify', 'match'] } as const

/** The same break of one phase, for each grant: what lies behind the phase must not be reached. */
const broken: readonly Phase[] = (['client_credentials', 'exchange'] as const).flatMap((grant) => [
  {
    name: 'no such tenant',
    grant,
    slug: 'nobody',
    authorization: asAgent,
    outcome: '400 invalid_request',
    reached: [],
  },
  {
    name: 'a body that cannot be read',
    grant,
    contentType: 'text/plain',
    authorization: asAgent,
    outcome: '400 invalid_request',
    reached: [],
  },
  {
    name: 'a malformed scope',
    grant,
    form: { scope: '"' },
    authorization: asAgent,
    outcome: '400 invalid_scope',
    reached: [],
  },
  {
    name: 'a malformed target',
    grant,
    form: { resource: 'relative' },
    authorization: asAgent,
    outcome: '400 invalid_target',
    reached: [],
  },
  {
    name: 'a parameter that nothing honours',
    grant,
    form: { actor_token: 'x' },
    authorization: asAgent,
    outcome: '400 invalid_request',
    reached: [],
  },
  {
    name: 'a wrong secret',
    grant,
    authorization: wrong,
    outcome: '401 invalid_client',
    reached: [],
  },
  {
    name: 'an unknown client',
    grant,
    authorization: basic('nobody', secret).authorization,
    outcome: '401 invalid_client',
    reached: [],
  },
  {
    name: 'a method that the client has not',
    grant,
    authorization: undefined,
    form: { client_id: 'agent', client_secret: secret },
    outcome: '401 invalid_client',
    reached: [],
  },
  {
    name: 'a client without the grant',
    grant,
    authorization: basic(grant === 'exchange' ? 'only-itself' : 'only-exchange', secret)
      .authorization,
    outcome: '400 unauthorized_client',
    reached: [],
  },
  {
    name: 'a scope too wide',
    grant,
    form: { scope: 'read write' },
    authorization: asAgent,
    outcome: '400 invalid_scope',
    reached: proven[grant],
  },
  {
    name: 'a target that is not allowed',
    grant,
    form: { audience: 'https://docs.example.com' },
    authorization: asAgent,
    outcome: '400 invalid_target',
    reached: proven[grant],
  },
  {
    name: 'nothing',
    grant,
    authorization: asAgent,
    outcome: '200 undefined',
    reached: through[grant],
  },
])

const own: readonly Phase[] = [
  {
    name: 'no credentials where they are required',
    grant: 'client_credentials',
    outcome: '401 invalid_client',
    reached: [],
  },
  {
    name: 'nothing, without credentials, where they are optional',
    grant: 'exchange',
    outcome: '200 undefined',
    reached: through.exchange,
  },
  {
    name: 'a client that is not the agent',
    grant: 'exchange',
    authorization: basic('only-exchange', secret).authorization,
    outcome: '400 invalid_request',
    reached: ['verify', 'match'],
  },
  {
    name: 'no proof',
    grant: 'exchange',
    form: { subject_token: '' },
    authorization: asAgent,
    outcome: '400 invalid_request',
    reached: [],
  },
  {
    name: 'a bad proof and good credentials',
    grant: 'exchange',
    form: { subject_token: 'x' },
    authorization: asAgent,
    outcome: '400 invalid_request',
    reached: ['verify'],
  },
]

async function ask(phase: Phase) {
  const base: Form =
    phase.grant === 'exchange'
      ? exchangeOf(await cluster.token())
      : { grant_type: 'client_credentials' }
  reached = []
  const answer = await endpoint(phase.slug ?? 'acme-corp', {
    contentType: phase.contentType ?? FORM['content-type'],
    body: Buffer.from(new URLSearchParams({ ...base, ...phase.form }).toString()),
    query: '',
    authorization: phase.authorization,
    dpop: undefined,
  })
  return { ...answer, json: JSON.parse(answer.body) as Readonly<Record<string, unknown>> }
}

for (const phase of [...broken, ...own]) {
  test(`${phase.grant}, broken: ${phase.name}`, async () => {
    const { status, json } = await ask(phase)
    expect(`${String(status)} ${String(json['error'])}`).toBe(phase.outcome)
    expect(reached).toEqual(phase.reached)
  })
}
