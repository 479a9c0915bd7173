import { describe, expect, test } from 'vitest'
import { warmUp } from '../../src/broker/warm_up.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { ask, pass, proofClaims, proofOf, proofPath, settled, testBroker } from '../fakes/broker.ts'

const outForLong = new ExchangeFailure('outage', 'authority_unavailable', '503', 3_600)
const out = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')

test('fetches the plain token before anybody asks', async () => {
  const broker = testBroker()
  const warming = warmUp(broker)
  expect(warming.done()).toBe(false)
  await settled()
  expect(warming.done()).toBe(true)
  expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
  expect(broker.authority.asked).toHaveLength(1)
})

test('asks again after 0.5 s, then after twice as long each time, at most 30 s', async () => {
  const broker = testBroker()
  // An attempt that finds no proof takes no time, and asks for it once.
  broker.files.remove(proofPath)
  let attempts = 0
  const exchange = broker.getToken.byExchange.bind(broker.getToken)
  broker.getToken.byExchange = (...wanted) => {
    attempts += 1
    return exchange(...wanted)
  }
  const warming = warmUp(broker)
  await settled()
  for (const pause of [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    const before = attempts
    await pass(broker.clock, pause - 1, pause)
    expect(attempts).toBe(before)
    await pass(broker.clock, 1)
    expect(attempts).toBe(before + 1)
  }
  expect(warming.done()).toBe(false)
})

test('waits for a proof that comes later', async () => {
  const broker = testBroker()
  broker.files.remove(proofPath)
  const warming = warmUp(broker)
  await settled()
  expect(warming.done()).toBe(false)
  broker.files.write(proofPath, proofOf(proofClaims(broker.clock.now)))
  broker.clock.advance(500)
  await settled()
  expect(warming.done()).toBe(true)
})

test('is done for good: a token that ends later changes nothing', async () => {
  const broker = testBroker()
  const warming = warmUp(broker)
  await settled()
  broker.authority.fail(out)
  broker.clock.advance(7_200_000)
  await settled()
  expect(warming.done()).toBe(true)
  expect(broker.authority.asked).toHaveLength(1)
})

test('asks no more once it is stopped', async () => {
  const broker = testBroker()
  broker.authority.fail(outForLong)
  const warming = warmUp(broker)
  await settled()
  warming.stop()
  await pass(broker.clock, 120_000, 1_000)
  expect(broker.authority.asked).toHaveLength(1)
})

test('stopped during an attempt, it makes no other', async () => {
  const broker = testBroker()
  broker.authority.fail(outForLong)
  broker.authority.slowDown()
  const warming = warmUp(broker)
  await settled()
  warming.stop()
  broker.authority.release()
  await pass(broker.clock, 120_000, 1_000)
  expect(broker.authority.asked).toHaveLength(1)
})

describe('a local policy', () => {
  const policyOf = (workload: object) => {
    const bytes = Buffer.from(JSON.stringify({ workloads: [{ name: 'rule', ...workload }] }))
    return LocalPolicy.parse([{ path: 'local.json', bytes }])
  }

  test.each([
    ['that has no rule for the pod', policyOf({ namespace: 'elsewhere' })],
    ['that names no target', policyOf({ allow: [{ audience: 'https://*.example/**' }] })],
    ['that allows less than comes', policyOf({ allow: [{ scopes: ['other'] }] })],
  ])('%s leaves nothing to wait for, and no reason to end', async (_, policy) => {
    const broker = testBroker()
    broker.usePolicy(policy)
    const warming = warmUp(broker)
    const first = await Promise.race([warming.refused, settled().then(() => 'nothing')])
    expect([first, warming.done()]).toEqual(['nothing', true])
  })

  test('without tokens that have no target has one fetched that it names', async () => {
    const broker = testBroker()
    const allow = [{ audience: 'urn:b*' }, { audience: 'urn:a', scopes: ['read'] }]
    broker.usePolicy(policyOf({ allow }))
    const warming = warmUp(broker)
    await settled()
    expect(warming.done()).toBe(true)
    expect(broker.authority.asked).toMatchObject([{ audiences: ['urn:a'] }])
  })

  test.each([
    ['tries the next', ['urn:old'], ['urn:old', 'urn:b']],
    ['waits for none where it refuses all', ['urn:old', 'urn:b'], ['urn:old', 'urn:b']],
  ])('with a name that the authority does not know %s', async (_name, unknown, asked) => {
    const seen: string[] = []
    const broker = testBroker({
      through: (authority) => ({
        exchange: (request) => {
          const [audience = ''] = request.audiences
          seen.push(audience)
          return unknown.includes(audience)
            ? Promise.resolve(new ExchangeFailure('relayed', 'invalid_target', 'it answered 400'))
            : authority.exchange(request)
        },
      }),
    })
    broker.usePolicy(policyOf({ allow: [{ audience: 'urn:old' }, { audience: 'urn:b' }] }))
    const warming = warmUp(broker)
    const first = await Promise.race([warming.refused, settled().then(() => 'nothing')])
    expect([first, warming.done(), seen]).toEqual(['nothing', true, asked])
  })

  test('whose limits are used up is waited for', async () => {
    const broker = testBroker({ limits: { exchangesPerMinute: 1, audiencesPerHour: 9 } })
    await ask(broker, 'scope=a')
    const warming = warmUp(broker)
    const first = await Promise.race([warming.refused, settled().then(() => 'nothing')])
    expect([first, warming.done()]).toEqual(['nothing', false])
    await pass(broker.clock, 90_000)
    expect(warming.done()).toBe(true)
  })
})

describe('refused', () => {
  const refusals: readonly [string, ExchangeFailure, string | undefined][] = [
    ['a refusal', new ExchangeFailure('refused', 'access_denied', ''), 'authority_refused'],
    ['what is relayed', new ExchangeFailure('relayed', 'invalid_request', ''), 'request_refused'],
    ['an outage', out, undefined],
  ]
  test.each(refusals)('%s', async (_name, failure, code) => {
    const broker = testBroker()
    broker.authority.fail(failure)
    const warming = warmUp(broker)
    let refused: string | undefined
    void warming.refused.then((error) => {
      refused = error.code
    })
    await settled()
    expect([warming.done(), refused]).toEqual([false, code])
  })

  test('is not said of a fault of the own proof', async () => {
    const broker = testBroker()
    broker.files.remove(proofPath)
    const warming = warmUp(broker)
    const first = await Promise.race([warming.refused, settled().then(() => 'nothing')])
    expect(first).toBe('nothing')
  })

  test('is not said of a token that is short-lived', async () => {
    const broker = testBroker()
    broker.authority.lifetimeSeconds = 10
    const warming = warmUp(broker)
    const first = await Promise.race([warming.refused, settled().then(() => 'nothing')])
    expect([first, warming.done()]).toEqual(['nothing', true])
  })
})
