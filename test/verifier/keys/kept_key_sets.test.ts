import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { openKeys, type KeyOwner } from '../../../src/compose/key_sources.ts'
import { keptKeySets, placeOf } from '../../../src/compose/kept_key_sets.ts'
import { Opened } from '../../../src/compose/opened.ts'
import { Seal } from '../../../src/endpoint/sealing.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { memoryStore } from '../../../src/store/memory.ts'
import type { KeptKeySetRecord } from '../../../src/store/records.ts'
import type { Store } from '../../../src/store/store.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { testSurroundings } from '../../fakes/surroundings.ts'
import { FakeWeb } from './web.ts'

const cluster = new FakeCluster(() => 0)
const jwks = JSON.stringify(await cluster.jwks())
const KEYS = 'https://keys.example/jwks'
const HOUR = 3_600_000

const fetched = { hosts: [], caFile: undefined, bearerTokenFile: undefined }
const prod: KeyOwner = {
  name: 'prod',
  issuers: ['https://cluster.example'],
  keys: { from: 'jwksUrl', url: new URL(KEYS), ...fetched },
}

/** A store whose rows of kept sets can be read and written as whoever has its file can. */
function openedStore() {
  const rows: KeptKeySetRecord[] = []
  const store: Store = {
    ...memoryStore(),
    keepKeySet: (record) => {
      rows.splice(0, rows.length, record)
      return Promise.resolve()
    },
    keptKeySet: (tenant, name) =>
      Promise.resolve(rows.find((row) => row.tenant === tenant && row.name === name)),
  }
  return { rows, store }
}

function setUp() {
  const clock = new FakeClock()
  const web = new FakeWeb()
  web.addresses['keys.example'] = ['93.184.215.14']
  web.pages[KEYS] = jwks
  const seal = new Seal(randomBytes(32), systemRandom)
  const { rows, store } = openedStore()
  const surroundings = { ...testSurroundings(clock), http: web.client }
  /** Starts, looks the key up, and tells whether it was found. */
  const finds = async (owner = prod, changes: { seal?: Seal; tenant?: string } = {}) => {
    const needs = { tenant: 'acme-corp', store, seal, log: surroundings.log, ...changes }
    const source = await openKeys(owner, {
      kept: (name, issuers, from) => keptKeySets(name, placeOf(issuers, from), needs),
      opened: new Opened(),
      surroundings,
    })
    const found = await source.find(cluster.kid, 'RS256')
    return typeof found === 'object' && 'equals' in found
  }
  return { clock, web, rows, seal, log: surroundings.log, finds }
}

/** The same, after a start that kept the keys, and with the issuer down. */
async function keptAndDown() {
  const world = setUp()
  expect(await world.finds()).toBe(true)
  world.web.down = true
  expect(await world.finds()).toBe(true)
  return world
}

describe('a set in the store', () => {
  test('is of the tenant, of a name with the place of the keys, and not to be read', async () => {
    const { clock, rows } = await keptAndDown()
    const [row] = rows
    expect(row).toMatchObject({ tenant: 'acme-corp', fetchedAt: clock.now })
    expect(row?.name).toMatch(/^prod [0-9a-f]{64}$/)
    expect(Buffer.from(row?.sealed ?? []).toString('latin1')).not.toContain(cluster.kid)
  })

  const elsewhere: readonly (readonly [name: string, owner: KeyOwner])[] = [
    ['of another name', { ...prod, name: 'staging' }],
    ['of another issuer', { ...prod, issuers: ['https://other.example'] }],
    ['of one issuer more', { ...prod, issuers: [...prod.issuers, 'https://other.example'] }],
    [
      'with another URL',
      { ...prod, keys: { ...fetched, from: 'jwksUrl', url: new URL(`${KEYS}2`) } },
    ],
    [
      'with other hosts',
      { ...prod, keys: { ...fetched, from: 'jwksUrl', url: new URL(KEYS), hosts: ['x'] } },
    ],
    ['by discovery', { ...prod, keys: { ...fetched, from: 'discovery' } }],
  ]
  test.each(elsewhere)('is nothing to a provider %s', async (_, owner) => {
    const { finds } = await keptAndDown()
    expect(await finds(owner)).toBe(false)
    expect(await finds()).toBe(true)
  })

  test('is nothing to another tenant', async () => {
    const { finds } = await keptAndDown()
    expect(await finds(prod, { tenant: 'globex' })).toBe(false)
  })

  test('is as old as the provider lets it be', async () => {
    const { clock, finds } = await keptAndDown()
    clock.advance(HOUR)
    expect(await finds({ ...prod, keyStalenessMs: HOUR - 1 })).toBe(false)
    expect(await finds({ ...prod, keyStalenessMs: HOUR })).toBe(true)
    clock.advance(23 * HOUR)
    expect(await finds()).toBe(true)
    clock.advance(1_000)
    expect(await finds()).toBe(false)
  })
})

describe('a set in the store that is not what was kept is ignored with a warning:', () => {
  const forged: readonly (readonly [
    name: string,
    forge: (row: KeptKeySetRecord) => Partial<KeptKeySetRecord>,
  ])[] = [
    ['one in the clear', () => ({ sealed: Buffer.from(jwks) })],
    ['one of no byte', () => ({ sealed: new Uint8Array(0) })],
    [
      'one with another bit',
      ({ sealed }) => ({ sealed: sealed.map((b, at) => (at === 20 ? b ^ 1 : b)) }),
    ],
    ['one that was made younger', ({ fetchedAt }) => ({ fetchedAt: fetchedAt + 1 })],
    [
      'one that another key sealed',
      ({ name, fetchedAt }) => ({
        sealed: new Seal(randomBytes(32), systemRandom).close(
          Buffer.from(jwks),
          `key set acme-corp ${name} ${String(fetchedAt)}`,
        ),
      }),
    ],
  ]
  test.each(forged)('%s', async (_, forge) => {
    const { rows, log, finds } = await keptAndDown()
    const [row] = rows
    expect(row).toBeDefined()
    if (row) rows[0] = { ...row, ...forge(row) }
    expect(await finds()).toBe(false)
    const reason = 'it cannot be decrypted: is this the key file it was stored with?'
    expect(log.lines).toContainEqual({
      level: 'warn',
      message: 'the kept key set is not used',
      fields: { provider: 'prod', reason },
    })
  })

  test.each([
    ['the row of another provider', 'acme-corp', { ...prod, name: 'staging' }],
    ['the row of another tenant', 'globex', prod],
  ])('%s', async (_, tenant, owner) => {
    const { web, rows, finds } = await keptAndDown()
    const [mine] = rows
    web.down = false
    await finds(owner, { tenant })
    web.down = true
    const [theirs] = rows
    expect([mine, theirs]).not.toContain(undefined)
    if (mine && theirs) rows[0] = { ...theirs, sealed: mine.sealed }
    expect(await finds(owner, { tenant })).toBe(false)
  })
})
