import { describe, expect, test } from 'vitest'
import { actingWorld } from '../../fakes/acting_world.ts'
import { pass } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { act, begin, bySession, docs, shown, tokenIn } from './acting_steps.ts'
import { BrokerError } from '../../../src/broker/errors.ts'

async function play() {
  const clock = new FakeClock()
  const world = actingWorld(clock)
  const { workload } = world.pod('specialist')
  const { authority } = world
  const session = await begin(world, workload, authority.userToken('user_a'))
  const ask = () => act(world, workload, bySession(session))
  const token = tokenIn(await ask())
  const outcomes = async (): Promise<Readonly<Record<string, number>>> =>
    Object.fromEntries(
      [...(await world.metrics.text()).matchAll(/rechecks_total\{outcome="(\w+)"\} (\d+)/g)].map(
        ([, outcome = '', count]): [string, number] => [outcome, Number(count)],
      ),
    )
  return { clock, world, workload, authority, session, ask, token, outcomes }
}

describe('a token that is used', () => {
  test('is asked about every 15 s, and by nobody who waits', async () => {
    const { clock, ask, token, outcomes } = await play()
    for (let round = 0; round < 4; round += 1) {
      await pass(clock, 16_000)
      expect(tokenIn(await ask())).toBe(token)
    }
    expect(await outcomes()).toMatchObject({ active: 4 })
  })

  test('and left alone is not asked about until somebody wants it', async () => {
    const { clock, ask, token, outcomes } = await play()
    // Once for the use at its beginning.
    await pass(clock, 200_000)
    expect(await outcomes()).toMatchObject({ active: 1 })
    expect(tokenIn(await ask())).toBe(token)
    expect(await outcomes()).toMatchObject({ active: 2 })
  })

  test('and is revoked alone: the next one is another', async () => {
    const { clock, authority, ask, token } = await play()
    authority.revoke(String(authority.issued.get(token)?.claims['jti']))
    await pass(clock, 16_000)
    expect(tokenIn(await ask())).not.toBe(token)
  })

  test('and is revoked with its user: there is no next one', async () => {
    const { clock, authority, ask } = await play()
    authority.revoke('user_a')
    await pass(clock, 16_000)
    expect(shown(await ask())).toBe('exchange_refused')
  })

  test('is served for 60 s without an answer, and again once there is one', async () => {
    const { clock, authority, ask, token } = await play()
    authority.goOut()
    await pass(clock, 58_000)
    expect(tokenIn(await ask())).toBe(token)
    await pass(clock, 3_000)
    expect(shown(await ask())).toBe('recheck_unanswered')
    authority.comeBack()
    expect(tokenIn(await ask())).toBe(token)
  })

  test('is asked about with another own token, where the first is not known any more', async () => {
    const { clock, authority, ask, token } = await play()
    const own = [...authority.issued.values()].find(({ sub }) => sub === 'agent:specialist')
    authority.revoke(String(own?.claims['jti']))
    for (let round = 0; round < 5; round += 1) {
      await pass(clock, 16_000)
      expect(tokenIn(await ask())).toBe(token)
    }
  })
})

describe('a request that runs with a token', () => {
  const run = async () => {
    const played = await play()
    const { world, workload, session } = played
    const bearer = await world.bearers.of(workload, docs, bySession(session))
    if (bearer instanceof BrokerError) throw new Error(bearer.code)
    const ended = { count: 0 }
    const stop = bearer.whenEnded(() => {
      ended.count += 1
    })
    return { ...played, ended, stop }
  }

  test('is ended within 30 s of a revocation, once', async () => {
    const { clock, authority, ended } = await run()
    authority.revoke('user_a')
    await pass(clock, 16_000)
    expect(ended.count).toBe(1)
    await pass(clock, 60_000)
    expect(ended.count).toBe(1)
  })

  test('is ended after 60 s without an answer', async () => {
    const { clock, authority, ended } = await run()
    authority.goOut()
    await pass(clock, 59_000)
    expect(ended.count).toBe(0)
    await pass(clock, 2_000)
    expect(ended.count).toBe(1)
  })

  test('is ended with its session, and keeps it from being idle', async () => {
    const { clock, workload, ended, session, ask } = await run()
    await pass(clock, 890_000)
    expect(ended.count).toBe(0)
    // Its token has ended by then, and whoever runs with it.
    await pass(clock, 20_000)
    expect(ended.count).toBe(1)
    expect(tokenIn(await ask())).toBeTruthy()
    expect(workload.subjects.sessions).toBe(1)
    expect(session).toBeTruthy()
  })

  test('is no affair of whoever stopped listening', async () => {
    const { clock, authority, ended, stop } = await run()
    stop()
    authority.revoke('user_a')
    await pass(clock, 61_000)
    expect(ended.count).toBe(0)
  })
})
