import { describe, expect, test } from 'vitest'
import { keepFresh } from '../../src/broker/refresh.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { ask, pass, proofClaims, proofOf, proofPath, testBroker } from '../fakes/broker.ts'
import type { TestBroker } from '../fakes/broker.ts'

const disabled = new ExchangeFailure('refused', 'invalid_request', 'it answered 403')
const relayed = (error: string) => new ExchangeFailure('relayed', error, 'it answered 400')
const refused = { status: 403, error: 'invalid_request', code: 'authority_refused' }

/** A broker that keeps its tokens fresh. */
function refreshing(): TestBroker {
  const broker = testBroker()
  keepFresh({
    getToken: broker.getToken,
    workloads: () => [broker.workload],
    followsFile: false,
    maxEntries: 100,
    clock: broker.clock,
  })
  return broker
}

describe('an agent that is disabled', () => {
  test('gets nothing any more from when its broker hears of it, whatever else it holds', async () => {
    const broker = refreshing()
    await ask(broker, 'audience=urn:old')
    await pass(broker.clock, 2_000_000, 500_000)
    await ask(broker, 'audience=urn:young')
    broker.authority.fail(disabled)
    // The old one is due, and its refresh is refused; the young one has most of its life before it.
    await pass(broker.clock, 600_000, 10_000)
    expect(await ask(broker, 'audience=urn:young')).toEqual(refused)
    expect(broker.cache.size).toBe(0)
  })

  test('and a request that was never granted says nothing about what is held', async () => {
    const broker = refreshing()
    await ask(broker, 'audience=urn:held')
    broker.authority.fail(disabled)
    expect(await ask(broker, 'agent=nobody')).toEqual(refused)
    await pass(broker.clock, 60_000, 10_000)
    expect(await ask(broker, 'audience=urn:held')).toMatchObject({ token: 'token-1' })
    expect(broker.authority.asked).toHaveLength(2)
  })
})

describe('a grant that is withdrawn', () => {
  test.each(['invalid_target', 'invalid_scope'])(
    'ends the token that it was for at its next refresh: %s',
    async (error) => {
      const broker = refreshing()
      await ask(broker, 'audience=urn:a')
      await ask(broker, 'audience=urn:a')
      broker.authority.fail(relayed(error))
      await pass(broker.clock, 2_700_000, 10_000)
      expect(await ask(broker, 'audience=urn:a')).toEqual({
        status: 400,
        error,
        code: 'request_refused',
      })
    },
  )

  test('any other fault of the request leaves it', async () => {
    const broker = refreshing()
    await ask(broker, 'audience=urn:a')
    await ask(broker, 'audience=urn:a')
    broker.authority.fail(relayed('invalid_request'))
    await pass(broker.clock, 2_700_000, 10_000)
    expect(await ask(broker, 'audience=urn:a')).toMatchObject({ token: 'token-1' })
  })
})

test("a proof of another subject ends what its predecessor's is held for, once", async () => {
  const broker = refreshing()
  await ask(broker)
  await ask(broker)
  broker.files.write(
    proofPath,
    proofOf({ ...proofClaims(broker.clock.now), sub: 'system:serviceaccount:x:y' }),
  )
  await pass(broker.clock, 3_000_000, 1_000)
  expect(broker.cache.size).toBe(0)
  expect(broker.authority.asked).toHaveLength(1)
})
