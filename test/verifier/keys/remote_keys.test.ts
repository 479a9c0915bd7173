import type { KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import type { KeysUnavailable } from '../../../src/verifier/keys/key_source.ts'
import { RemoteKeys } from '../../../src/verifier/keys/remote_keys.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeIssuer } from '../../fakes/issuer.ts'
import { FakeLog } from '../../fakes/log.ts'

const cluster = new FakeCluster(() => 0)
const rotated = new FakeCluster(() => 0)
const HOUR = 3_600_000

function setUp() {
  const clock = new FakeClock()
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const issuer = new FakeIssuer(cluster)
  const keys = new RemoteKeys('prod', issuer.fetch, { clock, log, metrics })
  /** What a look-up came to: the cluster whose key it is, `unknown`, or the seconds to wait. */
  const find = async (kid = cluster.kid): Promise<string | number> => {
    const found = await keys.find(kid, 'RS256')
    return shown(found)
  }
  return { clock, log, metrics, issuer, keys, find }
}

function shown(found: KeyObject | 'unknown' | KeysUnavailable): string | number {
  if (found === 'unknown') return found
  if ('unavailable' in found) return found.retryAfterSeconds
  return found.equals(rotated.publicKey) ? 'rotated' : 'key'
}

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)))

test('nobody waits for one more attempt at an issuer that keeps failing, while the last keys are good', async () => {
  const { clock, issuer, find } = setUp()
  expect(await find()).toBe('key')
  issuer.down = true
  clock.advance(HOUR + 1)
  expect(await find()).toBe('key')
  clock.advance(30_000)
  issuer.hold()
  expect(await find()).toBe('key')
  issuer.release()
})

describe('one flight', () => {
  test('serves fifty look-ups', async () => {
    const { issuer, find } = setUp()
    issuer.hold()
    const looking = times(50, () => find())
    issuer.release()
    expect(new Set(await looking)).toEqual(new Set(['key']))
    expect(issuer.fetches).toBe(1)
  })

  test('that fails fails fifty look-ups', async () => {
    const { issuer, find } = setUp()
    issuer.down = true
    issuer.hold()
    const looking = times(50, () => find())
    issuer.release()
    expect(new Set(await looking)).toEqual(new Set([1]))
    expect(issuer.fetches).toBe(1)
  })

  test('serves fifty look-ups of keys that do not exist', async () => {
    const { issuer, find } = setUp()
    issuer.hold()
    const looking = times(50, (index) => find(`k${String(index)}`))
    issuer.release()
    // The first has asked for it; to the others it was on its way already.
    const [first, ...others] = await looking
    expect(first).toBe('unknown')
    expect(new Set(others)).toEqual(new Set([5]))
    expect(issuer.fetches).toBe(1)
  })

  test('that began before a rotation says nothing of the new key to who joins it', async () => {
    const { clock, issuer, find } = setUp()
    issuer.hold()
    const rubbish = find('rubbish')
    const joined = find('rotated')
    issuer.release()
    expect(await rubbish).toBe('unknown')
    expect(await joined).toBe(5)
    clock.advance(5_000)
    expect(await find('rotated')).toBe('unknown')
  })

  test('does not begin before the first look-up', () => {
    expect(setUp().issuer.fetches).toBe(0)
  })
})

describe('a kid that is not known', () => {
  test('is fetched for at once, then again only after the cool-down', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find('other')).toBe('unknown')
    expect(await find('other')).toBe(5)
    clock.advance(4_001)
    expect(await find('other')).toBe(1)
    clock.advance(998)
    expect(await find('other')).toBe(1)
    expect(issuer.fetches).toBe(1)
    clock.advance(1)
    expect(await find('other')).toBe('unknown')
    expect(issuer.fetches).toBe(2)
  })

  test('may be a new key, which is found after the cool-down', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.publish(cluster, rotated)
    expect(await find(rotated.kid)).toBe(5)
    clock.advance(5_000)
    expect(await find(rotated.kid)).toBe('rotated')
    expect(await find()).toBe('key')
    expect(issuer.fetches).toBe(2)
  })

  test('and two hundred of its kind cause one more fetch at most', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    for (let index = 0; index < 100; index++) expect(await find(`k${String(index)}`)).toBe(5)
    expect(issuer.fetches).toBe(1)
    clock.advance(5_000)
    expect(await find('k100')).toBe('unknown')
    const rest = await times(99, (index) => find(`k${String(index + 101)}`))
    expect(new Set(rest)).toEqual(new Set([5]))
    expect(issuer.fetches).toBe(2)
  })

  test('does not keep known keys from being found', async () => {
    const { issuer, find } = setUp()
    expect(await find()).toBe('key')
    expect(await find('other')).toBe(5)
    expect(await find()).toBe('key')
    expect(issuer.fetches).toBe(1)
  })

  test('is unavailable and not unknown while the issuer is down', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.down = true
    clock.advance(5_000)
    expect(await find('other')).toBe(1)
    expect(issuer.fetches).toBe(2)
  })

  test('is one of another algorithm as well', async () => {
    const { keys } = setUp()
    expect(shown(await keys.find(cluster.kid, 'PS256'))).toBe('unknown')
  })
})

describe('after a failure', () => {
  test('the pause doubles from one second to thirty', async () => {
    const { clock, issuer, find } = setUp()
    issuer.down = true
    const pauses: (string | number)[] = []
    for (let failures = 1; failures <= 8; failures++) {
      const pause = await find()
      pauses.push(pause)
      clock.advance(Number(pause) * 1_000 - 1)
      expect(await find()).toBe(1)
      expect(issuer.fetches).toBe(failures)
      clock.advance(1)
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 30, 30, 30])
  })

  test('a success begins anew', async () => {
    const { clock, issuer, find } = setUp()
    issuer.down = true
    expect(await find()).toBe(1)
    clock.advance(1_000)
    expect(await find()).toBe(2)
    clock.advance(2_000)
    issuer.down = false
    expect(await find()).toBe('key')
    issuer.down = true
    clock.advance(5_000)
    expect(await find('other')).toBe(1)
  })

  test('the pause begins when the fetch ends', async () => {
    const { clock, issuer, find } = setUp()
    issuer.down = true
    issuer.hold()
    const looking = find()
    clock.advance(5_000)
    issuer.release()
    expect(await looking).toBe(1)
    clock.advance(999)
    expect(await find()).toBe(1)
    expect(issuer.fetches).toBe(1)
  })

  test('the log says why, and when it will be tried again', async () => {
    const { issuer, log, find } = setUp()
    issuer.down = true
    await find()
    expect(log.lines).toEqual([
      {
        level: 'warn',
        message: 'a key set could not be fetched',
        fields: { provider: 'prod', reason: 'the issuer is down', retry_in_ms: 1_000 },
      },
    ])
  })
})

describe('the last good keys', () => {
  test('serve a failing issuer for a day and not longer', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.down = true
    clock.advance(HOUR)
    expect(await find()).toBe('key')
    clock.advance(23 * HOUR)
    expect(await find()).toBe('key')
    clock.advance(1)
    expect(await find()).toBe(2)
    clock.advance(2_000)
    issuer.down = false
    expect(await find()).toBe('key')
  })

  test('serve without a wait for a fetch that is paused', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.down = true
    clock.advance(HOUR)
    expect(await find()).toBe('key')
    expect(await find()).toBe('key')
    expect(issuer.fetches).toBe(2)
  })

  test('do not hold a key that was withdrawn', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.publish(rotated)
    clock.advance(600_001)
    expect(await find()).toBe('unknown')
    expect(await find(rotated.kid)).toBe('rotated')
    expect(issuer.fetches).toBe(2)
  })

  test('are replaced by a set without any', async () => {
    const { clock, issuer, find } = setUp()
    expect(await find()).toBe('key')
    issuer.publish()
    clock.advance(5_000)
    expect(await find('other')).toBe('unknown')
    expect(await find()).toBe(5)
  })
})

describe('a set is fetched anew after', () => {
  const ages: readonly (readonly [maxAge: number | undefined, milliseconds: number])[] = [
    [undefined, 600_000],
    [0, 5_000],
    [4, 5_000],
    [10, 10_000],
    [3_600, 3_600_000],
    [3_601, 3_600_000],
    [999_999_999, 3_600_000],
  ]
  test.each(ages)('max-age=%s: %i ms', async (maxAge, milliseconds) => {
    const { clock, issuer, find } = setUp()
    issuer.maxAgeSeconds = maxAge
    await find()
    clock.advance(milliseconds)
    await find()
    expect(issuer.fetches).toBe(1)
    clock.advance(1)
    expect(await find()).toBe('key')
    expect(issuer.fetches).toBe(2)
  })

  test('no jump of the wall clock', async () => {
    const { clock, issuer, find } = setUp()
    await find()
    for (const jump of [48 * HOUR, -96 * HOUR]) {
      clock.jump(jump)
      expect(await find()).toBe('key')
    }
    expect(issuer.fetches).toBe(1)
  })
})

test('metrics count the fetches and tell the age', async () => {
  const { clock, issuer, metrics, find } = setUp()
  expect(await metrics.text()).toContain('lumo_key_set_age_seconds{provider="prod"} -1')
  issuer.down = true
  await find()
  clock.advance(1_000)
  issuer.down = false
  await find()
  clock.advance(90_000)
  const text = await metrics.text()
  expect(text).toContain('lumo_key_set_age_seconds{provider="prod"} 90')
  expect(text).toContain('lumo_key_fetches_total{provider="prod",outcome="fetched"} 1')
  expect(text).toContain('lumo_key_fetches_total{provider="prod",outcome="failed"} 1')
})
