import { describe, expect, test } from 'vitest'
import type { AskReview } from '../../../src/verifier/kubernetes/token_review.ts'
import { FakeApiServer } from '../../fakes/api_server.ts'
import { clock, cluster, setUp, token, type Mode } from './reviewing.ts'

/** `waiting` when nothing has come of it yet. */
const stateOf = (pending: Promise<string>): Promise<string> =>
  Promise.race([pending, new Promise<string>((resolve) => setImmediate(resolve, 'waiting'))])

describe('an API server that cannot be asked', () => {
  test.each<[Mode, string]>([
    ['required', '2'],
    ['preferred', 'passed'],
  ])('%s', async (mode, outcome) => {
    const { server, check, counted } = setUp(mode)
    server.down = true
    expect(await check(token)).toBe(outcome)
    // Nothing was confirmed, so nothing is remembered.
    expect(await check(token)).toBe(outcome)
    expect(server.asked).toHaveLength(2)
    expect(await counted()).toEqual([
      'lumo_token_reviews_total{provider="prod",outcome="failed"} 2',
    ])
  })

  test.each<[Mode, number, string]>([
    ['required', 3_000, '2'],
    ['preferred', 1_500, 'passed'],
  ])('%s is waited for %i ms', async (mode, patience, outcome) => {
    const { server, check } = setUp(mode)
    server.hold()
    const pending = check(token)
    clock.advance(patience - 1)
    expect(await stateOf(pending)).toBe('waiting')
    clock.advance(1)
    expect(await stateOf(pending)).toBe(outcome)
    server.release()
  })

  test('is spoken of once in 30 s, with its reason and without what a stranger said', async () => {
    const { server, log, check } = setUp('preferred')
    server.down = true
    await check(token)
    clock.advance(29_999)
    await check(token)
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'tokens pass without being reviewed',
        fields: { provider: 'prod', reason: '127.0.0.1: ECONNREFUSED' },
      },
    ])
    clock.advance(1)
    await check(token)
    expect(log.lines).toHaveLength(2)
    const { log: other, check: checkOther } = setUp('required', () =>
      Promise.reject(new Error(`cannot send ${token}`)),
    )
    expect(await checkOther(token)).toBe('2')
    expect(other.lines).toMatchObject([{ message: 'tokens wait, for they cannot be reviewed' }])
    expect(other.text()).not.toContain(token)
  })
})

test('where our own places are taken, preferred waits as well: else whoever takes them could have tokens pass', async () => {
  const server = new FakeApiServer(cluster, clock)
  const { check } = setUp('preferred', (token, audience) => server.ask(token, audience))
  server.hold()
  const tokens = await Promise.all(
    Array.from({ length: 65 }, (_, index) =>
      cluster.token({ claims: { jti: `p${String(index)}` } }),
    ),
  )
  const first = tokens.slice(0, 64).map((each) => check(each))
  expect(await check(tokens[64] ?? '')).toBe('1')
  server.release()
  expect(new Set(await Promise.all(first))).toEqual(new Set(['passed']))
})

test('sixty-four questions are under way at most, and one that nobody waits for any more is among them', async () => {
  const server = new FakeApiServer(cluster, clock)
  const asked: ReturnType<AskReview>[] = []
  const { check } = setUp('required', (token, audience) => {
    const answer = server.ask(token, audience)
    asked.push(answer)
    return answer
  })
  server.hold()
  const tokens = await Promise.all(
    Array.from({ length: 65 }, (_, index) => cluster.token({ claims: { jti: String(index) } })),
  )
  const first = tokens.slice(0, 64).map((each) => check(each))
  const [last = ''] = tokens.slice(64)
  expect(await check(last)).toBe('1')
  clock.advance(3_000)
  expect(new Set(await Promise.all(first))).toEqual(new Set(['2']))
  expect(await check(last)).toBe('1')
  expect(asked).toHaveLength(64)
  server.release()
  await Promise.all(asked)
  expect(await check(last)).toBe('passed')
})
