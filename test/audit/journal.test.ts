import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { auditKeys, headKind } from '../../src/audit/chain.ts'
import { Journal } from '../../src/audit/journal.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import type { AuditEvent } from '../../src/platform/audit.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { StoreFault } from '../../src/store/store.ts'
import { auditSeed, FakeAuditStore } from '../fakes/audit.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeLog } from '../fakes/log.ts'

const { publicKey } = auditKeys(auditSeed)
const DAY_MS = 86_400_000

type Limits = NonNullable<ConstructorParameters<typeof Journal>[0]['limits']>

function testJournal(limits: Limits = {}) {
  const store = new FakeAuditStore()
  const clock = new FakeClock()
  const log = new FakeLog()
  const journal = new Journal({ store, clock, random: systemRandom, seed: auditSeed, log, limits })
  /** Records at once so many events, named by a running number. */
  let recorded = 0
  const record = (count: number): readonly Promise<void>[] =>
    Array.from({ length: count }, () => journal.record(issued(recorded++)))
  const intact = async (): Promise<boolean> => (await verifyAudit(store, publicKey)).intact
  return { store, clock, log, journal, record, intact }
}

function issued(number: number, tenant = 'acme-corp'): AuditEvent {
  return { event: 'token.issued', tenant, outcome: 'success', jti: String(number) }
}

/** The numbers of the events in the store, in the order of their rows. */
function numbers({ rows }: FakeAuditStore): readonly number[] {
  return rows.map(({ text }) => Number((JSON.parse(text) as { jti: string }).jti))
}

function count(length: number): readonly number[] {
  return Array.from({ length }, (_, n) => n)
}

describe('rows are written in groups', () => {
  test('what is recorded in one turn is one write, in its order', async () => {
    const { store, record, intact } = testJournal()
    await Promise.all(record(16))
    expect(store.writes).toEqual([16])
    expect(numbers(store)).toEqual(count(16))
    expect(store.rows.map(({ sequence }) => sequence)).toEqual(count(16))
    expect(await intact()).toBe(true)
  })

  test('what is recorded later in the same turn is in the same write', async () => {
    const { store, record } = testJournal()
    const callers = count(16).map(async (steps) => {
      for (let step = 0; step < steps; step++) await Promise.resolve()
      await Promise.all(record(1))
    })
    await Promise.all(callers)
    expect(store.writes).toEqual([16])
  })

  test('what comes while a write is under way is the next write', async () => {
    const { store, record } = testJournal()
    store.hold()
    const first = record(1)
    await setImmediate()
    await setImmediate()
    expect(store.writes).toEqual([1])
    const others = [...record(3), ...record(2)]
    store.release()
    await Promise.all([...first, ...others])
    expect(store.writes).toEqual([1, 5])
    expect(numbers(store)).toEqual(count(6))
  })

  test('a caller waits until its row is there', async () => {
    const { store, record } = testJournal()
    store.hold()
    const seen: number[] = []
    const waiting = record(2).map((written) => written.then(() => seen.push(store.rows.length)))
    await setImmediate()
    await setImmediate()
    expect(seen).toEqual([])
    store.release()
    await Promise.all(waiting)
    expect(seen).toEqual([2, 2])
  })

  test('a write has 256 rows at most', async () => {
    const { store, record, intact } = testJournal()
    await Promise.all(record(600))
    expect(store.writes).toEqual([256, 256, 88])
    expect(numbers(store)).toEqual(count(600))
    expect(await intact()).toBe(true)
  })

  test('the row says tenant and time of the event, whenever it is written', async () => {
    const { store, clock, journal } = testJournal()
    const at = clock.wall()
    const written = journal.record(issued(1, 'other'))
    clock.advance(5_000)
    await written
    expect(store.rows).toMatchObject([{ tenant: 'other', at }])
    expect(store.rows[0]?.text).toContain(`"at":"${new Date(at).toISOString()}"`)
  })
})

describe('when the store is out', () => {
  test('every caller of the group learns it, and the chain goes on without a gap', async () => {
    const { store, record, intact } = testJournal()
    await Promise.all(record(3))
    store.out = true
    const outcomes = await Promise.allSettled(record(4))
    expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('rejected'))
    for (const outcome of outcomes) expect(outcome).toHaveProperty('reason', expect.any(StoreFault))
    store.out = false
    await Promise.all(record(2))
    expect(numbers(store)).toEqual([0, 1, 2, 7, 8])
    expect(store.rows.map(({ sequence }) => sequence)).toEqual(count(5))
    expect(new Set(store.rows.map(({ segment }) => segment)).size).toBe(1)
    expect(await intact()).toBe(true)
  })

  test('the groups after the one that failed are tried by themselves', async () => {
    const { store, record, intact } = testJournal({ rowsPerWrite: 2 })
    store.out = true
    const group = Promise.allSettled(record(2))
    const later = record(2)
    await group
    store.out = false
    await Promise.all(later)
    expect(numbers(store)).toEqual([2, 3])
    expect(await intact()).toBe(true)
  })

  test('it is logged once when it begins and once when it ends', async () => {
    const { store, log, record } = testJournal()
    store.out = true
    await Promise.allSettled(record(1))
    await Promise.allSettled(record(1))
    store.out = false
    await Promise.all(record(1))
    await Promise.all(record(1))
    expect(log.lines).toEqual([
      {
        level: 'error',
        message: 'audit events cannot be written; what would be audited is refused',
        fields: { reason: 'the store is out' },
      },
      { level: 'info', message: 'audit events are written again', fields: {} },
    ])
  })

  test('no more wait than the limit, and the others are refused at once', async () => {
    const { store, record } = testJournal({ waiting: 5, rowsPerWrite: 2 })
    store.hold()
    const waiting = record(5)
    const [beyond] = await Promise.allSettled(record(1))
    expect(beyond).toHaveProperty('reason', expect.any(StoreFault))
    store.release()
    await Promise.all(waiting)
    await Promise.all(record(5))
    expect(numbers(store)).toEqual([0, 1, 2, 3, 4, 6, 7, 8, 9, 10])
  })

  test('room is there again after writes that failed', async () => {
    const { store, record } = testJournal({ waiting: 2 })
    store.out = true
    await Promise.allSettled(record(2))
    await Promise.allSettled(record(2))
    store.out = false
    await Promise.all(record(2))
    expect(numbers(store)).toEqual([4, 5])
  })
})

describe('a segment ends', () => {
  test('after its rows, and its end is signed', async () => {
    const { store, record, intact } = testJournal({ rowsPerSegment: 4, rowsPerWrite: 2 })
    for (let n = 0; n < 10; n++) await Promise.all(record(1))
    const segments = [...new Set(store.rows.map(({ segment }) => segment))]
    expect(
      segments.map((name) => store.rows.filter(({ segment }) => segment === name).length),
    ).toEqual([4, 4, 2])
    expect(store.heads.map(({ segment, rows }) => ({ segment, rows }))).toEqual([
      { segment: segments[0], rows: 4 },
      { segment: segments[1], rows: 4 },
    ])
    expect(store.heads.map((head) => headKind(head, publicKey))).toEqual(['closed', 'closed'])
    expect(await intact()).toBe(true)
  })

  test('before a group that has no room in it', async () => {
    const { store, record } = testJournal({ rowsPerSegment: 4, rowsPerWrite: 3 })
    await Promise.all(record(3))
    await Promise.all(record(3))
    expect(store.heads.map(({ rows }) => rows)).toEqual([3])
    expect(numbers(store)).toEqual(count(6))
  })

  const ages: readonly { readonly name: string; readonly pass: (clock: FakeClock) => void }[] = [
    { name: 'after a day', pass: (clock) => clock.advance(DAY_MS) },
    { name: 'after a day of the wall clock alone', pass: (clock) => clock.jump(DAY_MS) },
  ]
  test.each(ages)('$name', async ({ pass }) => {
    const { store, clock, record, intact } = testJournal()
    await Promise.all(record(1))
    pass(clock)
    await Promise.all(record(1))
    expect(new Set(store.rows.map(({ segment }) => segment)).size).toBe(2)
    expect(store.heads.map(({ rows }) => rows)).toEqual([1])
    expect(await intact()).toBe(true)
  })

  test('not before that', async () => {
    const { store, clock, record } = testJournal()
    await Promise.all(record(1))
    clock.advance(DAY_MS - 1)
    await Promise.all(record(1))
    expect(store.heads).toEqual([])
  })

  test('after a day, also when no event comes any more', async () => {
    const { store, clock, record } = testJournal()
    await Promise.all(record(2))
    clock.advance(DAY_MS)
    await setImmediate()
    await setImmediate()
    expect(store.heads).toMatchObject([{ rows: 2, closedAt: clock.wall() }])
  })

  test('not while its end cannot be written: the event is refused, and the next one tries again', async () => {
    const { store, clock, record, intact } = testJournal()
    await Promise.all(record(1))
    store.out = true
    clock.advance(DAY_MS)
    const [refused] = await Promise.allSettled(record(1))
    expect(refused).toHaveProperty('reason', expect.any(StoreFault))
    store.out = false
    await Promise.all(record(1))
    expect(numbers(store)).toEqual([0, 2])
    expect(store.heads.map(({ rows }) => rows)).toEqual([1])
    expect(await intact()).toBe(true)
  })
})

describe('closing', () => {
  test('writes what waits and signs the end', async () => {
    const { store, clock, journal, record, intact } = testJournal()
    const written = record(300)
    await journal.close()
    await Promise.all(written)
    expect(numbers(store)).toEqual(count(300))
    expect(store.heads).toMatchObject([{ rows: 300, closedAt: clock.wall() }])
    expect(await intact()).toBe(true)
  })

  test('of a journal without rows writes nothing', async () => {
    const { store, journal } = testJournal()
    await journal.close()
    expect(store.heads).toEqual([])
  })

  test('twice signs once', async () => {
    const { store, journal, record } = testJournal()
    await Promise.all(record(1))
    await Promise.all([journal.close(), journal.close()])
    expect(store.heads.length).toBe(1)
  })

  test('takes no event any more', async () => {
    const { store, journal } = testJournal()
    await journal.close()
    await expect(journal.record(issued(1))).rejects.toThrow(StoreFault)
    expect(store.rows).toEqual([])
  })

  test('says when the end cannot be written', async () => {
    const { store, journal, record } = testJournal()
    await Promise.all(record(1))
    store.out = true
    await expect(journal.close()).rejects.toThrow(StoreFault)
  })
})
