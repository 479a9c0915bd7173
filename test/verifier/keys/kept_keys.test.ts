import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import { StoreFault } from '../../../src/store/store.ts'
import { fetchKeys } from '../../../src/verifier/keys/fetch_keys.ts'
import type { KeptKeys, KeptKeySet } from '../../../src/verifier/keys/kept_keys.ts'
import { RemoteKeys } from '../../../src/verifier/keys/remote_keys.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { FakeLog } from '../../fakes/log.ts'
import { FakeWeb } from './web.ts'

const cluster = new FakeCluster(() => 0)
const rotated = new FakeCluster(() => 0)
const jwks = JSON.stringify(await cluster.jwks())
const URL_OF_KEYS = 'https://keys.example/jwks'
const HOUR = 3_600_000

/** A place for a set that outlives the program, and may be out. */
class Shelf implements KeptKeys {
  set: KeptKeySet | undefined
  out = false
  saves = 0
  loads = 0

  load(): Promise<KeptKeySet | undefined> {
    this.loads += 1
    return this.out ? Promise.reject(new StoreFault('disk I/O error')) : Promise.resolve(this.set)
  }

  save(text: string, fetchedAt: number): Promise<void> {
    if (this.out) return Promise.reject(new StoreFault('disk I/O error'))
    this.saves += 1
    this.set = { text, fetchedAt }
    return Promise.resolve()
  }
}

/** The world of a provider, in which the program can be started again and again. */
function setUp(stalenessMs?: number) {
  const clock = new FakeClock()
  const log = new FakeLog()
  const web = new FakeWeb()
  const shelf = new Shelf()
  web.addresses['keys.example'] = ['93.184.215.14']
  web.pages[URL_OF_KEYS] = jwks
  const location = {
    from: { jwksUrl: new URL(URL_OF_KEYS) },
    hosts: [],
    caFile: undefined,
    bearerTokenFile: undefined,
  }
  const start = () => {
    const metrics = new PrometheusMetrics()
    const keys = new RemoteKeys(
      'prod',
      () => fetchKeys(location, { http: web.client, files: new FakeFiles() }),
      { clock, log, metrics },
      { kept: shelf, stalenessMs },
    )
    /** `key`, `unknown`, or the seconds to wait. */
    const find = async (kid = cluster.kid): Promise<string | number> => {
      const found = await keys.find(kid, 'RS256')
      if (found === 'unknown') return found
      return 'unavailable' in found ? found.retryAfterSeconds : 'key'
    }
    const gauge = async (name: string) =>
      new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(await metrics.text())?.[1]
    return { find, gauge, metrics }
  }
  const messages = () =>
    log.lines.map(({ message, fields }) => `${message}: ${String(fields['reason'])}`)
  return { clock, log, web, shelf, start, messages }
}

describe('the last good set', () => {
  test('survives a restart while the issuer is down', async () => {
    const { clock, web, shelf, start } = setUp()
    expect(await start().find()).toBe('key')
    expect(shelf.set).toEqual({ text: jwks, fetchedAt: clock.now })
    web.down = true
    clock.advance(HOUR)
    const { find, gauge } = start()
    expect(await gauge('lumo_key_set_age_seconds')).toBe('-1')
    expect(await find()).toBe('key')
    expect(await gauge('lumo_key_set_age_seconds')).toBe('3600')
    clock.advance(90_000)
    expect(await gauge('lumo_key_set_age_seconds')).toBe('3690')
  })

  test('serves until it is stale by its own age, over however many restarts', async () => {
    const { clock, web, start } = setUp()
    expect(await start().find()).toBe('key')
    web.down = true
    clock.advance(23 * HOUR)
    const last = start()
    expect(await last.find()).toBe('key')
    clock.advance(HOUR)
    expect(await last.find()).toBe('key')
    clock.advance(1)
    expect(typeof (await last.find())).toBe('number')
  })

  test('of which a key is not known says nothing about that key', async () => {
    const { web, start } = setUp()
    await start().find()
    web.down = true
    const { find } = start()
    expect(await find('other')).toBe(1)
    expect(await find()).toBe('key')
  })

  test('is asked for again in the background, and is replaced whole', async () => {
    const { clock, web, start } = setUp()
    await start().find()
    web.down = true
    const { find } = start()
    expect(await find()).toBe('key')
    web.down = false
    web.pages[URL_OF_KEYS] = JSON.stringify(await rotated.jwks())
    clock.advance(1_000)
    expect(await find(rotated.kid)).toBe('key')
    clock.advance(5_000)
    expect(await find()).toBe('unknown')
    web.down = true
    expect(await start().find()).toBe(1)
  })

  test('is never fresh, however young it is: a known key is no reason not to ask the issuer', async () => {
    const { clock, web, start } = setUp()
    await start().find()
    web.down = true
    const { find } = start()
    expect(await find()).toBe('key')
    web.down = false
    clock.advance(1_000)
    expect(await find()).toBe('key')
    // Nobody waits for the fetch; it ends before the next turn of the event loop.
    await setImmediate()
    expect(web.connected).toHaveLength(2)
  })

  test('is not asked for while the issuer answers', async () => {
    const { shelf, start } = setUp()
    await start().find()
    await start().find()
    expect(shelf.loads).toBe(0)
  })
})

describe('a kept set serves', () => {
  const day = 86_400
  const cases: readonly (readonly [
    name: string,
    text: string,
    age: number,
    outcome: string | number,
    reason: string | undefined,
  ])[] = [
    ['of this second', jwks, 0, 'key', undefined],
    ['of almost a day ago', jwks, day - 1, 'key', undefined],
    ['of a day and a second', jwks, day + 1, 1, 'it is too old, or dated in the future'],
    ['of a minute ahead', jwks, -60, 'key', undefined],
    ['of a second more ahead', jwks, -61, 1, 'it is too old, or dated in the future'],
    ['of no moment', jwks, NaN, 1, 'it is too old, or dated in the future'],
    ['that is cut off', jwks.slice(0, -1), 0, 1, 'the key set cannot be read: not JSON'],
    ['that is empty', '', 0, 1, 'the key set cannot be read: not JSON'],
    ['that is no set', '{}', 0, 1, 'the key set has no member "keys"'],
    ['without keys', '{"keys":[]}', 0, 1, 'it has no usable key'],
  ]
  test.each(cases)('or not: one %s', async (_, text, age, outcome, reason) => {
    const { clock, web, shelf, start, messages } = setUp()
    shelf.set = { text, fetchedAt: clock.now - age }
    web.down = true
    const { find } = start()
    expect(await find()).toBe(outcome)
    clock.advance(1_000)
    expect(await find()).toBe(outcome === 'key' ? 'key' : 2)
    expect(shelf.loads).toBe(1)
    const reasons = messages().filter((line) => line.startsWith('the kept key set'))
    expect(reasons.map((line) => line.replace(/^[^:]*: /, ''))).toEqual(reason ? [reason] : [])
  })

  test('by the age that is configured', async () => {
    const { clock, web, start } = setUp(60_000)
    const first = start()
    await first.find()
    web.down = true
    clock.advance(60_000)
    expect(await start().find()).toBe('key')
    clock.advance(1_000)
    expect(await start().find()).toBe(1)
  })

  test('and one of a minute ahead is of age 0', async () => {
    const { clock, web, shelf, start } = setUp()
    shelf.set = { text: jwks, fetchedAt: clock.now + 60 }
    web.down = true
    const { find, gauge } = start()
    await find()
    expect(await gauge('lumo_key_set_age_seconds')).toBe('0')
  })
})

describe('a set is kept', () => {
  test('when it changed, and every ten minutes at most when it did not', async () => {
    const { clock, web, shelf, start } = setUp()
    const { find } = start()
    /** Fetches once more, as an unknown key makes it do. */
    const fetchAfter = async (ms: number) => {
      clock.advance(ms)
      await find('other')
      return [shelf.saves, shelf.set?.fetchedAt === clock.now]
    }
    expect(await fetchAfter(0)).toEqual([1, true])
    expect(await fetchAfter(5_000)).toEqual([1, false])
    expect(await fetchAfter(594_999)).toEqual([1, false])
    expect(await fetchAfter(5_000)).toEqual([2, true])
    web.pages[URL_OF_KEYS] = JSON.stringify(await rotated.jwks())
    expect(await fetchAfter(5_000)).toEqual([3, true])
  })

  test('without a word of a place that is out but one, and no token suffers', async () => {
    const { clock, shelf, start, messages } = setUp()
    const { find, metrics } = start()
    const counted = async (times: number) =>
      (await metrics.text()).includes(
        `lumo_key_fetches_total{provider="prod",outcome="not_kept"} ${String(times)}`,
      )
    shelf.out = true
    for (let times = 1; times <= 3; times++) {
      expect(await find()).toBe('key')
      await find('other')
      expect(await counted(times)).toBe(true)
      clock.advance(5_000)
    }
    const once = 'a key set could not be kept for the next start: disk I/O error'
    expect(messages()).toEqual([once])
    shelf.out = false
    await find('other')
    expect(shelf.saves).toBe(1)
    shelf.out = true
    clock.advance(600_000)
    await find('other')
    expect(messages()).toEqual([once, once])
  })

  test('and a place that is out when it is needed is asked again', async () => {
    const { clock, web, shelf, start, messages } = setUp()
    await start().find()
    web.down = true
    shelf.out = true
    const { find } = start()
    expect(await find()).toBe(1)
    expect(messages()).toContain('the kept key set cannot be used: disk I/O error')
    shelf.out = false
    clock.advance(1_000)
    expect(await find()).toBe('key')
  })

  test('without its keys in the log', async () => {
    const { web, shelf, start, log } = setUp()
    shelf.set = { text: '{"keys":["canary"]}', fetchedAt: 0 }
    web.down = true
    await start().find()
    expect(log.text()).not.toContain('canary')
  })
})
