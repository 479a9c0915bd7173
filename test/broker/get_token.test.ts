import { describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { tokenTypes } from '../../src/oauth/token_types.ts'
import {
  ask,
  begin,
  proofClaims,
  proofOf,
  proofPath,
  settled,
  testBroker,
} from '../fakes/broker.ts'

const out = new ExchangeFailure('outage', 'authority_cannot_connect', 'ECONNREFUSED')
const unavailable = {
  status: 503,
  error: 'temporarily_unavailable',
  code: 'authority_unavailable',
}
const tooLong = { status: 400, error: 'invalid_request', code: 'min_ttl_too_long' }

describe('the cache', () => {
  test('a hit comes after a miss, and asks nobody', async () => {
    const broker = testBroker()
    const first = await ask(broker, 'audience=a')
    const second = await ask(broker, 'audience=a')
    expect(first).toEqual({ token: 'token-1', expiresIn: 3_600 })
    expect(second).toEqual(first)
    expect(broker.authority.asked).toHaveLength(1)
    const metrics = await broker.metrics.text()
    expect(metrics).toContain('lumo_cache_total{outcome="miss"} 1\n')
    expect(metrics).toContain('lumo_cache_total{outcome="hit"} 1\n')
    expect(metrics).toContain('lumo_cache_total{outcome="stale"} 0\n')
    expect(metrics).toContain('lumo_exchanges_total{outcome="issued"} 1\n')
  })

  test.each([
    ['audience=a&audience=b', 'audience=b&audience=a', 1],
    ['audience=a', 'audience=a&audience=a', 1],
    ['scope=a+b', 'scope=b+a', 1],
    ['audience=a', 'audience=a&min_ttl=10', 1],
    ['', 'scope=&audience=', 1],
    ['audience=a', 'audience=b', 2],
    ['audience=a', 'audience=a&audience=b', 2],
    ['audience=urn:a', 'resource=urn:a', 2],
    ['', 'scope=a', 2],
    ['scope=a', 'scope=a+b', 2],
    ['', 'agent=doc-analyst', 2],
    ['agent=a', 'agent=b', 2],
  ])('%j and %j are %i tokens', async (one, other, tokens) => {
    const broker = testBroker()
    await ask(broker, one)
    await ask(broker, other)
    expect(broker.authority.asked).toHaveLength(tokens)
  })

  test('the exchange is asked for what the caller wished', async () => {
    const broker = testBroker()
    await ask(broker, 'audience=a&resource=urn:b&resource=urn:c&scope=d+e&agent=f&min_ttl=1')
    expect(broker.authority.asked).toEqual([
      {
        subjectToken: proofOf(proofClaims(broker.clock.now)),
        subjectTokenType: tokenTypes.jwt,
        audiences: ['a'],
        resources: ['urn:b', 'urn:c'],
        scope: ['d', 'e'],
        clientId: 'f',
        urgent: true,
        owner: broker.workload,
      },
    ])
  })

  test.each([
    [0, 3_600],
    [1, 3_599],
    [999, 3_599],
    [1_000, 3_599],
    [1_001, 3_598],
    [3_000_000, 600],
  ])('after %i ms, expires_in is what is left: %i', async (ms, expiresIn) => {
    const broker = testBroker()
    await ask(broker)
    broker.clock.advance(ms)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn })
  })

  test('the life of a token counts from when it was asked for', async () => {
    const broker = testBroker()
    broker.authority.slowDown()
    const first = begin(broker)
    await settled()
    broker.clock.advance(5_000)
    broker.authority.release()
    expect(await first).toEqual({ token: 'token-1', expiresIn: 3_595 })
  })
})

describe('a proof of another pod', () => {
  test('finds nothing of what the one before it brought', async () => {
    const broker = testBroker()
    await ask(broker, 'audience=a')
    const claims = { ...proofClaims(broker.clock.now), 'kubernetes.io': { pod: { uid: 'other' } } }
    broker.files.write(proofPath, proofOf(claims))
    await broker.proofs.read()
    expect(await ask(broker, 'audience=a')).toEqual({ token: 'token-2', expiresIn: 3_600 })
  })
})

describe('a proof of another subject in the volume', () => {
  const subjectOf = (token: string): unknown =>
    (JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { sub: unknown })
      .sub

  test('brings no token under the key of the one before it', async () => {
    const broker = testBroker()
    const proofs = ['alice', 'bob'].map((sub) => proofOf({ ...proofClaims(broker.clock.now), sub }))
    const [alice = '', bob = ''] = proofs
    broker.authority.tokenOf = () =>
      `token-for-${String(subjectOf(broker.authority.asked.at(-1)?.subjectToken ?? ''))}`
    const asked = async (proof: string, query: string) => {
      broker.files.write(proofPath, proof)
      return ask(broker, query)
    }
    expect(await asked(alice, 'audience=a')).toMatchObject({ token: 'token-for-alice' })
    expect(await asked(bob, 'audience=b')).toMatchObject({ token: 'token-for-bob' })
    expect(await asked(alice, 'audience=c')).toMatchObject({ token: 'token-for-alice' })
    expect(await asked(alice, 'audience=b')).toMatchObject({ token: 'token-for-alice' })
  })
})

describe('a min_ttl beyond the life of what is held', () => {
  test('is refused without asking the authority again', async () => {
    const broker = testBroker()
    await ask(broker)
    expect(await ask(broker, 'min_ttl=99999')).toMatchObject({ code: 'min_ttl_too_long' })
    expect(broker.authority.asked.length).toBe(1)
  })
})

describe('clocks of the authority and of this machine', () => {
  test.each([
    [0, []],
    [59, []],
    [-59, []],
    [60, [60]],
    [-60, [-60]],
    [-7_200, [-7_200]],
  ])('%i s apart', async (apart, warned) => {
    const broker = testBroker()
    const iat = broker.clock.now + apart
    broker.authority.tokenOf = () => proofOf({ sub: 's', client_id: 'c', iat })
    await ask(broker)
    expect(broker.log.lines.map(({ fields }) => fields['seconds'])).toEqual(warned)
  })
})

/** The floor is 15 s or 5 % of the life, whichever is more: `last` is the last moment at which it is met. */
const floors = [
  { lifetime: 3_600, last: 3_420_000 },
  { lifetime: 86_400, last: 82_080_000 },
  { lifetime: 301, last: 285_950 },
  { lifetime: 300, last: 285_000 },
  { lifetime: 100, last: 85_000 },
  { lifetime: 60, last: 45_000 },
]

describe('the floor', () => {
  test.each(floors)('of a life of $lifetime s is not below itself', async ({ lifetime, last }) => {
    const broker = testBroker()
    broker.authority.lifetimeSeconds = lifetime
    await ask(broker)
    broker.clock.advance(last)
    const left = Math.floor(lifetime - last / 1000)
    expect(await begin(broker)).toEqual({ token: 'token-1', expiresIn: left })
  })

  test.each(floors)('of a life of $lifetime s brings a new token', async ({ lifetime, last }) => {
    const broker = testBroker()
    broker.authority.lifetimeSeconds = lifetime
    await ask(broker)
    broker.clock.advance(last + 1)
    expect(await ask(broker)).toEqual({ token: 'token-2', expiresIn: lifetime })
  })

  test.each([
    [3_420_001, { token: 'token-1', expiresIn: 178 }],
    [3_590_000, { token: 'token-1', expiresIn: 8 }],
    [3_599_000, { token: 'token-1', expiresIn: 1 }],
    [3_599_999, { token: 'token-1', expiresIn: 1 }],
    [3_600_000, unavailable],
    [3_600_001, unavailable],
  ])('below it, with the authority out, after %i ms', async (ms, expected) => {
    const broker = testBroker()
    await ask(broker)
    broker.authority.fail(out)
    broker.clock.advance(ms)
    expect(await ask(broker)).toEqual(expected)
    expect(broker.authority.asked.length).toBeGreaterThan(1)
    const stale = 'token' in expected ? 1 : 0
    expect(await broker.metrics.text()).toContain(
      `lumo_cache_total{outcome="stale"} ${String(stale)}\n`,
    )
  })

  test('a token that never lives so long is served nevertheless', async () => {
    const broker = testBroker()
    broker.authority.lifetimeSeconds = 10
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 10 })
  })
})

describe('min_ttl', () => {
  test.each([
    { name: 'what is left is enough', minTtl: 2_600, token: 'token-1', expiresIn: 2_600 },
    { name: 'a second more is not', minTtl: 2_601, token: 'token-2', expiresIn: 3_600 },
    { name: 'nor is the whole life', minTtl: 3_600, token: 'token-2', expiresIn: 3_600 },
    { name: 'less than the floor changes nothing', minTtl: 1, token: 'token-1', expiresIn: 2_600 },
  ])('1000 s later: $name', async ({ minTtl, token, expiresIn }) => {
    const broker = testBroker()
    await ask(broker)
    broker.clock.advance(1_000_000)
    expect(await ask(broker, `min_ttl=${String(minTtl)}`)).toEqual({ token, expiresIn })
  })

  test('beyond the life of any token it is refused, and the token that came is kept', async () => {
    const broker = testBroker()
    expect(await ask(broker, 'min_ttl=3601')).toEqual(tooLong)
    expect(await ask(broker)).toEqual({ token: 'token-1', expiresIn: 3_600 })
    expect(broker.authority.asked).toHaveLength(1)
  })

  test.each([
    { name: 'less than what is left', minTtl: 100, expected: { token: 'token-1', expiresIn: 100 } },
    { name: 'more than what is left', minTtl: 101, expected: unavailable },
  ])('with the authority out: $name', async ({ minTtl, expected }) => {
    const broker = testBroker()
    await ask(broker)
    broker.authority.fail(out)
    broker.clock.advance(3_500_000)
    expect(await ask(broker, `min_ttl=${String(minTtl)}`)).toEqual(expected)
  })
})

describe('clocks that jump', () => {
  test.each([
    { name: 'forward by a minute', jump: 60, passes: 0, expected: ['token-1', 3_540] },
    { name: 'forward below the floor', jump: 3_421, passes: 0, expected: ['token-2', 3_600] },
    { name: 'forward past the end', jump: 3_600, passes: 0, expected: ['token-2', 3_600] },
    { name: 'back by an hour', jump: -3_600, passes: 0, expected: ['token-1', 3_600] },
    { name: 'back, and time passes', jump: -3_600, passes: 3_000, expected: ['token-1', 600] },
    { name: 'back, until the end', jump: -3_600, passes: 3_600, expected: ['token-2', 3_600] },
  ])('the wall clock $name: the nearer end counts', async ({ jump, passes, expected }) => {
    const broker = testBroker()
    await ask(broker)
    broker.clock.jump(jump * 1_000)
    broker.clock.advance(passes * 1_000)
    const [token, expiresIn] = expected
    expect(await ask(broker)).toEqual({ token, expiresIn })
  })
})
