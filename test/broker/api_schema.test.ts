import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import {
  listeningBroker,
  proofClaims,
  proofOf,
  proofPath,
  type ListeningBroker,
} from '../fakes/broker.ts'
import {
  describedBroker,
  expectAsDescribed,
  JSON_TYPE,
  post,
  restore,
  sendTo,
  type Row,
} from './described.ts'

const contract = describedBroker()
const GUARD = { 'lumo-broker': 'true' }

let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker()
})

afterAll(() => broker.close())

afterEach(() => {
  restore(broker)
})

let unseen = 0
/** A target that no token is held for yet. */
const fresh = () => `/v1/token?audience=fresh-${String((unseen += 1))}`

const outage = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED', 60)
const busy = new ExchangeFailure('outage', 'authority_busy', '429', 60)
const relayed = new ExchangeFailure('relayed', 'invalid_scope', 'authority_400')
const refused = new ExchangeFailure('refused', 'whatever_the_authority_says', 'authority_403')
const failing = (failure: ExchangeFailure) => (some: ListeningBroker) => {
  some.authority.fail(failure)
}
const ruled = (yaml: string) => (some: ListeningBroker) => {
  some.usePolicy(LocalPolicy.parse([{ path: 'policy.yaml', bytes: Buffer.from(yaml) }]))
}
const ofOneTarget = ruled(
  'workloads: [{ name: a, allow: [{ audience: https://a.example, scopes: [b] }] }]',
)

const rows: readonly Row[] = [
  { name: 'a token', status: 200 },
  {
    name: 'a token with all that can be asked for',
    status: 200,
    path: '/v1/token?audience=a&audience=b&resource=urn:c&scope=d+e&min_ttl=9&agent=f',
  },
  { name: 'a token by a form', status: 200, ...post('audience=a&audience=b&scope=c') },
  { name: 'a token by JSON', status: 200, ...post('{"audience":["a"],"min_ttl":"1"}', JSON_TYPE) },
  { name: 'a token by nothing', status: 200, method: 'POST' },
  { name: 'an identity', status: 200, path: '/v1/identity' },
  {
    name: 'no guard header',
    status: 403,
    code: 'guard_header_missing',
    headers: { 'lumo-broker': '' },
  },
  { name: 'another host', status: 403, code: 'host_not_allowed', headers: { host: 'a.example' } },
  {
    name: 'a forwarded request',
    status: 403,
    code: 'forwarded_request',
    path: '/v1/identity',
    headers: { via: 'a' },
  },
  {
    name: 'a repeated parameter',
    status: 400,
    code: 'parameter_repeated',
    path: '/v1/token?scope=a&scope=b',
  },
  {
    name: 'an unknown parameter',
    status: 400,
    code: 'parameter_unknown',
    path: '/v1/token?audiences=a',
  },
  { name: 'a bad scope', status: 400, code: 'scope_malformed', ...post('scope=%22') },
  { name: 'a bad target', status: 400, code: 'target_malformed', path: '/v1/token?resource=a' },
  { name: 'a bad min_ttl', status: 400, code: 'parameter_malformed', path: '/v1/token?min_ttl=x' },
  {
    name: 'a min_ttl too long',
    status: 400,
    code: 'min_ttl_too_long',
    path: '/v1/token?min_ttl=99999',
  },
  {
    name: 'a query that cannot be read',
    status: 400,
    code: 'body_malformed',
    path: '/v1/token?scope=%zz',
  },
  {
    name: 'a body that cannot be read',
    status: 400,
    code: 'body_malformed',
    ...post('{', JSON_TYPE),
  },
  {
    name: 'a body of another type',
    status: 400,
    code: 'media_type',
    ...post('a', { 'content-type': 'text/plain' }),
  },
  {
    name: 'a query with a body',
    status: 400,
    code: 'query_refused',
    path: '/v1/token?scope=a',
    ...post(''),
  },
  { name: 'a body too large', status: 413, code: 'body_too_large', ...post('x'.repeat(65_537)) },
  {
    name: 'an outage',
    status: 503,
    code: 'authority_unavailable',
    path: fresh(),
    given: failing(outage),
  },
  {
    name: 'what the authority does not allow',
    status: 400,
    code: 'request_refused',
    path: fresh(),
    given: failing(relayed),
  },
  {
    name: 'a refusal of the authority',
    status: 403,
    code: 'authority_refused',
    path: fresh(),
    given: failing(refused),
  },
  {
    name: 'no proof',
    status: 503,
    code: 'proof_missing',
    path: fresh(),
    given: ({ files }) => {
      files.remove(proofPath)
    },
  },
  {
    name: 'an expired proof',
    status: 503,
    code: 'proof_expired',
    path: fresh(),
    given: ({ files, clock }) => {
      files.write(proofPath, proofOf({ ...proofClaims(clock.now), exp: clock.now - 1 }))
    },
  },
  {
    name: 'an authority that is busy',
    status: 503,
    code: 'authority_busy',
    path: fresh(),
    given: failing(busy),
  },
  {
    name: 'a workload without a local rule',
    status: 403,
    code: 'workload_not_allowed',
    path: fresh(),
    given: ruled('workloads: [{ name: a, namespace: elsewhere }]'),
  },
  {
    name: 'a target that the local policy does not allow',
    status: 403,
    code: 'audience_not_allowed',
    path: fresh(),
    given: ofOneTarget,
  },
  {
    name: 'a scope that the local policy does not allow',
    status: 403,
    code: 'scope_not_allowed',
    path: '/v1/token?audience=https://a.example&scope=c',
    given: ofOneTarget,
  },
  {
    name: 'an identity under a local policy',
    status: 200,
    path: '/v1/identity',
    given: ofOneTarget,
  },
  {
    name: 'an identity without a local rule',
    status: 200,
    path: '/v1/identity',
    given: ruled('workloads: [{ name: a, namespace: elsewhere }]'),
  },
]

describe('answers are as they are described', () => {
  test.each(rows)('$name: $status $code', ({ path = '/v1/token', headers, ...row }) =>
    expectAsDescribed({ ...row, path, headers: { ...GUARD, ...headers } }, broker, contract),
  )

  test.each(['/v1/token', '/v1/identity'])('where callers are held back: %s', async (path) => {
    const strict = await listeningBroker({ rate: { perSecond: 1, burst: 0 } })
    const row = { name: '', status: 429, code: 'rate_limited', path, headers: GUARD }
    await expectAsDescribed(row, strict, contract)
    await strict.close()
  })

  test.each([
    { limit: 'exchangesPerMinute', code: 'exchanges_exhausted' },
    { limit: 'audiencesPerHour', code: 'audiences_exhausted' },
  ])('a workload that asks for too much: 429 $code', async ({ limit, code }) => {
    const poor = await listeningBroker()
    const given = ruled(`workloads: [{ name: a, ${limit}: 1 }]`)
    const row = { name: '', headers: GUARD, given }
    await expectAsDescribed({ ...row, status: 200, path: fresh() }, poor, contract)
    await expectAsDescribed({ ...row, status: 429, code, path: fresh() }, poor, contract)
    await poor.close()
  })

  test.each([
    { method: 'GET', path: '/v1/tokens', status: 404 },
    { method: 'GET', path: '/', status: 404 },
    { method: 'PUT', path: '/v1/token', status: 405 },
    { method: 'POST', path: '/v1/identity', status: 405 },
  ])('$method $path: $status, as BrokerRefusal', async ({ status, ...request }) => {
    const answer = await sendTo(broker, { ...request, headers: GUARD })
    const { BrokerRefusal = {} } = contract.document.components.schemas
    expect([answer.status, contract.schemaFaults(BrokerRefusal, answer.json)]).toEqual([status, []])
  })
})

describe('answers to callers who show a proof of their own', () => {
  const codes: readonly BrokerErrorCode[] = [
    'caller_missing',
    'caller_unproven',
    'caller_elsewhere',
    'caller_not_pod',
    'cannot_verify',
  ]
  const rows = codes.flatMap((code) =>
    ['/v1/token', '/v1/identity'].map((path) => ({ code, path })),
  )
  test.each(rows)('$path: $code', async ({ code, path }) => {
    const refusal = new BrokerError(code)
    const node = await listeningBroker({
      callersOf: () => ({
        of: () => refusal,
        byToken: () => Promise.resolve(refusal),
        workloads: () => [],
        onGone: () => {},
      }),
    })
    const row = { name: '', status: refusal.status, code, path, headers: GUARD }
    await expectAsDescribed(row, node, describedBroker({ callersProve: true }))
    const answer = await sendTo(node, { path, headers: GUARD })
    expect(contract.faultsOf('GET', path, answer)).not.toEqual([])
    await node.close()
  })
})
