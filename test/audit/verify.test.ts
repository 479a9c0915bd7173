import { describe, expect, test } from 'vitest'
import { auditKeys, firstHash, rowHash, signHead } from '../../src/audit/chain.ts'
import { verifyAudit, type SegmentReport } from '../../src/audit/verify.ts'
import type { AuditRow } from '../../src/store/audit_rows.ts'
import { auditSeed, FakeAuditStore, writtenAudit } from '../fakes/audit.ts'

const { privateKey, publicKey } = auditKeys(auditSeed)
const foreign = auditKeys(Buffer.alloc(32, 8))

async function reportOf(store: FakeAuditStore): Promise<SegmentReport | undefined> {
  const { segments, intact } = await verifyAudit(store, publicKey)
  expect(segments.length).toBeLessThanOrEqual(1)
  expect(intact).toBe(segments.every(({ state }) => state !== 'faulty'))
  return segments[0]
}

/** Chains the texts anew from a row on, as whoever knows how it is done would. */
function rechain(rows: readonly AuditRow[], from: number): AuditRow[] {
  let hash: Uint8Array = rows[from - 1]?.hash ?? firstHash('one')
  return rows.map((row, n) => {
    if (n < from) return row
    hash = rowHash(hash, row.text)
    return { ...row, sequence: n, hash }
  })
}

function withText(row: AuditRow): AuditRow {
  return { ...row, text: row.text.replace('success', 'denied') }
}

interface Tampering {
  readonly name: string
  readonly tamper: (rows: readonly AuditRow[]) => readonly AuditRow[]
  readonly sentences: readonly string[]
  /** What is seen while the segment is open, where that is something else. */
  readonly whileOpen?: readonly string[]
}

const unsigned = 'segment one: its rows are not those that were signed'
const open = (rows: number): readonly string[] => [
  `segment one: open (not signed yet), ${String(rows)} rows good`,
]

/** On a segment of 20 rows. */
const tamperings: readonly Tampering[] = [
  {
    name: 'a changed text',
    tamper: (rows) => rows.map((row, n) => (n === 17 ? withText(row) : row)),
    sentences: ['segment one: row 17 was changed, or the row before it'],
  },
  {
    name: 'a changed text of the first row',
    tamper: (rows) => rows.map((row, n) => (n === 0 ? withText(row) : row)),
    sentences: ['segment one: row 0 was changed'],
  },
  {
    name: 'a changed text with its hash',
    tamper: (rows) => [
      ...rows.slice(0, 16),
      ...rechain(
        rows.map((row, n) => (n === 16 ? withText(row) : row)),
        16,
      ).slice(16, 17),
      ...rows.slice(17),
    ],
    sentences: ['segment one: row 17 was changed, or the row before it'],
  },
  {
    name: 'a changed text with every hash from there on',
    tamper: (rows) =>
      rechain(
        rows.map((row, n) => (n === 17 ? withText(row) : row)),
        17,
      ),
    sentences: [unsigned],
    // Nothing but a signature can show this.
    whileOpen: open(20),
  },
  {
    name: 'another tenant beside the text',
    tamper: (rows) => rows.map((row, n) => (n === 4 ? { ...row, tenant: 'other' } : row)),
    sentences: ['segment one: row 4 was put under another tenant or time'],
  },
  {
    name: 'another time beside the text',
    tamper: (rows) => rows.map((row, n) => (n === 4 ? { ...row, at: 0 } : row)),
    sentences: ['segment one: row 4 was put under another tenant or time'],
  },
  {
    name: 'a removed row',
    tamper: (rows) => rows.toSpliced(13, 1),
    sentences: ['segment one: rows are missing after 12'],
  },
  {
    name: 'the first rows removed',
    tamper: (rows) => rows.slice(3),
    sentences: ['segment one: its first rows are missing'],
  },
  {
    name: 'a removed row, the others moved up',
    tamper: (rows) => rows.toSpliced(13, 1).map((row, sequence) => ({ ...row, sequence })),
    sentences: [
      'segment one: row 13 was changed, or the row before it',
      'segment one: rows are missing after 18',
    ],
    whileOpen: ['segment one: row 13 was changed, or the row before it'],
  },
  {
    name: 'the last rows removed',
    tamper: (rows) => rows.slice(0, 15),
    sentences: ['segment one: rows are missing after 14'],
    whileOpen: open(15),
  },
  {
    name: 'two rows changed about',
    tamper: (rows) =>
      rows.map((row, n) =>
        n === 5 ? { ...row, sequence: 6 } : n === 6 ? { ...row, sequence: 5 } : row,
      ),
    sentences: [
      'segment one: row 5 was changed, or the row before it',
      'segment one: row 6 was changed, or the row before it',
      'segment one: row 7 was changed, or the row before it',
    ],
  },
  {
    name: 'an inserted row',
    tamper: (rows) =>
      rows.toSpliced(8, 0, ...rows.slice(2, 3)).map((row, sequence) => ({ ...row, sequence })),
    sentences: [
      'segment one: row 8 was changed, or the row before it',
      'segment one: row 9 was changed, or the row before it',
      'segment one: rows were added after its signed end, row 19',
    ],
    whileOpen: [
      'segment one: row 8 was changed, or the row before it',
      'segment one: row 9 was changed, or the row before it',
    ],
  },
  {
    name: 'a row that stands there twice',
    tamper: (rows) => rows.toSpliced(8, 0, ...rows.slice(7, 8)),
    sentences: ['segment one: row 7 stands out of its order'],
  },
  {
    name: 'a row added at the end, chained',
    tamper: (rows) => rechain([...rows, ...rows.slice(0, 1)], 20),
    sentences: ['segment one: rows were added after its signed end, row 19'],
    whileOpen: open(21),
  },
  {
    name: 'a text that is no event, chained',
    tamper: (rows) => rechain([...rows.slice(0, 19), ...rows.slice(19).map(asNoise)], 19),
    sentences: ['segment one: row 19 was put under another tenant or time', unsigned],
    whileOpen: ['segment one: row 19 was put under another tenant or time'],
  },
]

function asNoise(row: AuditRow): AuditRow {
  return { ...row, text: '{' }
}

describe('of a closed segment is found', () => {
  test.each(tamperings)('$name', async ({ tamper, sentences }) => {
    const { store, journal } = await writtenAudit(20)
    await journal.close()
    store.rows = [...tamper(store.rows)]
    expect(await reportOf(store)).toMatchObject({ state: 'faulty', sentences })
  })
})

describe('of an open segment is seen', () => {
  test.each(tamperings)('$name', async ({ tamper, sentences, whileOpen }) => {
    const { store } = await writtenAudit(20)
    store.rows = [...tamper(store.rows)]
    expect((await reportOf(store))?.sentences).toEqual(whileOpen ?? sentences)
  })
})

describe('heads', () => {
  const changes: readonly {
    readonly name: string
    readonly change: (store: FakeAuditStore) => void
  }[] = [
    {
      name: 'a changed number of rows',
      change: (store) => {
        store.rows = store.rows.slice(0, 2)
        store.heads = store.heads.map((head) => ({ ...head, rows: 2 }))
      },
    },
    {
      name: 'a changed time',
      change: (store) => {
        store.heads = store.heads.map((head) => ({ ...head, closedAt: 1e300 }))
      },
    },
    {
      name: 'the signature of another',
      change: (store) => {
        store.heads = store.heads.map((head) => signHead(head, 'closed', foreign.privateKey))
      },
    },
    {
      name: 'a head of another segment',
      change: (store) => {
        const end = { segment: 'two', rows: 4, hash: firstHash('two'), closedAt: 0 }
        const { signature } = signHead(end, 'closed', privateKey)
        store.heads = store.heads.map((head) => ({ ...head, signature }))
      },
    },
    {
      name: 'rows dropped and a forged head',
      change: (store) => {
        store.rows = []
        store.heads = store.heads.map((head) => signHead(head, 'closed', foreign.privateKey))
      },
    },
  ]
  test.each(changes)('$name is found', async ({ change }) => {
    const { store, journal } = await writtenAudit(4)
    await journal.close()
    change(store)
    expect(await reportOf(store)).toMatchObject({
      state: 'faulty',
      sentences: ["segment one: the head's signature is not ours"],
    })
  })
})

describe('what is good is said so', () => {
  const closedAt = '2026-11-21T00:00:00.000Z'

  test('nothing at all', async () => {
    expect(await verifyAudit(new FakeAuditStore(), publicKey)).toEqual({
      intact: true,
      segments: [],
    })
  })

  test('an open segment', async () => {
    const { store } = await writtenAudit(3)
    expect(await reportOf(store)).toEqual({
      segment: 'one',
      state: 'open',
      rows: 3,
      sentences: open(3),
    })
  })

  test('a closed one', async () => {
    const { store, journal } = await writtenAudit(3)
    await journal.close()
    expect(await reportOf(store)).toEqual({
      segment: 'one',
      state: 'closed',
      rows: 3,
      sentences: [`segment one: closed at ${closedAt}, 3 rows good`],
    })
  })

  test('one that was dropped', async () => {
    const { store, journal } = await writtenAudit(3)
    await journal.close()
    store.rows = []
    expect(await reportOf(store)).toEqual({
      segment: 'one',
      state: 'dropped',
      rows: 0,
      sentences: [`segment one: 3 rows dropped by retention, closed at ${closedAt}`],
    })
  })

  test('several, and the faulty one among them', async () => {
    const first = await writtenAudit(3)
    await first.journal.close()
    await writtenAudit(2, 'two', first)
    first.store.rows = first.store.rows.map((row) =>
      row.segment === 'two' && row.sequence === 1 ? withText(row) : row,
    )
    const { intact, segments } = await verifyAudit(first.store, publicKey)
    expect(intact).toBe(false)
    expect(segments.map(({ segment, state }) => [segment, state])).toEqual([
      ['one', 'closed'],
      ['two', 'faulty'],
    ])
  })
})
