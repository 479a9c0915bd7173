import { describe, expect, test } from 'vitest'
import type { ReviewedWorkload } from '../../../src/verifier/kubernetes/review_answer.ts'
import { ProofRefusal } from '../../../src/verifier/refusal.ts'
import { FakeApiServer } from '../../fakes/api_server.ts'
import type { TokenChanges } from '../../fakes/cluster.ts'
import {
  ACCOUNT,
  audience,
  clock,
  cluster,
  OTHER,
  POD,
  setUp,
  token,
  unbound,
  workload,
} from './reviewing.ts'

describe('a token', () => {
  const without = { pod: undefined, node: undefined }
  const cases: readonly {
    readonly name: string
    readonly token?: TokenChanges
    readonly of?: ReviewedWorkload
    readonly before?: (server: FakeApiServer) => void
    readonly outcome: 'passed' | 'review_denied'
  }[] = [
    { name: 'of a pod that is there', outcome: 'passed' },
    { name: 'bound to nothing', token: { bound: without }, of: unbound, outcome: 'passed' },
    {
      name: 'whose pod is gone',
      before: (server) => {
        server.delete(POD)
      },
      outcome: 'review_denied',
    },
    {
      name: 'whose account is gone',
      before: (server) => {
        server.delete(ACCOUNT)
      },
      outcome: 'review_denied',
    },
    {
      name: 'whose account was made anew',
      before: (server) => {
        server.delete(ACCOUNT)
        server.objects.add(OTHER)
      },
      outcome: 'review_denied',
    },
    {
      name: 'at a server that knows nothing of audiences',
      before: (server) => {
        server.audienceUnaware = true
      },
      outcome: 'review_denied',
    },
    {
      name: 'for another audience',
      token: { claims: { aud: ['https://elsewhere.example'] } },
      outcome: 'review_denied',
    },
    { name: 'that has expired', token: { claims: { exp: 1 } }, outcome: 'review_denied' },
    {
      name: 'that was read as of another account',
      of: { ...workload, subject: 'system:serviceaccount:research:other' },
      outcome: 'review_denied',
    },
    {
      name: 'that was read as of another uid',
      of: { ...workload, serviceAccount: { name: 'doc-analyst', uid: OTHER } },
      outcome: 'review_denied',
    },
    {
      name: 'that was read as of another pod',
      of: { ...workload, pod: { name: 'doc-analyst-0', uid: OTHER } },
      outcome: 'review_denied',
    },
    {
      name: 'that was read as of a pod and is bound to none',
      token: { bound: without },
      outcome: 'review_denied',
    },
  ]

  test.each(cases)('$name', async ({ token: changes, of, before, outcome }) => {
    for (const mode of ['required', 'preferred'] as const) {
      const { server, check, counted } = setUp(mode)
      before?.(server)
      expect(await check(await cluster.token(changes), of)).toBe(outcome)
      const label = outcome === 'passed' ? 'passed' : 'denied'
      expect(await counted()).toEqual([
        `lumo_token_reviews_total{provider="prod",outcome="${label}"} 1`,
      ])
      expect(server.asked).toEqual([{ audiences: [audience] }])
    }
  })

  test.each([
    ['names two pods', { extra: { 'authentication.kubernetes.io/pod-uid': [POD, OTHER] } }],
    ['names no pod', { extra: {} }],
    ['has no extra', { extra: undefined }],
    ['has no uid', { uid: undefined }],
    ['has no username', { username: undefined }],
    ['is said to be good for other audiences', { audiences: ['https://elsewhere.example'] }],
  ])('whose answer %s', async (_name, changes) => {
    const good = await new FakeApiServer(cluster, clock).ask(token, audience)
    const { check } = setUp('required', () => Promise.resolve({ ...good, ...changes }))
    expect(await check(token)).toBe('review_denied')
  })

  test('that is refused is refused in words that quote nothing', async () => {
    const { server, reviews } = setUp()
    const elsewhere = await cluster.token({ claims: { aud: ['https://elsewhere.example'] } })
    const other = await reviews.check(elsewhere, audience, workload)
    server.delete(POD)
    const gone = await reviews.check(token, audience, workload)
    expect([other, gone]).toEqual([
      new ProofRefusal('review_denied', 'the API server does not accept the token', 'prod'),
      new ProofRefusal(
        'review_denied',
        'what the token is bound to, or its service account, is gone',
        'prod',
      ),
    ])
  })
})

describe('a good answer', () => {
  test('is believed for 10 s from when it was asked for', async () => {
    const { server, check, counted } = setUp()
    server.hold()
    const first = check(token)
    clock.advance(2_000)
    server.release()
    expect(await first).toBe('passed')
    server.delete(POD)
    clock.advance(7_999)
    expect(await check(token)).toBe('passed')
    expect(server.asked).toHaveLength(1)
    clock.advance(1)
    expect(await check(token)).toBe('review_denied')
    expect(server.asked).toHaveLength(2)
    expect(await counted()).toEqual([
      'lumo_token_reviews_total{provider="prod",outcome="passed"} 2',
      'lumo_token_reviews_total{provider="prod",outcome="denied"} 1',
    ])
  })

  test('is not prolonged by being used, nor by a wall clock that is set back', async () => {
    const { server, check } = setUp()
    for (let second = 0; second < 10; second += 1) {
      expect(await check(token)).toBe('passed')
      clock.advance(1_000)
      clock.jump(-1_000)
    }
    expect(server.asked).toHaveLength(1)
    expect(await check(token)).toBe('passed')
    expect(server.asked).toHaveLength(2)
  })

  test('says nothing of another token of the same pod, nor of another reading of the same token', async () => {
    const { server, check } = setUp()
    expect(await check(token)).toBe('passed')
    server.delete(POD)
    expect(await check(await cluster.token({ claims: { jti: 'another' } }))).toBe('review_denied')
    expect(await check(token, { ...workload, subject: 'other' })).toBe('review_denied')
    expect(await check(token)).toBe('passed')
  })

  test('is forgotten for newer ones past ten thousand', async () => {
    const { server } = setUp()
    const good = await server.ask(token, audience)
    let asked = 0
    const { check } = setUp('required', () => {
      asked += 1
      return Promise.resolve(good)
    })
    for (let index = 0; index <= 10_000; index += 1) await check(`token ${String(index)}`)
    expect(asked).toBe(10_001)
    await check('token 1')
    expect(asked).toBe(10_001)
    await check('token 0')
    expect(asked).toBe(10_002)
  })
})

test('a bad answer is never kept', async () => {
  const { server, check } = setUp()
  server.delete(POD)
  expect(await check(token)).toBe('review_denied')
  server.objects.add(POD)
  expect(await check(token)).toBe('passed')
})

describe('one question', () => {
  test('answers everybody who shows the token meanwhile', async () => {
    const { server, check, counted } = setUp()
    server.hold()
    const checks = Array.from({ length: 50 }, () => check(token))
    server.release()
    expect(new Set(await Promise.all(checks))).toEqual(new Set(['passed']))
    expect(server.asked).toHaveLength(1)
    expect(await counted()).toEqual([
      'lumo_token_reviews_total{provider="prod",outcome="passed"} 50',
    ])
  })

  test('that failed is asked again by the next', async () => {
    const { server, check } = setUp()
    server.down = true
    expect(await check(token)).toBe('2')
    server.down = false
    expect(await check(token)).toBe('passed')
  })
})
