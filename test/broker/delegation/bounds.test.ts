import { describe, expect, test } from 'vitest'
import { ownerOf } from '../../../src/broker/delegation/find_acting.ts'
import { Identifiers } from '../../../src/broker/delegation/identifiers.ts'
import { readChain } from '../../../src/broker/delegation/chain.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { actingWorld, type ActingWorld } from '../../fakes/acting_world.ts'
import { inTime, pass } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { act, at, begin, bySession, byToken, shown, tokenIn } from './acting_steps.ts'

type Pod = ReturnType<ActingWorld['pod']>['workload']

async function actingIn(workload: Pod, session: string) {
  const owner = await ownerOf(workload)
  if (owner instanceof BrokerError) throw new Error(owner.code)
  return workload.subjects.session(session, owner)
}

async function end({ revoke, clock }: ActingWorld, workload: Pod, session: string): Promise<void> {
  const acting = await actingIn(workload, session)
  if (acting instanceof BrokerError) throw new Error(acting.code)
  await inTime(revoke(workload, workload.subjects.end(acting)), clock)
}

const ruled = (delegation: string) =>
  LocalPolicy.parse([
    { path: 'a.yaml', bytes: Buffer.from(`workloads: [{ name: a, delegation: ${delegation} }]`) },
  ])

describe('an agent that was talked into misbehaving', () => {
  test('finds no more users at once than the policy says, by sessions and without', async () => {
    const world = actingWorld(new FakeClock(), { limits: { subjectsAtOnce: 2 } })
    const { workload } = world.pod('specialist')
    const token = (user: string) => world.authority.userToken(user)
    const first = await begin(world, workload, token('user_a'))
    expect(tokenIn(await act(world, workload, bySession(first)))).toBeTruthy()
    expect(tokenIn(await act(world, workload, byToken(token('user_b'))))).toBeTruthy()
    expect(shown(await act(world, workload, byToken(token('user_c'))))).toBe('subjects_exhausted')
    // Another token of a user who is acted for is no other subject.
    expect(tokenIn(await act(world, workload, byToken(token('user_b'))))).toBeTruthy()
    await end(world, workload, first)
    await pass(world.clock, 61_000)
    expect(tokenIn(await act(world, workload, byToken(token('user_c'))))).toBeTruthy()
  })

  test('gets no more tokens for a user in a minute than the policy says', async () => {
    const world = actingWorld(new FakeClock(), { limits: { exchangesPerSubjectPerMinute: 2 } })
    const { workload } = world.pod('specialist')
    const user = byToken(world.authority.userToken('user_a'))
    const target = (name: string) => at(`https://${name}.example`)
    expect(tokenIn(await act(world, workload, user, target('a')))).toBeTruthy()
    expect(tokenIn(await act(world, workload, user, target('b')))).toBeTruthy()
    const refused = await act(world, workload, user, target('c'))
    expect([shown(refused), (refused as BrokerError).retryAfterSeconds]).toEqual([
      'subject_exchanges_exhausted',
      60,
    ])
    // What is held costs nothing, and neither does another user.
    expect(tokenIn(await act(world, workload, user, target('a')))).toBeTruthy()
    const other = byToken(world.authority.userToken('user_b'))
    expect(tokenIn(await act(world, workload, other, target('c')))).toBeTruthy()
  })

  test.each<[string, string, string]>([
    ['0', 'delegation_not_allowed_here', 'delegation_not_allowed_here'],
    ['1', 'a token', 'delegation_too_deep'],
    ['2', 'a token', 'a token'],
  ])('makes no chain longer than %s', async (maxDepth, first, second) => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const { workload: before } = world.pod('orchestrator')
    const user = world.authority.userToken('user_a')
    const handed = tokenIn(await act(world, before, byToken(user)))
    world.usePolicy(ruled(`{ maxDepth: ${maxDepth} }`))
    const outcome = async (token: string) => {
      const result = await act(world, workload, byToken(token))
      return result instanceof BrokerError ? result.code : 'a token'
    }
    expect([await outcome(user), await outcome(handed)]).toEqual([first, second])
  })

  test('has no more sessions than there is room for, until one ends', async () => {
    const world = actingWorld(new FakeClock(), { bounds: { maxSessions: 2 } })
    const { workload } = world.pod('specialist')
    const user = world.authority.userToken('user_a')
    const first = await begin(world, workload, user)
    await begin(world, workload, user)
    await expect(begin(world, workload, user)).rejects.toThrow('sessions_exhausted')
    await end(world, workload, first)
    expect(await begin(world, workload, user)).toBeTruthy()
  })

  test('finds what was used longest ago forgotten, where subject tokens come without a session', async () => {
    const world = actingWorld(new FakeClock(), { bounds: { maxSessions: 2 } })
    const { workload } = world.pod('specialist')
    const users = ['a', 'b', 'c'].map((user) => byToken(world.authority.userToken(user)))
    const [a, b, c] = users
    if (!a || !b || !c) throw new Error('there are three')
    const first = tokenIn(await act(world, workload, a))
    await act(world, workload, b)
    expect(tokenIn(await act(world, workload, a))).toBe(first)
    await act(world, workload, c)
    expect([...workload.subjects.all()]).toHaveLength(2)
    expect(tokenIn(await act(world, workload, a))).toBe(first)
  })
})

describe('the end of a session', () => {
  test('reaches every token that it brought, those that were replaced or refused by a resource too', async () => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const { authority } = world
    const session = await begin(world, workload, authority.userToken('user_a'))
    const bearer = await world.bearers.of(workload, at('https://a.example'), bySession(session))
    if (bearer instanceof BrokerError) throw new Error(bearer.code)
    const other = await world.bearers.instead(
      workload,
      at('https://a.example'),
      bySession(session),
      bearer,
    )
    if (other instanceof BrokerError) throw new Error(other.code)
    const third = tokenIn(await act(world, workload, bySession(session), at('https://b.example')))
    const tokens = [bearer.token, other.token, third]
    expect(new Set(tokens).size).toBe(3)
    await end(world, workload, session)
    expect(tokens.map((token) => authority.isGood(token))).toEqual([false, false, false])
  })

  test('reaches what is on its way: it is revoked, and served to nobody', async () => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const { authority } = world
    const session = await begin(world, workload, authority.userToken('user_a'))
    await world.ownTokens.plain(workload, undefined)
    const held = Promise.withResolvers<void>()
    const exchange = authority.exchange.bind(authority)
    authority.exchange = async (request) => {
      const result = await exchange(request)
      await held.promise
      return result
    }
    const asked = act(world, workload, bySession(session))
    await pass(world.clock, 100, 50)
    const ended = end(world, workload, session)
    held.resolve()
    await ended
    expect(shown(await asked)).toBe('session_unknown')
    await pass(world.clock, 1_000)
    const delegated = [...authority.issued.values()].filter(({ from }) => from !== undefined)
    expect(delegated.map(({ token }) => authority.isGood(token))).toEqual([false])
  })

  test('while the authority is out: its tokens are revoked once it is back', async () => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const { authority } = world
    const session = await begin(world, workload, authority.userToken('user_a'))
    const token = tokenIn(await act(world, workload, bySession(session)))
    authority.goOut()
    const acting = await actingIn(workload, session)
    if (acting instanceof BrokerError) throw new Error(acting.code)
    const revoked = world.revoke(workload, workload.subjects.end(acting))
    await pass(world.clock, 5_000)
    expect(authority.isGood(token)).toBe(true)
    authority.comeBack()
    await pass(world.clock, 5_000)
    expect(authority.isGood(token)).toBe(false)
    await revoked
  })

  test('of a longer outage: given up, and told', async () => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const session = await begin(world, workload, world.authority.userToken('user_a'))
    tokenIn(await act(world, workload, bySession(session)))
    world.authority.goOut()
    await end(world, workload, session)
    expect(world.log.lines.some(({ fields }) => fields['event'] === 'delegation.not_revoked')).toBe(
      true,
    )
    expect(await world.metrics.text()).toContain('lumo_revocations_total{outcome="failed"} 1\n')
  })
})

describe('a session of', () => {
  test('another pod, and another agent in this one', async () => {
    const world = actingWorld(new FakeClock())
    const { workload, become } = world.pod('specialist')
    const other = world.pod('specialist', 'another-uid')
    const session = bySession(await begin(world, workload, world.authority.userToken('user_a')))
    expect(shown(await act(world, other.workload, session))).toBe('session_unknown')
    await become('orchestrator')
    expect(shown(await act(world, workload, session))).toBe('session_unknown')
    await become('specialist')
    expect(tokenIn(await act(world, workload, session))).toBeTruthy()
  })

  test('an earlier run of the broker', async () => {
    const world = actingWorld(new FakeClock())
    const { workload } = world.pod('specialist')
    const { id } = new Identifiers(systemRandom).make()
    expect(shown(await act(world, workload, bySession(id)))).toBe('session_lost')
  })
})

test('an identifier has 256 bits of chance, and is known by its hash', () => {
  const identifiers = new Identifiers(systemRandom)
  const { id, digest } = identifiers.make()
  expect(id).toMatch(/^[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]{43}$/)
  expect(identifiers.read(id)).toEqual({ kind: 'own', digest })
  expect(id).not.toContain(digest)
})

const nested = (depth: number): unknown =>
  depth === 0 ? undefined : { sub: `agent:${String(depth)}`, act: nested(depth - 1) }

test.each<[string, unknown, number | undefined]>([
  ['none', undefined, 0],
  ['one', { sub: 'a' }, 1],
  ['eight', nested(8), 8],
  ['nine', nested(9), undefined],
  ['null', null, undefined],
  ['a text', 'a', undefined],
  ['an array', [{ sub: 'a' }], undefined],
  ['one without a name', { iss: 'a' }, undefined],
  ['one whose issuer is no text', { sub: 'a', iss: 1 }, undefined],
  ['one whose client is no text', { sub: 'a', client_id: {} }, undefined],
  ['one with nobody inside', { sub: 'a', act: {} }, undefined],
])('a chain of %s', (_what, claim, length) => {
  expect(readChain(claim)?.length).toBe(length)
})
