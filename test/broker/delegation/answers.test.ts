import { describe, expect, test } from 'vitest'
import { actingWorld } from '../../fakes/acting_world.ts'
import { pass } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { act, at, begin, bySession, byToken, shown, tokenIn } from './acting_steps.ts'

function play() {
  const clock = new FakeClock()
  const world = actingWorld(clock)
  const { workload } = world.pod('specialist')
  return { clock, world, workload, authority: world.authority }
}

describe('what the authority gives', () => {
  const ours = { sub: 'agent:specialist', iss: 'https://auth.example/t/acme-corp/api/v1' }
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['nobody who acts', { act: undefined }, 'another_chain'],
    ['another who acts', { act: { sub: 'agent:other' } }, 'another_chain'],
    [
      'the agent of another issuer',
      { act: { ...ours, iss: 'https://b.example' } },
      'another_chain',
    ],
    ['one actor too many', { act: { ...ours, act: { sub: 'agent:other' } } }, 'another_chain'],
    ['an act that cannot be read', { act: 'agent:specialist' }, 'another_chain'],
    ["the agent's own token", { sub: 'agent:specialist', act: undefined }, 'another_subject'],
    ['another subject', { sub: 'user_b' }, 'another_subject'],
    ['another issuer', { iss: 'https://b.example' }, 'another_subject'],
    ['another client', { client_id: 'other' }, 'another_client'],
  ])('is refused, and nothing served in its place: %s', async (_what, twist, reason) => {
    const { world, workload, authority } = play()
    authority.twist = twist
    const subject = byToken(authority.userToken('user_a'))
    expect(shown(await act(world, workload, subject))).toBe('authority_answer_unusable')
    expect(world.log.lines.some(({ fields }) => fields?.['reason'] === reason)).toBe(true)
    // Nothing of it is held.
    authority.twist = {}
    const token = tokenIn(await act(world, workload, subject))
    expect(authority.issued.get(token)?.actors).toEqual(['agent:specialist'])
  })

  test.each(['read write', 'write', 'read read"'])(
    'is refused where it is for more than was asked for: %j',
    async (granted) => {
      const { world, workload, authority } = play()
      const subject = byToken(authority.userToken('user_a'))
      await world.ownTokens.plain(workload, undefined)
      authority.grants = granted
      expect(shown(await act(world, workload, subject))).toBe('authority_answer_unusable')
    },
  )

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['the name of the actor alone', { act: { sub: 'agent:specialist' } }],
    ['no client', { client_id: undefined }],
  ])('is served where it says less: %s', async (_what, twist) => {
    const { world, workload, authority } = play()
    authority.twist = twist
    expect(tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))).toBeTruthy()
  })

  test('in the order in which LumoAuth documents it: the first actor outermost', async () => {
    const { world, workload, authority } = play()
    const first = world.pod('orchestrator')
    const user = byToken(authority.userToken('user_a'))
    const handed = tokenIn(await act(world, first.workload, user))
    authority.twist = {
      act: { sub: 'agent:orchestrator', act: { sub: 'agent:specialist' } },
    }
    expect(tokenIn(await act(world, workload, byToken(handed)))).toBeTruthy()
  })

  test('for a token that the workload holds for somebody: narrowed, and nobody added', async () => {
    const { world, workload, authority } = play()
    const held = tokenIn(await act(world, workload, byToken(authority.userToken('user_a'))))
    const files = tokenIn(await act(world, workload, byToken(held), at('https://files.example')))
    expect(authority.issued.get(files)?.actors).toEqual(['agent:specialist'])
    expect(authority.asked.at(-1)?.actor).toBeUndefined()
  })
})

describe('what is held', () => {
  test('is shared by all who ask at once: one exchange', async () => {
    const { world, workload, authority } = play()
    const subject = byToken(authority.userToken('user_a'))
    const results = await Promise.all(
      Array.from({ length: 10 }, () => act(world, workload, subject)),
    )
    expect(new Set(results.map(tokenIn)).size).toBe(1)
    expect(authority.asked.filter(({ actor }) => actor)).toHaveLength(1)
  })

  test('is apart for each session, also of one subject token', async () => {
    const { world, workload, authority } = play()
    const user = authority.userToken('user_a')
    const one = bySession(await begin(world, workload, user))
    const two = bySession(await begin(world, workload, user))
    const tokens = [
      tokenIn(await act(world, workload, one)),
      tokenIn(await act(world, workload, two)),
      tokenIn(await act(world, workload, byToken(user))),
    ]
    expect(new Set(tokens).size).toBe(3)
  })

  test.each([
    ['another target', at('https://files.example')],
    ['another scope', at('https://docs.example', ['read', 'write'])],
  ])('is no answer to %s', async (_what, wish) => {
    const { world, workload, authority } = play()
    const subject = byToken(authority.userToken('user_a'))
    const one = tokenIn(await act(world, workload, subject))
    expect(tokenIn(await act(world, workload, subject, wish))).not.toBe(one)
  })

  test('is replaced ahead of time while it is used, and ends with its subject', async () => {
    const { clock, world, workload, authority } = play()
    const subject = bySession(await begin(world, workload, authority.userToken('user_a', 1_800)))
    const first = tokenIn(await act(world, workload, subject))
    await pass(clock, 500_000)
    expect(tokenIn(await act(world, workload, subject))).toBe(first)
    await pass(clock, 180_000)
    const asked = authority.asked.length
    const second = tokenIn(await act(world, workload, subject))
    expect(second).not.toBe(first)
    expect(authority.asked).toHaveLength(asked)
    await pass(clock, 700_000)
    expect(tokenIn(await act(world, workload, subject))).toBeTruthy()
    // 14 s before the user's token ends there is no session any more.
    await pass(clock, 406_000)
    expect(shown(await act(world, workload, subject))).toBe('session_unknown')
  })

  test('is not asked for anew where the next one would end with it', async () => {
    const { clock, world, workload, authority } = play()
    const session = bySession(await begin(world, workload, authority.userToken('user_a', 600)))
    const token = tokenIn(await act(world, workload, session))
    const asked = authority.asked.length
    await pass(clock, 570_000)
    expect(tokenIn(await act(world, workload, session))).toBe(token)
    expect(authority.asked).toHaveLength(asked)
  })

  test('is never the workload’s own token, whatever the authority says', async () => {
    const { world, workload, authority } = play()
    const subject = byToken(authority.userToken('user_a'))
    tokenIn(await act(world, workload, subject))
    authority.goOut()
    await pass(world.clock, 61_000)
    const result = await act(world, workload, subject)
    expect(shown(result)).toBe('recheck_unanswered')
    expect(shown(await act(world, workload, subject, at('https://files.example')))).toBe(
      'authority_unavailable',
    )
  })
})

describe('a subject token', () => {
  test('that expires in mid-chain: nothing, and not by a session either', async () => {
    const { clock, world, workload, authority } = play()
    const user = authority.userToken('user_a', 60)
    const session = bySession(await begin(world, workload, user))
    expect(tokenIn(await act(world, workload, session))).toBeTruthy()
    await pass(clock, 46_000)
    expect(shown(await act(world, workload, session))).toBe('session_unknown')
    expect(shown(await act(world, workload, byToken(user)))).toBe('subject_expired')
  })

  test('of the workload itself', async () => {
    const { world, workload, authority } = play()
    await act(world, workload, byToken(authority.userToken('user_a')))
    const own = [...authority.issued.values()].find(({ sub }) => sub === 'agent:specialist')
    expect(shown(await act(world, workload, byToken(own?.token ?? '')))).toBe('subject_own')
  })

  test('that nothing came of is not remembered', async () => {
    const { world, workload, authority } = play()
    const user = authority.userToken('user_a')
    authority.revoke('user_a')
    expect(shown(await act(world, workload, byToken(user)))).toBe('exchange_refused')
    expect([...workload.subjects.all()]).toEqual([])
  })
})
