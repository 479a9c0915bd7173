import { describe, expect, test } from 'vitest'
import { keepFresh } from '../../../src/broker/refresh.ts'
import { pass } from '../../fakes/broker.ts'
import {
  analyst,
  callingPods,
  issuedFor,
  podName,
  readIssued,
  reporter,
  type Pod,
} from '../../fakes/calling_pods.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'

let clock = new FakeClock()
/** One key for all tests: to make one takes longer than a test. */
const cluster = new FakeCluster(() => clock.now)

async function start(changes: Parameters<typeof callingPods>[0] = {}) {
  clock = new FakeClock()
  const pods = await callingPods({ clock, cluster, ...changes })
  /** A token that ends so many seconds from now. */
  const tokenUntil = (left: number, pod: Pod = analyst) =>
    pods.tokenOf(pod, { claims: { exp: clock.now + left } })
  const usedUntil = () =>
    pods.authority.asked.map(({ subjectToken }) => issuedFor(subjectToken).exp - clock.now)
  return { ...pods, tokenUntil, usedUntil }
}

describe('the proof of a pod', () => {
  test('is the newest that it showed', async () => {
    const { call, tokenUntil, usedUntil } = await start()
    const [older, newer] = [await tokenUntil(600), await tokenUntil(900)]
    await call(older, 'audience=a')
    await call(newer, 'audience=b')
    await call(older, 'audience=c')
    // By then it is no longer remembered, and is verified and offered anew.
    clock.advance(11_000)
    await call(older, 'audience=d')
    expect(usedUntil()).toEqual([589, 889, 889, 889])
  })

  test('of an older token finds what a newer one brought', async () => {
    const { call, tokenUntil, residents } = await start()
    const answers = [await tokenUntil(900), await tokenUntil(600)].map((token) => call(token))
    expect(new Set((await Promise.all(answers)).map(readIssued)).size).toBe(1)
    expect(residents()).toHaveLength(1)
  })

  test('is not that of another pod of the same account', async () => {
    const { call, tokenUntil, usedUntil } = await start()
    const twin: Pod = { ...analyst, uid: 'uid-twin' }
    expect(readIssued(await call(await tokenUntil(600)))).toBe(`${podName(analyst)} 1`)
    expect(readIssued(await call(await tokenUntil(900, twin)))).toBe(`${podName(twin)} 2`)
    await call(await tokenUntil(600), 'audience=b')
    expect(usedUntil()).toEqual([600, 900, 600])
  })

  test('refreshes its tokens for as long as it is good, and is not fetched anew', async () => {
    const pods = await start()
    const { call, authority, getToken, tokenUntil, residents } = pods
    const stop = keepFresh({
      getToken,
      workloads: () => pods.callers.workloads(),
      followsFile: false,
      maxEntries: 100,
      clock,
    })
    authority.lifetimeSeconds = 300
    const token = await tokenUntil(900)
    for (let second = 0; second < 890; second += 10) {
      expect(readIssued(await call(token))).toMatch(podName(analyst))
      await pass(clock, 10_000)
    }
    expect(authority.asked.length).toBeGreaterThan(3)
    expect(authority.asked.every(({ subjectToken }) => subjectToken === token)).toBe(true)
    await pass(clock, 20_000)
    const { length } = authority.asked
    expect(residents()).toEqual([])
    await pass(clock, 900_000, 10_000)
    stop()
    expect(authority.asked).toHaveLength(length)
  })
})

describe('tokens die with the proof that they came from', () => {
  test.each([
    [
      'as time passes',
      () => {
        clock.advance(600_000)
      },
    ],
    [
      'as the wall clock jumps',
      () => {
        clock.jump(600_000)
      },
    ],
    [
      'though the wall clock was set back',
      () => {
        clock.jump(-3_600_000)
        clock.advance(600_000)
      },
    ],
  ])('%s', async (_, passes) => {
    const { call, residents, tokenUntil } = await start()
    await call(await tokenUntil(600))
    passes()
    expect(residents()).toEqual([])
    expect(readIssued(await call(await tokenUntil(600)))).toBe(`${podName(analyst)} 2`)
  })

  test('even if nobody looked meanwhile', async () => {
    const { call, tokenUntil } = await start()
    await call(await tokenUntil(600))
    clock.advance(600_000)
    expect(readIssued(await call(await tokenUntil(600)))).toBe(`${podName(analyst)} 2`)
  })

  test('and not before: a newer one keeps them', async () => {
    const { call, tokenUntil } = await start()
    await call(await tokenUntil(600))
    await call(await tokenUntil(900))
    clock.advance(700_000)
    expect(readIssued(await call(await tokenUntil(600)))).toBe(`${podName(analyst)} 1`)
  })
})

test('a pod that was made again shares nothing with the one before it', async () => {
  const { call, tokenUntil, residents } = await start()
  const again: Pod = { ...analyst, uid: 'uid-again' }
  for (const query of ['', 'audience=a', 'scope=s']) await call(await tokenUntil(600), query)
  for (const [index, query] of ['', 'audience=a', 'scope=s'].entries()) {
    const answer = await call(await tokenUntil(600, again), query)
    expect(readIssued(answer)).toBe(`${podName(again)} ${String(index + 4)}`)
  }
  expect(residents()).toHaveLength(2)
})

describe('bounds', () => {
  const podOf = (index: number): Pod => ({ account: 'many', uid: `uid-${String(index)}` })

  test('beyond its number the pod that called longest ago goes, with its tokens', async () => {
    const { call, tokenUntil, residents } = await start({ maxWorkloads: 2 })
    await call(await tokenUntil(600, podOf(0)))
    await call(await tokenUntil(600, podOf(1)))
    await call(await tokenUntil(600, podOf(0)))
    await call(await tokenUntil(600, podOf(2)))
    expect(new Set(residents().map(({ proofs }) => proofs.last()?.subject.instance))).toEqual(
      new Set(['uid-0', 'uid-2']),
    )
    expect(readIssued(await call(await tokenUntil(600, podOf(0))))).toMatch(/ 1$/)
    expect(readIssued(await call(await tokenUntil(600, podOf(1))))).toMatch(/ 4$/)
  })

  test('a token that was seen of a pod that went is verified anew', async () => {
    const { call, tokenUntil, verifier } = await start({ maxWorkloads: 1 })
    const token = await tokenUntil(600)
    await call(token)
    await call(await tokenUntil(600, reporter))
    expect(readIssued(await call(token))).toBe(`${podName(analyst)} 3`)
    expect(verifier.verified).toBe(3)
  })

  test('no pod drives out the tokens of another', async () => {
    const pods = await start({ maxEntries: 1_000 })
    const { call, getToken, tokenUntil } = pods
    const stop = keepFresh({
      getToken,
      workloads: () => pods.callers.workloads(),
      followsFile: false,
      maxEntries: 50,
      clock,
    })
    await call(await tokenUntil(600, reporter))
    const greedy = await tokenUntil(600)
    for (let index = 0; index < 200; index += 1) await call(greedy, `audience=${String(index)}`)
    await pass(clock, 1_000)
    stop()
    const held = pods.residents().map(({ tokens }) => tokens.size)
    expect(held.reduce((sum, size) => sum + size, 0)).toBe(50)
    expect(readIssued(await call(await tokenUntil(600, reporter)))).toBe(`${podName(reporter)} 1`)
  })
})

describe('a pod that is forgotten is told of, so that its sessions end', () => {
  test('as another takes its place', async () => {
    const { call, callers, tokenUntil } = await start({ maxWorkloads: 1 })
    const gone: unknown[] = []
    await call(await tokenUntil(600), '')
    const [first] = callers.workloads()
    callers.onGone((workload) => gone.push(workload))
    await call(await tokenUntil(600, reporter), '')
    expect(gone).toEqual([first])
  })

  test('as its proof ends, once', async () => {
    const { call, callers, tokenUntil } = await start()
    const gone: unknown[] = []
    await call(await tokenUntil(600), '')
    const [first] = callers.workloads()
    callers.onGone((workload) => gone.push(workload))
    expect([...callers.workloads()]).toEqual([first])
    clock.advance(601_000)
    expect([...callers.workloads()]).toEqual([])
    expect([...callers.workloads()]).toEqual([])
    expect(gone).toEqual([first])
  })
})
