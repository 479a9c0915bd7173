import { describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { ask, pass, testBroker, type TestBroker } from '../fakes/broker.ts'

const busy = (retryAfter: number) =>
  new ExchangeFailure('outage', 'authority_busy', 'it answered 429', retryAfter)

/** An authority that has just asked to be left alone. */
async function silenced(
  retryAfter: number,
  limits?: { exchangesPerMinute: number },
): Promise<TestBroker> {
  const broker = testBroker(limits ? { limits: { audiencesPerHour: 100, ...limits } } : {})
  broker.authority.fail(busy(retryAfter))
  await ask(broker, 'audience=urn:0')
  return broker
}

describe('Retry-After', () => {
  test.each([
    ['the same token', () => 'audience=urn:0'],
    ['other tokens', (nth: number) => `audience=urn:${String(nth)}`],
    ['more life of it', () => 'audience=urn:0&min_ttl=3000'],
  ])('is kept by whoever asks for %s', async (_name, queryOf) => {
    const broker = await silenced(60)
    for (let nth = 1; nth < 20; nth += 1) {
      const wanted = await ask(broker, queryOf(nth))
      expect(wanted).toMatchObject({ status: 503, code: 'authority_busy' })
    }
    expect(broker.authority.asked).toHaveLength(1)
  })

  test('is told with what is left of it', async () => {
    const broker = await silenced(60)
    broker.clock.advance(20_000)
    const wish = broker.wishOf('audience=urn:0')
    if ('status' in wish) throw new Error('not a wish')
    expect(await broker.getToken.byExchange(broker.workload, wish)).toMatchObject({
      code: 'authority_busy',
      retryAfterSeconds: 40,
    })
  })

  test("uses up no budget: the fault is not the workload's", async () => {
    const broker = await silenced(60, { exchangesPerMinute: 2 })
    for (let count = 0; count < 10; count += 1) await ask(broker, 'audience=urn:1')
    expect(await ask(broker, 'audience=urn:1')).toMatchObject({ code: 'authority_busy' })
  })

  test.each([
    ['it is over', 30, 30_000],
    ['a minute, where it is an hour', 3_600, 60_000],
  ])('ends after %s', async (_name, retryAfter, ms) => {
    const broker = await silenced(retryAfter)
    broker.authority.recover()
    // As long before it as no caller waits.
    broker.clock.advance(ms - 8_000)
    expect(await ask(broker, 'audience=urn:0')).toMatchObject({ code: 'authority_busy' })
    broker.clock.advance(8_000)
    expect(await ask(broker, 'audience=urn:0')).toMatchObject({ token: 'token-1' })
  })

  test('that a caller can wait for is waited for', async () => {
    const broker = testBroker()
    broker.authority.fail(busy(3))
    const asked = ask(broker, 'audience=urn:0')
    broker.authority.recover()
    await pass(broker.clock, 4_000, 500)
    expect(await asked).toMatchObject({ token: 'token-1' })
  })
})
