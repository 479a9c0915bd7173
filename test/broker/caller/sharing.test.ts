import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { pass } from '../../fakes/broker.ts'
import { callingPods, podName, podToken, readIssued, type Pod } from '../../fakes/calling_pods.ts'
import { keepFresh } from '../../../src/broker/refresh.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'

let clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)

/** Of one account and of several, made again and not, with names that a careless joining would confuse. */
const pods: readonly Pod[] = [
  { account: 'a', uid: 'u1' },
  { account: 'a', uid: 'u2' },
  { account: 'b', uid: 'u1' },
  { account: 'b', uid: 'u11' },
  { account: 'a-u1', uid: '1' },
]

type Step =
  | { readonly does: 'call'; readonly pod: number; readonly token: number; readonly query: string }
  | { readonly does: 'rotate'; readonly pod: number; readonly left: number }
  | { readonly does: 'pass'; readonly seconds: number }
  | { readonly does: 'jump'; readonly seconds: number }
  | { readonly does: 'slow' | 'release' }

const pod = fc.nat({ max: pods.length - 1 })
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        does: fc.constant('call' as const),
        pod,
        token: fc.nat({ max: 3 }),
        query: fc.constantFrom('', 'audience=x', 'agent=y'),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant('rotate' as const),
        pod,
        left: fc.integer({ min: 5, max: 1_200 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        does: fc.constant('pass' as const),
        seconds: fc.constantFrom(1, 11, 120, 700),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        does: fc.constant('jump' as const),
        seconds: fc.constantFrom(-4_000, -60, 60, 700),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ does: fc.constantFrom('slow' as const, 'release' as const) }),
    },
  ),
  { minLength: 15, maxLength: 60, size: 'max' },
)

test('whoever calls, rotates and waits in whichever order: a token goes to the pod that it is for', async () => {
  let served = 0
  await fc.assert(
    fc.asyncProperty(steps, fc.constantFrom(2, 100), async (many, maxWorkloads) => {
      clock = new FakeClock()
      const broker = await callingPods({ clock, cluster, maxWorkloads })
      broker.authority.lifetimeSeconds = 300
      const stop = keepFresh({
        getToken: broker.getToken,
        workloads: () => broker.callers.workloads(),
        followsFile: false,
        maxEntries: 100,
        clock,
      })
      const tokens = new Map<number, string[]>()
      for (const [index, one] of pods.entries()) {
        tokens.set(index, [await cluster.token(podToken(one))])
      }
      const calls: Promise<{ readonly name: string; readonly got: string }>[] = []
      for (const step of many) {
        if (step.does === 'rotate') {
          const changes = { claims: { exp: clock.now + step.left } }
          const token = await cluster.token(podToken(pods[step.pod] as Pod, changes))
          tokens.set(step.pod, [...(tokens.get(step.pod) ?? []), token])
        } else if (step.does === 'call') {
          const own = tokens.get(step.pod) ?? []
          const shown = own[step.token % own.length] ?? ''
          const name = podName(pods[step.pod] as Pod)
          calls.push(
            broker.call(shown, step.query).then((outcome) => ({ name, got: readIssued(outcome) })),
          )
        } else if (step.does === 'pass') await pass(clock, step.seconds * 1_000, 5_000)
        else if (step.does === 'jump') clock.jump(step.seconds * 1_000)
        else if (step.does === 'slow') broker.authority.slowDown()
        else broker.authority.release()
      }
      broker.authority.release()
      await pass(clock, 20_000)
      const answers = await Promise.all(calls)
      stop()
      const tokensServed = answers.filter(({ got }) => got.startsWith('system:'))
      for (const { name, got } of tokensServed) expect(got.replace(/ \d+$/, '')).toBe(name)
      served += tokensServed.length
    }),
    { numRuns: 100 },
  )
  expect(served).toBeGreaterThan(100)
})
