import { expect, test } from 'vitest'
import type { BrokerError } from '../../src/broker/errors.ts'
import { revokeHeld } from '../../src/broker/revoke_held.ts'
import { servableOf, type Servable } from '../../src/broker/servable.ts'
import { plainWish } from '../../src/broker/wish.ts'
import type { CacheKey } from '../../src/cache/key.ts'
import { TokenCache } from '../../src/cache/token_cache.ts'
import { ask, settled, testBroker } from '../fakes/broker.ts'

/** A broker that holds so many tokens. */
async function holding(count: number) {
  const broker = testBroker()
  for (let held = 0; held < count; held += 1) await ask(broker, `audience=a${String(held)}`)
  const outcomes = async () => {
    const lines = (await broker.metrics.text()).split('\n')
    return lines.flatMap(
      (line) =>
        /^lumo_revocations_total\{outcome="(\w+)"\} (\d+)$/.exec(line)?.slice(1).join(' ') ?? [],
    )
  }
  return { ...broker, outcomes }
}

const tokens = (count: number) =>
  Array.from({ length: count }, (_, index) => `token-${String(index + 1)}`)

test('every token that is held is revoked, once', async () => {
  const broker = await holding(20)
  const asked: string[] = []
  const revoke = (token: string) => Promise.resolve(asked.push(token) > 0)
  await revokeHeld([broker.workload], revoke, broker, 5_000)
  expect(new Set(asked)).toEqual(new Set(tokens(20)))
  expect(asked).toHaveLength(20)
  expect(await broker.outcomes()).toEqual(['revoked 20', 'failed 0', 'left 0'])
})

test('what was replaced is revoked as well, what would live longest first', async () => {
  const { clock, random, log, metrics } = await holding(0)
  const tokens = new TokenCache<Servable, BrokerError>(10, { clock, random }, true)
  const put = (text: string, lifetimeMs: number) => {
    const issued = { accessToken: text, scope: undefined, lifetimeSeconds: lifetimeMs / 1000 }
    tokens.put(
      'key' as CacheKey,
      servableOf(issued, { wish: plainWish, asked: plainWish }, undefined),
      lifetimeMs,
      tokens.ask(),
    )
  }
  put('ended', 1_000)
  clock.advance(1_000)
  put('first', 9_000)
  clock.advance(1_000)
  put('second', 10_000)
  // The same once more, as some authorities do while a token is young.
  put('second', 10_000)
  const asked: string[] = []
  const revoke = (token: string) => Promise.resolve(asked.push(token) > 0)
  await revokeHeld([{ tokens }], revoke, { clock, log, metrics }, 5_000)
  expect(asked).toEqual(['second', 'first'])
})

test('not more than 8 at a time', async () => {
  const broker = await holding(20)
  let underWay = 0
  let most = 0
  const revoke = async () => {
    underWay += 1
    most = Math.max(most, underWay)
    await settled()
    underWay -= 1
    return true
  }
  await revokeHeld([broker.workload], revoke, broker, 5_000)
  expect(most).toBe(8)
})

test('what fails is counted, and the rest goes on', async () => {
  const broker = await holding(10)
  await revokeHeld(
    [broker.workload],
    (token) => Promise.resolve(token !== 'token-4'),
    broker,
    5_000,
  )
  expect(await broker.outcomes()).toEqual(['revoked 9', 'failed 1', 'left 0'])
})

test('what is left when the time is up is left', async () => {
  const broker = await holding(20)
  const answers: ((revoked: boolean) => void)[] = []
  const revoke = () => new Promise<boolean>((answer) => answers.push(answer))
  const ending = revokeHeld([broker.workload], revoke, broker, 5_000)
  await settled()
  for (const answer of answers.splice(0, 3)) answer(true)
  await settled()
  broker.clock.advance(5_000)
  await ending
  expect(await broker.outcomes()).toEqual(['revoked 3', 'failed 0', 'left 17'])
  // What was under way then begins nothing more.
  const underWay = answers.length
  for (const answer of answers) answer(true)
  await settled()
  expect(answers).toHaveLength(underWay)
  expect(broker.log.text()).not.toContain('token-')
})

test('where nothing is held nothing is asked', async () => {
  const broker = await holding(0)
  await revokeHeld([broker.workload], () => Promise.reject(new Error('asked')), broker, 5_000)
  expect(await broker.outcomes()).toEqual(['revoked 0', 'failed 0', 'left 0'])
})
