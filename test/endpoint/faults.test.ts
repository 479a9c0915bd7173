import { beforeAll, expect, test } from 'vitest'
import type { Tenant } from '../../src/endpoint/tenant.ts'
import { StoreFault } from '../../src/store/store.ts'
import { CannotVerify } from '../../src/verifier/refusal.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { exchangeOf, FORM } from '../fakes/running_authority.ts'
import { endpointOver } from '../fakes/token_endpoint.ts'
import { watchedTenant } from '../fakes/watched_tenant.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)
const aText: unknown = expect.any(String)
let whole: Tenant

beforeAll(async () => {
  whole = await watchedTenant(clock, cluster, () => {})
})

interface Fault {
  readonly name: string
  /** The part of a tenant that is out. */
  readonly out: (tenant: Tenant) => Partial<Tenant>
  readonly status: number
  readonly error: string
  readonly retryAfter?: string
  readonly reason: string
  readonly detail: string
}

const QUOTED = 'something that was sent is undefined'

const faults: readonly Fault[] = [
  {
    name: 'keys that cannot be had',
    out: () => ({
      verifier: { verify: () => Promise.resolve(new CannotVerify('no connection', 'prod', 7)) },
    }),
    status: 503,
    error: 'temporarily_unavailable',
    retryAfter: '7',
    reason: 'cannot_verify',
    detail: 'prod: no connection',
  },
  {
    name: 'a store that is out',
    out: () => ({
      verifier: { verify: () => Promise.reject(new StoreFault('the disk is full')) },
    }),
    status: 503,
    error: 'temporarily_unavailable',
    retryAfter: '1',
    reason: 'store_down',
    detail: 'the disk is full',
  },
  {
    name: 'a verifier that breaks its promise',
    out: () => ({ verifier: { verify: () => Promise.reject(new TypeError(QUOTED)) } }),
    status: 500,
    error: 'server_error',
    reason: 'unexpected',
    detail: 'TypeError',
  },
  {
    name: 'a policy that throws',
    out: () => ({
      policy: () => {
        throw new RangeError(QUOTED)
      },
    }),
    status: 500,
    error: 'server_error',
    reason: 'unexpected',
    detail: 'RangeError',
  },
  {
    name: 'a signer that fails',
    out: ({ signer }) => ({
      signer: { ...signer, sign: () => Promise.reject(new Error(QUOTED)) },
    }),
    status: 500,
    error: 'server_error',
    reason: 'unexpected',
    detail: 'Error',
  },
]

for (const { name, out, status, error, retryAfter, reason, detail } of faults) {
  test(`answered and logged, but not told: ${name}`, async () => {
    const tenant = { ...whole, ...out(whole) }
    const { endpoint, log, metrics } = endpointOver(tenant, clock)
    const answer = await endpoint('acme-corp', {
      contentType: FORM['content-type'],
      body: Buffer.from(new URLSearchParams(exchangeOf(await cluster.token())).toString()),
      query: '',
      authorization: undefined,
      dpop: undefined,
    })
    expect({ status: answer.status, retryAfter: answer.headers['retry-after'] }).toEqual({
      status,
      retryAfter,
    })
    const body = JSON.parse(answer.body) as Readonly<Record<string, unknown>>
    expect(body).toEqual({ error, error_description: aText })
    expect(answer.body).not.toContain(detail)
    expect(log.lines).toMatchObject([
      { level: 'error', fields: { reason, detail: expect.stringContaining(detail) as string } },
    ])
    // An engine's message may quote what it was given.
    expect(log.text()).not.toContain(QUOTED)
    expect(await metrics.text()).toContain(
      `lumo_exchange_denied_total{tenant="acme-corp",reason="${reason}"} 1`,
    )
  })
}
