import { describe, expect, test } from 'vitest'
import { ownerOf } from '../../../src/broker/delegation/find_acting.ts'
import type { Handle } from '../../../src/broker/delegation/handle.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import { ExchangeFailure } from '../../../src/exchange/exchanger.ts'
import { actingWorld } from '../../fakes/acting_world.ts'
import { pass } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { act, at, begin, bySession, byToken, shown, tokenIn } from './acting_steps.ts'

async function play() {
  const clock = new FakeClock()
  const world = actingWorld(clock)
  const { workload, become } = world.pod('specialist')
  const { authority } = world
  authority.undecided.add('user_a specialist')
  const session = await begin(world, workload, authority.userToken('user_a'))
  const ask = () => act(world, workload, bySession(session))
  const handle = (await ask()) as Handle
  const find = async (id = handle.id) => {
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) throw new Error(owner.code)
    return workload.subjects.handle(id, owner)
  }
  return { clock, world, workload, become, authority, session, ask, handle, find }
}

const stateOf = (found: Handle | BrokerError): string => {
  if (found instanceof BrokerError) return found.code
  const { state } = found
  return state.status === 'failed' ? `failed: ${state.error.code}` : state.status
}

describe('a user who has yet to agree', () => {
  test('is asked once, however often the agent asks', async () => {
    const { authority, ask, handle, clock } = await play()
    expect(shown(handle)).toBe('handle pending')
    const asked = authority.asked.length
    await pass(clock, 5_000)
    expect(await ask()).toBe(handle)
    expect(authority.asked).toHaveLength(asked)
    expect(authority.approvals.size).toBe(1)
  })

  test('agrees: the token is there within two seconds', async () => {
    const { authority, ask, handle, clock, find } = await play()
    authority.decide(handle.approval, 'approved')
    await pass(clock, 2_000)
    expect(stateOf(await find())).toBe('approved')
    const asked = authority.asked.length
    expect(tokenIn(await ask())).toBeTruthy()
    expect(authority.asked).toHaveLength(asked)
  })

  test('does not: and is not asked again at once', async () => {
    const { authority, ask, handle, clock, find } = await play()
    authority.decide(handle.approval, 'denied')
    await pass(clock, 2_000)
    expect(stateOf(await find())).toBe('denied')
    expect(shown(await ask())).toBe('consent_denied')
    expect(authority.approvals.size).toBe(1)
    await pass(clock, 10_000)
    expect(shown(await ask())).toBe('handle pending')
    expect(authority.approvals.size).toBe(2)
  })

  test('does not answer', async () => {
    const { ask, handle, clock, find } = await play()
    await pass(clock, 599_000)
    expect(stateOf(await find())).toBe('pending')
    await pass(clock, 1_000)
    expect(stateOf(await find())).toBe('expired')
    const other = (await ask()) as Handle
    expect(other.id).not.toBe(handle.id)
    // The answer can be had for ten minutes.
    await pass(clock, 300_000)
    expect(stateOf(await find())).toBe('expired')
    await pass(clock, 301_000)
    expect(stateOf(await find())).toBe('handle_unknown')
  })

  test('agrees while the authority is out: the token comes once it is back', async () => {
    const { authority, handle, clock, find } = await play()
    authority.decide(handle.approval, 'approved')
    authority.goOut()
    await pass(clock, 60_000)
    expect(stateOf(await find())).toBe('pending')
    authority.comeBack()
    await pass(clock, 11_000)
    expect(stateOf(await find())).toBe('approved')
  })

  test('agrees, and no token can be had at once: whoever asks again waits by the same handle', async () => {
    const { authority, handle, clock, find, ask } = await play()
    authority.decide(handle.approval, 'approved')
    const exchange = authority.exchange.bind(authority)
    authority.exchange = () =>
      Promise.resolve(new ExchangeFailure('outage', 'authority_unavailable', 'it answered 503'))
    await pass(clock, 30_000)
    expect(stateOf(await find())).toBe('pending')
    expect(await ask()).toBe(handle)
    authority.exchange = exchange
    await pass(clock, 20_000)
    expect(stateOf(await find())).toBe('approved')
  })

  test('agrees, and then the subject token is worth nothing', async () => {
    const { authority, handle, clock, find } = await play()
    authority.revoke('user_a')
    authority.decide(handle.approval, 'approved')
    await pass(clock, 2_000)
    expect(stateOf(await find())).toBe('failed: exchange_refused')
  })

  test('agreed to less than is asked for: the agent is told, and a new question is a new one', async () => {
    const { authority, handle, clock, find, ask } = await play()
    authority.decide(handle.approval, 'approved')
    authority.undecided.add('user_a specialist')
    await pass(clock, 2_000)
    expect(stateOf(await find())).toBe('failed: consent_required')
    expect(shown(await ask())).toBe('handle pending')
  })

  test('of whom the authority knows nothing any more', async () => {
    const { authority, clock, find } = await play()
    authority.approvals.clear()
    await pass(clock, 2_000)
    expect(stateOf(await find())).toBe('failed: consent_unknown')
  })
})

describe('a handle', () => {
  test('ends with its session', async () => {
    const { workload, session, find } = await play()
    const owner = await ownerOf(workload)
    if (owner instanceof BrokerError) throw new Error(owner.code)
    const acting = workload.subjects.session(session, owner)
    if (acting instanceof BrokerError) throw new Error(acting.code)
    workload.subjects.end(acting)
    expect(stateOf(await find())).toBe('handle_unknown')
    expect(workload.subjects.pending()).toEqual([])
  })

  test('is nothing to another pod, nor to another agent in this one', async () => {
    const { world, handle, find, become } = await play()
    const other = world.pod('specialist', 'another-uid')
    const owner = await ownerOf(other.workload)
    if (owner instanceof BrokerError) throw new Error(owner.code)
    expect(stateOf(other.workload.subjects.handle(handle.id, owner))).toBe('handle_unknown')
    await become('orchestrator')
    expect(stateOf(await find())).toBe('handle_unknown')
    await become('specialist')
    expect(stateOf(await find())).toBe('pending')
  })

  test.each([
    ['', 'handle_unknown'],
    ['abc', 'handle_unknown'],
    [`AAAAAAAA.${'A'.repeat(43)}`, 'handle_lost'],
    [`AAAAAAAA.${'A'.repeat(44)}`, 'handle_unknown'],
  ])('%j', async (id, code) => {
    const { find } = await play()
    expect(stateOf(await find(id))).toBe(code)
  })

  test('is one of 32 that wait; the next question is not put to anybody', async () => {
    const { world, workload, authority } = await play()
    const ask = (count: number) => {
      const user = `user_${String(count)}`
      authority.undecided.add(`${user} specialist`)
      return act(world, workload, byToken(authority.userToken(user)), at('https://docs.example'))
    }
    for (let count = 1; count < 32; count += 1) {
      expect(shown(await ask(count))).toBe('handle pending')
    }
    expect(shown(await ask(32))).toBe('handles_exhausted')
    expect(workload.subjects.pending()).toHaveLength(32)
  })
})
