import { describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { BrokerError, type BrokerErrorCode } from '../../../src/broker/errors.ts'
import { ask, codeOf, DOCS, GUARD, HOST, open, type Asked } from './asking.ts'
import { CANARY, inTime } from './opened.ts'

describe('the token', () => {
  test('is that of the route, in a header, with no body and not to be kept', async () => {
    const broker = await open()
    const answer = await ask(broker)
    expect([answer.status, answer.body]).toEqual([200, ''])
    expect(answer.header('authorization')).toBe(`Bearer ${CANARY}-1`)
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('content-length')).toBe('0')
    expect(broker.authority.asked).toMatchObject([
      {
        audiences: ['https://docs.example.com'],
        resources: ['https://docs.example.com/v2'],
        scope: ['read:documents', 'list'],
        clientId: 'analyst',
      },
    ])
  })

  test('comes from the cache afterwards', async () => {
    const broker = await open()
    await ask(broker)
    await ask(broker, { target: `${DOCS}/another/path` })
    expect(broker.authority.asked).toHaveLength(1)
  })

  test('comes at once where it is held, without a promise', async () => {
    const token = { token: 'held', askedAt: 0, whenEnded: () => () => {} }
    const answer = await ask(await open({ bearers: { of: () => token } }))
    expect(answer.header('authorization')).toBe('Bearer held')
  })
})

describe('nothing of a request says which token', () => {
  const same: readonly (Asked & { readonly name: string })[] = [
    { name: 'a path behind', target: `${DOCS}/v1/authorization/plain` },
    { name: 'a path with two slashes', target: `${DOCS}//x` },
    { name: 'dot segments', target: `${DOCS}/../plain` },
    { name: 'escaped dot segments', target: `${DOCS}/%2e%2e/plain` },
    { name: 'a backslash', target: `${DOCS}/\\..\\plain` },
    { name: 'a query', target: `${DOCS}?audience=https://other.example&scope=write&agent=other` },
    { name: 'headers', headers: [HOST, GUARD, 'audience: x', 'Authorization: Bearer of-client'] },
    { name: 'a form', method: 'POST', body: 'audience=https://other.example' },
    { name: 'the path of the client, in a header', headers: [HOST, GUARD, 'X-Original-URI: /x'] },
  ]
  test.each(same)('$name', async (asked) => {
    const broker = await open()
    const { status } = await ask(broker, asked)
    expect(status).toBe(200)
    expect(broker.authority.asked).toMatchObject([
      { audiences: ['https://docs.example.com'], scope: ['read:documents', 'list'] },
    ])
  })
})

describe('where there is no token', () => {
  test('an authority that is out is 503, and nobody is told that it is their fault', async () => {
    const broker = await open()
    broker.authority.fail(new ExchangeFailure('outage', 'connect', 'it refused the connection'))
    const answer = await inTime(broker, ask(broker))
    expect([answer.status, codeOf(answer)]).toEqual([503, 'authority_unavailable'])
    expect(answer.header('retry-after')).toBe('1')
    expect(answer.header('authorization')).toBeUndefined()
  })

  const statuses: readonly (readonly [BrokerErrorCode, number])[] = [
    ['audience_not_allowed', 403],
    ['scope_not_allowed', 403],
    ['authority_refused', 403],
    ['request_refused', 403],
    ['caller_missing', 403],
    ['exchanges_exhausted', 429],
    ['proof_missing', 503],
    ['overloaded', 503],
  ]
  test.each(statuses)('%s is %d', async (code, status) => {
    const bearers = { of: () => Promise.resolve(new BrokerError(code)) }
    const answer = await ask(await open({ bearers }))
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
    expect(answer.header('www-authenticate')).toBeUndefined()
  })

  const thrown: readonly (readonly [string, () => never | Promise<never>])[] = [
    [
      'throws',
      () => {
        throw new Error(CANARY)
      },
    ],
    ['rejects', () => Promise.reject(new Error(CANARY))],
  ]
  test.each(thrown)('what %s is on record, without what it says', async (_name, of) => {
    const broker = await open({ bearers: { of } })
    const answer = await ask(broker)
    expect([answer.status, codeOf(answer)]).toEqual([500, 'unexpected'])
    expect(broker.log.text()).toContain('a request of a gateway failed')
    expect(broker.log.text() + answer.body).not.toContain(CANARY)
  })

  test('a caller asks too often', async () => {
    const broker = await open({ rateLimit: { perSecond: 1, burst: 2 } })
    await ask(broker)
    await ask(broker)
    const answer = await ask(broker)
    expect([answer.status, codeOf(answer), answer.header('retry-after')]).toEqual([
      429,
      'rate_limited',
      '1',
    ])
    // What fails a guard takes nothing from it.
    broker.clock.advance(1_000)
    await ask(broker, { headers: [HOST] })
    expect((await ask(broker)).status).toBe(200)
  })
})

test('requests are counted by route and code, and no token is in metrics or log', async () => {
  const broker = await open()
  await ask(broker)
  await ask(broker, { target: `${DOCS}/more` })
  await ask(broker, { headers: [HOST] })
  await ask(broker, { target: '/v1/authorization/a-name-that-is-no-label' })
  const text = await broker.metrics.text()
  const lines = text.split('\n').filter((line) => line.startsWith('lumo_requests_total{'))
  expect(lines.toSorted()).toEqual([
    'lumo_requests_total{listener="authorization",route="docs",code="200"} 2',
    'lumo_requests_total{listener="authorization",route="docs",code="403"} 1',
    'lumo_requests_total{listener="authorization",route="none",code="404"} 1',
  ])
  expect(text + broker.log.text()).not.toContain(CANARY)
})
