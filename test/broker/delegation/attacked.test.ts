import { describe, expect, test } from 'vitest'
import { ownerOf } from '../../../src/broker/delegation/find_acting.ts'
import { reviewDelegations } from '../../../src/broker/delegation/review.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { LinkFailure, type LinkAnswer } from '../../../src/exchange/link.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'
import { actingWorld, type ActingWorld } from '../../fakes/acting_world.ts'
import { inTime, pass, proofOf } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { act, at, begin, bySession, byToken, docs, shown, tokenIn } from './acting_steps.ts'

/** What an attack found, each as it was tried. */
function play(wish?: Parameters<typeof actingWorld>[1]) {
  const clock = new FakeClock()
  const world = actingWorld(clock, wish)
  const { workload } = world.pod('specialist')
  return { clock, world, workload, authority: world.authority }
}

type Pod = ReturnType<ActingWorld['pod']>['workload']

async function run(world: ActingWorld, workload: Pod, user: string) {
  const session = await begin(world, workload, world.authority.userToken(user))
  const bearer = await inTime(
    Promise.resolve(world.bearers.of(workload, docs, bySession(session))),
    world.clock,
  )
  if (bearer instanceof BrokerError) throw new Error(bearer.code)
  const stream = { isOpen: true }
  bearer.whenEnded(() => {
    stream.isOpen = false
  })
  return { session, bearer, stream }
}

const policyOf = (rule: string) =>
  LocalPolicy.parse([{ path: 'a.yaml', bytes: Buffer.from(`workloads: [{ name: a, ${rule} }]`) }])

/** A token that nobody issued, of whomever. */
const forged = (world: ActingWorld, sub: string, salt: number): string =>
  proofOf({
    iss: 'https://auth.example/t/acme-corp/api/v1',
    sub,
    client_id: 'web',
    exp: world.authority.now + 3_600,
    jti: `forged-${String(salt)}`,
  })

describe('re-checks', () => {
  test('reach everybody in time, however many run: 300 streams', async () => {
    const { clock, world, workload, authority } = play({ bounds: { maxSessions: 400 } })
    const all = []
    for (let count = 0; count < 300; count += 1) {
      all.push(await run(world, workload, `user_${String(count)}`))
    }
    await pass(clock, 90_000)
    expect(all.filter(({ stream }) => stream.isOpen)).toHaveLength(300)
    authority.revoke('user_299')
    await pass(clock, 29_000)
    expect(all.at(-1)?.stream.isOpen).toBe(false)
    expect(all.filter(({ stream }) => stream.isOpen)).toHaveLength(299)
  })

  test('of one agent that is told to wait do not hold up those of another', async () => {
    const { clock, world, workload, authority } = play()
    const other = world.pod('orchestrator')
    const mine = await run(world, workload, 'user_a')
    const theirs = await run(world, other.workload, 'user_b')
    const isBusy = (authorization: string | undefined): boolean => {
      const own = authority.issued.get((authorization ?? '').slice('Bearer '.length))
      return own?.clientId === 'specialist'
    }
    authority.busyFor = ({ headers, path }) =>
      path.segments.includes('introspect') && isBusy(headers['authorization'])
    await pass(clock, 75_000)
    expect([mine.stream.isOpen, theirs.stream.isOpen]).toEqual([false, true])
  })

  test('of what nobody uses are not made again and again while the authority is out', async () => {
    const { clock, world, workload, authority } = play()
    const session = await begin(world, workload, authority.userToken('user_a'))
    tokenIn(await act(world, workload, bySession(session)))
    authority.goOut()
    await pass(clock, 300_000)
    const text = await world.metrics.text()
    const asked = /rechecks_total\{outcome="unanswered"\} (\d+)/.exec(text)?.[1]
    expect(Number(asked)).toBeLessThanOrEqual(10)
  })
})

test('while the pod has the proof of another agent, nothing is fetched in the name of the first', async () => {
  const clock = new FakeClock()
  const world = actingWorld(clock)
  const { workload, become } = world.pod('specialist')
  const { authority } = world
  const session = await begin(world, workload, authority.userToken('user_a', 86_400))
  const token = tokenIn(await act(world, workload, bySession(session)))
  await become('orchestrator')
  await pass(clock, 650_000)
  const delegated = [...authority.issued.values()].filter(({ from }) => from !== undefined)
  expect(delegated.map((one) => one.token)).toEqual([token])
  await become('specialist')
  const again = tokenIn(await act(world, workload, bySession(session)))
  expect(authority.issued.get(again)?.actors).toEqual(['agent:specialist'])
  expect(authority.isGood(token)).toBe(true)
})

test('an own token that was revoked is nobody else’s fault: the next one serves at once', async () => {
  const { clock, world, workload, authority } = play()
  await world.ownTokens.plain(workload, undefined)
  const own = [...authority.issued.values()].find(({ sub }) => sub === 'agent:specialist')
  authority.revoke(String(own?.claims['jti']))
  await pass(clock, 11_000)
  expect(tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))).toBeTruthy()
})

describe('forged subject tokens', () => {
  test('use up nothing of the user that they name', async () => {
    const { world, workload, authority } = play({ limits: { exchangesPerSubjectPerMinute: 5 } })
    for (let count = 0; count < 60; count += 1) {
      const outcome = await act(world, workload, byToken(forged(world, 'user_a', count)))
      expect(shown(outcome)).toBe('exchange_refused')
    }
    expect(tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))).toBeTruthy()
  })

  test('take no place among those that are acted for, with a session or without', async () => {
    const { world, workload, authority } = play({ limits: { subjectsAtOnce: 5 } })
    for (let count = 0; count < 20; count += 1) {
      await act(world, workload, byToken(forged(world, `user_${String(count)}`, count)))
      await begin(world, workload, forged(world, `other_${String(count)}`, count))
    }
    expect(tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))).toBeTruthy()
  })

  test('begin 128 sessions at most', async () => {
    const { world, workload } = play({ bounds: { maxSessions: 1_000 } })
    for (let count = 0; count < 128; count += 1) {
      await begin(world, workload, forged(world, 'user_a', count))
    }
    await expect(begin(world, workload, forged(world, 'user_a', 128))).rejects.toThrow(
      'sessions_exhausted',
    )
  })
})

describe('the ends of sessions', () => {
  test('of one pod do not hold up those of another', async () => {
    const { world, workload, authority } = play({ bounds: { maxSessions: 1_000 } })
    const other = world.pod('orchestrator')
    const ending = []
    for (let count = 0; count < 120; count += 1) {
      const session = await begin(world, workload, authority.userToken(`user_${String(count)}`))
      for (const target of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']) {
        tokenIn(await act(world, workload, bySession(session), at(`https://${target}.example`)))
      }
    }
    const session = await begin(world, other.workload, authority.userToken('user_x'))
    const token = tokenIn(await act(world, other.workload, bySession(session)))
    ending.push(world.revoke(workload, workload.subjects.endAll()))
    ending.push(world.revoke(other.workload, other.workload.subjects.endAll()))
    await inTime(Promise.all(ending), world.clock)
    expect(authority.isGood(token)).toBe(false)
    const delegated = [...authority.issued.values()].filter(({ from }) => from !== undefined)
    expect(delegated).toHaveLength(1_201)
    expect(delegated.filter(({ token: one }) => authority.isGood(one))).toEqual([])
  })

  test('leave no handle behind that came too late', async () => {
    const { world, workload, authority } = play()
    authority.undecided.add('user_a specialist')
    await world.ownTokens.plain(workload, undefined)
    const session = await begin(world, workload, authority.userToken('user_a'))
    const gate = Promise.withResolvers<void>()
    const exchange = authority.exchange.bind(authority)
    authority.exchange = async (request) => {
      const result = await exchange(request)
      await gate.promise
      return result
    }
    const asked = act(world, workload, bySession(session))
    await pass(world.clock, 100, 50)
    workload.subjects.endAll()
    gate.resolve()
    expect(shown(await asked)).toBe('session_unknown')
    expect(workload.subjects.pending()).toEqual([])
  })

  test('reach what a session has no room for any more, before', async () => {
    const { world, workload, authority } = play()
    const session = await begin(world, workload, authority.userToken('user_a', 86_400))
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) throw new Error(owner.code)
    const acting = workload.subjects.session(session, owner)
    if (acting instanceof BrokerError) throw new Error(acting.code)
    let bearer = await world.bearers.of(workload, docs, bySession(session))
    for (let count = 0; count < 1_030; count += 1) {
      if (bearer instanceof BrokerError) throw new Error(bearer.code)
      bearer = await inTime(
        Promise.resolve(world.bearers.instead(workload, docs, bySession(session), bearer)),
        world.clock,
      )
    }
    await pass(world.clock, 1_000)
    await inTime(world.revoke(workload, workload.subjects.end(acting)), world.clock)
    const delegated = [...authority.issued.values()].filter(({ from }) => from !== undefined)
    expect(delegated).toHaveLength(1_031)
    expect(delegated.filter(({ token }) => authority.isGood(token))).toEqual([])
  })
})

test.each([
  ['nobody is acted for any more', 'delegation: { maxDepth: 0 }', false],
  ['another target is allowed', 'allow: [{ audience: https://other.example }]', false],
  [
    'another scope is allowed',
    'allow: [{ audience: https://docs.example, scopes: [write] }]',
    false,
  ],
  ['it is allowed still', 'allow: [{ audience: https://docs.example, scopes: [read] }]', true],
])('a changed local policy ends what runs: %s', async (_what, rule, isOpen) => {
  const { world, workload } = play()
  const { stream } = await run(world, workload, 'user_a')
  world.usePolicy(policyOf(rule))
  reviewDelegations(workload, world.gate)
  expect(stream.isOpen).toBe(isOpen)
})

describe('a local policy that allows no request without a target', () => {
  const rule =
    'allow: [{ audience: https://docs.example }], defaults: { audience: https://docs.example }'

  test('lets the workload act for somebody there, and nowhere else', async () => {
    const { world, workload, authority } = play()
    world.usePolicy(policyOf(rule))
    const user = byToken(authority.userToken('user_a'))
    expect(tokenIn(await act(world, workload, user))).toBeTruthy()
    const elsewhere = at('https://other.example')
    expect(shown(await act(world, workload, user, elsewhere))).toBe('audience_not_allowed')
  })

  test('gives the workload nothing of what the broker acts with', async () => {
    const { world, workload, authority } = play()
    world.usePolicy(policyOf(rule))
    tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))
    const wish = at('', [])
    const plain = { ...wish, audiences: [], scope: undefined }
    expect(workload.tokens.size).toBe(0)
    const served = await inTime(world.getToken.byExchange(workload, plain), world.clock)
    if (served instanceof BrokerError) throw new Error(served.code)
    expect(served.servable.asked.audiences).toEqual(['https://docs.example'])
  })
})

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ['a scope in the token that was not asked for', { scope: 'read admin' }, 'wider_scope'],
  ['a token that is bound to a key', { cnf: { jkt: 'a' } }, 'bound_to_a_key'],
])('%s is not served', async (_what, twist, reason) => {
  const { world, workload, authority } = play()
  authority.twist = twist
  const outcome = await act(world, workload, byToken(authority.userToken('user_a')))
  expect(shown(outcome)).toBe('authority_answer_unusable')
  expect(world.log.lines.some(({ fields }) => fields['reason'] === reason)).toBe(true)
})

test('what a user denied without a session is not forgotten with the first answer', async () => {
  const { clock, world, workload, authority } = play()
  authority.undecided.add('user_a specialist')
  const user = byToken(authority.userToken('user_a'))
  const handle = await act(world, workload, user)
  if (!('approval' in handle)) throw new Error(shown(handle))
  authority.decide(handle.approval, 'denied')
  await pass(clock, 2_000)
  for (let count = 0; count < 5; count += 1) {
    expect(shown(await act(world, workload, user))).toBe('consent_denied')
  }
  expect(authority.approvals.size).toBe(1)
  const owner = await ownerOf(workload)
  if (owner instanceof BrokerError) throw new Error(owner.code)
  expect(workload.subjects.handle(handle.id, owner)).toBe(handle)
  // It is not kept for longer than its answer.
  await pass(clock, 1_300_000)
  expect([...workload.subjects.all()]).toEqual([])
})

const answerOf = (answer: LinkAnswer | LinkFailure): string =>
  answer instanceof LinkFailure ? answer.code : String(answer.status)

test('the authority of these tests is busy as it is told', async () => {
  const { authority } = play()
  authority.busyFor = () => true
  const path = { from: 'tenant', segments: ['oauth', 'introspect'] } as const
  const request = { method: 'POST', path, query: '', headers: {}, body: undefined } as const
  expect(answerOf(await authority.link({ ...request, totalTimeoutMs: 1 }))).toBe('429')
})
