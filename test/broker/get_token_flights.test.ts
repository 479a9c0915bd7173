import { describe, expect, onTestFinished, test } from 'vitest'
import { AHEAD_AT_ONCE } from '../../src/broker/get_token.ts'
import {
  ask,
  begin,
  listeningBroker,
  settled,
  testBroker,
  type AskOutcome,
} from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'

const unavailable = {
  status: 503,
  error: 'temporarily_unavailable',
  code: 'authority_unavailable',
}

/** Where a promise stands, without waiting for it. */
function watch(asked: Promise<AskOutcome>): { outcome: AskOutcome | 'waiting' } {
  const state: { outcome: AskOutcome | 'waiting' } = { outcome: 'waiting' }
  void asked.then((outcome) => {
    state.outcome = outcome
  })
  return state
}

describe('one flight a key', () => {
  test('1000 callers at once cause one exchange and get one token', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const callers = Array.from({ length: 1_000 }, () => begin(broker, 'audience=a'))
    await settled()
    broker.authority.release()
    const outcomes = await Promise.all(callers)
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(
      new Set([JSON.stringify({ token: 'token-1', expiresIn: 3_600 })]),
    )
    expect(broker.authority.asked).toHaveLength(1)
    expect(await broker.metrics.text()).toContain('lumo_shared_flights_total 999\n')
  })

  test('different keys fly side by side', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const callers = ['a', 'b', 'a'].map((name) => begin(broker, `audience=${name}`))
    await settled()
    expect(broker.authority.asked.map(({ audiences }) => audiences)).toEqual([['a'], ['b']])
    broker.authority.release()
    const [first, second, third] = await Promise.all(callers)
    expect(third).toEqual(first)
    expect(second).not.toEqual(first)
  })
})

describe('bounds', () => {
  test('1000 keys leave no more than what is configured, the last used ones', async () => {
    const broker = testBroker({ maxEntries: 100 })
    for (let index = 0; index < 1_000; index += 1) await ask(broker, `audience=${String(index)}`)
    expect(broker.cache.size).toBe(100)
    expect(broker.cache.flights).toBe(0)
    expect(await ask(broker, 'audience=900')).toEqual({ token: 'token-901', expiresIn: 3_600 })
    expect(await ask(broker, 'audience=899')).toEqual({ token: 'token-1001', expiresIn: 3_600 })
  })

  test('beyond the flights that are allowed a new key is turned away, a flying one is shared', async () => {
    const broker = testBroker({ maxFlights: 2 })
    broker.authority.slowDown()
    const flying = ['a', 'b'].map((name) => begin(broker, `audience=${name}`))
    await settled()
    expect(await ask(broker, 'audience=c')).toEqual({
      status: 503,
      error: 'temporarily_unavailable',
      code: 'overloaded',
    })
    const shared = begin(broker, 'audience=a')
    await settled()
    broker.authority.release()
    expect(await shared).toEqual({ token: 'token-1', expiresIn: 3_600 })
    await Promise.all(flying)
    expect(await ask(broker, 'audience=c')).toEqual({ token: 'token-3', expiresIn: 3_600 })
  })
})

describe('patience', () => {
  test('empty-handed a caller waits 8 s, and the flight goes on without it', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const caller = watch(begin(broker))
    await settled()
    broker.clock.advance(7_999)
    await settled()
    expect(caller.outcome).toBe('waiting')
    broker.clock.advance(1)
    await settled()
    expect(caller.outcome).toEqual(unavailable)
    broker.authority.release()
    await settled()
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_592 })
    expect(broker.authority.asked).toHaveLength(1)
  })

  test('with something to serve it waits 1.5 s, and the flight goes on without it', async () => {
    const broker = testBroker()
    await ask(broker)
    broker.clock.advance(3_500_000)
    broker.authority.slowDown()
    const caller = watch(begin(broker))
    await settled()
    broker.clock.advance(1_499)
    await settled()
    expect(caller.outcome).toBe('waiting')
    broker.clock.advance(1)
    await settled()
    expect(caller.outcome).toEqual({ token: 'token-1', expiresIn: 98 })
    broker.authority.release()
    await settled()
    expect(await ask(broker)).toEqual({ token: 'token-2', expiresIn: 3_598 })
    expect(broker.authority.asked).toHaveLength(2)
  })

  test('each caller has its own', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const early = watch(begin(broker))
    await settled()
    broker.clock.advance(5_000)
    const late = watch(begin(broker))
    await settled()
    broker.clock.advance(3_000)
    await settled()
    expect([early.outcome, late.outcome]).toEqual([unavailable, 'waiting'])
    broker.authority.release()
    await settled()
    expect(late.outcome).toEqual({ token: 'token-1', expiresIn: 3_592 })
    expect(broker.authority.asked).toHaveLength(1)
  })
})

test('a caller that hangs up takes nothing from those who wait with it', async () => {
  const broker = await listeningBroker()
  onTestFinished(() => broker.close())
  broker.authority.slowDown()
  const leaving = new AbortController()
  const call = (signal?: AbortSignal) =>
    fetch(`http://${broker.host}/v1/token`, {
      headers: { 'Lumo-Broker': 'true' },
      signal: signal ?? null,
    })
  const left = call(leaving.signal)
  while (broker.authority.asked.length === 0) await settled()
  const stays = call()
  leaving.abort()
  await expect(left).rejects.toMatchObject({ name: 'AbortError' })
  broker.authority.release()
  expect(await (await stays).json()).toMatchObject({ access_token: 'token-1' })
  expect(broker.authority.asked).toHaveLength(1)
})

/** Knows how many wait for it. */
class CountingClock extends FakeClock {
  readonly waiting = new Set<() => void>()

  override after(ms: number, run: () => void): () => void {
    const cancel = super.after(ms, () => {
      this.waiting.delete(run)
      run()
    })
    this.waiting.add(run)
    return () => {
      this.waiting.delete(run)
      cancel()
    }
  }
}

test('no caller leaves a timer behind', async () => {
  const clock = new CountingClock()
  const broker = testBroker({ clock })
  broker.authority.slowDown()
  const callers = Array.from({ length: 10 }, () => begin(broker))
  await settled()
  expect(clock.waiting.size).toBe(10)
  broker.authority.release()
  await Promise.all(callers)
  expect(clock.waiting.size).toBe(0)
})

describe('clear() during a flight', () => {
  test('what comes home is not put', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const caller = watch(begin(broker))
    await settled()
    broker.cache.clear()
    broker.authority.release()
    await settled()
    expect(caller.outcome).not.toBe('waiting')
    expect(await ask(broker)).toEqual({ token: 'token-2', expiresIn: 3_600 })
  })

  test('the caller gets a token that was asked for afterwards', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const caller = begin(broker)
    await settled()
    broker.cache.clear()
    broker.authority.release()
    expect(await caller).toEqual({ token: 'token-2', expiresIn: 3_600 })
  })

  test('the next caller flies anew and shares nothing with the old flight', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    void begin(broker)
    await settled()
    broker.cache.clear()
    const next = begin(broker)
    await settled()
    expect(broker.authority.asked).toHaveLength(2)
    broker.authority.release()
    expect(await next).toEqual({ token: 'token-2', expiresIn: 3_600 })
  })
})

test('refreshes of what is due take no place of those who wait, however many there are', async () => {
  const broker = testBroker({ maxEntries: 1_000, maxFlights: 100 })
  const queries = Array.from({ length: 150 }, (_, at) => `audience=urn:${String(at)}`)
  for (const query of queries) await ask(broker, query)
  broker.clock.advance(2_700_000)
  broker.authority.slowDown()
  await Promise.all(queries.map((query) => begin(broker, query)))
  await settled()
  expect(broker.cache.flights).toBe(AHEAD_AT_ONCE)
  const newcomer = watch(begin(broker, 'audience=urn:new'))
  await settled()
  expect(newcomer.outcome).toBe('waiting')
  broker.authority.release()
  await settled()
  expect(newcomer.outcome).toMatchObject({ expiresIn: 3_600 })
})
