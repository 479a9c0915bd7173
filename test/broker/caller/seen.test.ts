import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../../src/broker/errors.ts'
import { settled } from '../../fakes/broker.ts'
import { analyst, callingPods, readIssued, reporter } from '../../fakes/calling_pods.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'

let clock = new FakeClock()
/** One key for all tests: to make one takes longer than a test. */
const cluster = new FakeCluster(() => clock.now)

async function start(changes: Parameters<typeof callingPods>[0] = {}) {
  clock = new FakeClock()
  return callingPods({ clock, cluster, ...changes })
}

const limited = { status: 429, error: 'too_many_requests', code: 'rate_limited' }
const garbage = (index: number): string => `garbage-${String(index)}`

describe('a token that was verified', () => {
  test.each([
    [0, 1],
    [9_999, 1],
    [10_000, 2],
  ])('is verified again or not, after %i ms: %i times in all', async (ms, times) => {
    const { call, verifier, tokenOf } = await start()
    const token = await tokenOf(analyst)
    await call(token)
    clock.advance(ms)
    expect(await call(token)).toMatchObject({ token: expect.any(String) as string })
    expect(verifier.verified).toBe(times)
  })

  test('is verified again though it was asked for all the time', async () => {
    const { call, verifier, tokenOf } = await start()
    const token = await tokenOf(analyst)
    for (let second = 0; second < 60; second += 1) {
      await call(token)
      clock.advance(1_000)
    }
    expect(verifier.verified).toBe(6)
  })

  test.each([
    [
      'as time passes',
      () => {
        clock.advance(5_000)
      },
    ],
    [
      'as the wall clock jumps',
      () => {
        clock.jump(5_000)
      },
    ],
    [
      'though the wall clock was set back',
      () => {
        clock.jump(-3_600_000)
        clock.advance(5_000)
      },
    ],
  ])('is nothing once it has ended, %s', async (_, passes) => {
    const { call, tokenOf } = await start()
    const token = await tokenOf(analyst, { claims: { exp: clock.now + 5, iat: clock.now - 600 } })
    expect(await call(token)).toMatchObject({ expiresIn: 3_600 })
    passes()
    expect(readIssued(await call(token))).toBe('caller_unproven')
  })

  test('for a thousand callers at once is verified once', async () => {
    const { call, verifier, tokenOf, authority } = await start()
    verifier.hold()
    const token = await tokenOf(analyst)
    const calls = Array.from({ length: 1_000 }, () => call(token))
    await settled()
    verifier.release()
    const answers = new Set((await Promise.all(calls)).map(readIssued))
    expect([answers.size, verifier.verified, authority.asked.length]).toEqual([1, 1, 1])
  })

  test('is not taken for another one that begins or ends the same', async () => {
    const { call, tokenOf } = await start()
    const token = await tokenOf(analyst)
    await call(token)
    for (const other of [`${token}A`, token.slice(0, -1), `A${token}`, token.toUpperCase()]) {
      expect(readIssued(await call(other))).toBe('caller_unproven')
    }
  })
})

describe('failures of one address', () => {
  test('are verified fifty times at once and five a second then; what was seen goes on', async () => {
    const { call, verifier, tokenOf } = await start()
    const token = await tokenOf(analyst)
    await call(token)
    for (let index = 0; index < 50; index += 1) {
      expect(readIssued(await call(garbage(index)))).toBe('caller_unproven')
    }
    expect(await call(garbage(50))).toEqual(limited)
    expect(verifier.verified).toBe(51)
    expect(await call(token)).toMatchObject({ expiresIn: 3_600 })
    clock.advance(1_000)
    for (let index = 51; index < 56; index += 1) {
      expect(readIssued(await call(garbage(index)))).toBe('caller_unproven')
    }
    expect(await call(garbage(56))).toEqual(limited)
    expect(await call(token)).toMatchObject({ expiresIn: 3_599 })
  })

  test.each([
    ['refused', (index: number) => Promise.resolve(garbage(index))],
    ['of another node', (index: number) => elsewhere({ jti: String(index) })],
    [
      'of no pod',
      (index: number) =>
        cluster.token({ claims: { jti: String(index) }, bound: { pod: undefined } }),
    ],
  ])('count when they are %s', async (_, make) => {
    const { call } = await start()
    for (let index = 0; index < 50; index += 1) await call(await make(index))
    expect(await call(await make(50))).toEqual(limited)
  })

  test('lock nobody out whose token was good once, though it has to be verified anew', async () => {
    const { call, tokenOf } = await start()
    const token = await tokenOf(analyst)
    await call(token)
    clock.advance(11_000)
    for (let index = 0; index < 60; index += 1) await call(garbage(index))
    expect(await call(token)).toMatchObject({ expiresIn: 3_589 })
  })

  test('count for a token that was good once as for any, as soon as it is refused', async () => {
    const { call, tokenOf } = await start()
    const token = await tokenOf(analyst)
    await call(token)
    clock.advance(7_200_000)
    for (let index = 0; index < 60; index += 1) await call(garbage(index))
    expect(readIssued(await call(token))).toBe('caller_unproven')
    expect(await call(token)).toEqual(limited)
  })

  test('are nothing to another address', async () => {
    const { call, tokenOf } = await start()
    for (let index = 0; index < 60; index += 1) await call(garbage(index), '', '10.0.0.1')
    expect(await call(await tokenOf(analyst), '', '10.0.0.1')).toEqual(limited)
    expect(await call(await tokenOf(analyst), '', '10.0.0.2')).toMatchObject({ expiresIn: 3_600 })
  })

  test('good tokens are not among them, nor what cannot be verified', async () => {
    const { call, keys, tokenOf } = await start()
    for (let index = 0; index < 60; index += 1) {
      const token = await tokenOf(analyst, { claims: { jti: `good-${String(index)}` } })
      expect(await call(token)).toMatchObject({ expiresIn: 3_600 })
    }
    keys.unavailable = { unavailable: 'down', retryAfterSeconds: 1 }
    for (let index = 0; index < 60; index += 1) {
      const token = await tokenOf(analyst, { claims: { jti: `dark-${String(index)}` } })
      expect(readIssued(await call(token))).toBe('cannot_verify')
    }
    keys.unavailable = undefined
    expect(await call(await tokenOf(reporter))).toMatchObject({ expiresIn: 3_600 })
  })
})

test('verifications under way are bounded', async () => {
  const { callers, verifier } = await start()
  verifier.hold()
  const checks = Array.from({ length: 300 }, (_, index) =>
    callers.byToken(garbage(index), `10.0.${String(index)}.1`),
  )
  await settled()
  expect(verifier.verified).toBe(256)
  verifier.release()
  const codes = (await Promise.all(checks)).map((one) => one instanceof BrokerError && one.code)
  expect(codes.filter((code) => code === 'caller_unproven')).toHaveLength(256)
  expect(codes.filter((code) => code === 'overloaded')).toHaveLength(44)
})

test('verifications of one address leave room for those of others', async () => {
  const { callers, verifier } = await start()
  verifier.hold()
  const checks = Array.from({ length: 100 }, (_, index) =>
    callers.byToken(garbage(index), '10.0.0.1'),
  )
  const other = callers.byToken(garbage(100), '10.0.0.2')
  await settled()
  expect(verifier.verified).toBe(33)
  verifier.release()
  const codes = (await Promise.all(checks)).map((one) => one instanceof BrokerError && one.code)
  expect(codes.filter((code) => code === 'overloaded')).toHaveLength(68)
  expect(await other).toMatchObject({ code: 'caller_unproven' })
})

function elsewhere(claims: Readonly<Record<string, unknown>>): Promise<string> {
  return cluster.token({ claims, bound: { node: { name: 'worker-2', uid: 'n' } } })
}
