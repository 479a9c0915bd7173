import { expect, test } from 'vitest'
import { auditKeys } from '../../src/audit/chain.ts'
import { retainAudit } from '../../src/audit/retention.ts'
import { verifyAudit } from '../../src/audit/verify.ts'
import { auditSeed, writtenAudit } from '../fakes/audit.ts'

const DAY_MS = 86_400_000
const { privateKey, publicKey } = auditKeys(auditSeed)

test('drops what is old and leaves its head', async () => {
  const old = await writtenAudit(3)
  await old.journal.close()
  old.clock.advance(5 * DAY_MS)
  const young = await writtenAudit(2, 'two', old)
  await young.journal.close()
  expect(await retainAudit({ ...old, privateKey }, 5)).toEqual({ found: 0, dropped: 0 })
  old.clock.advance(1)
  expect(await retainAudit({ ...old, privateKey }, 5)).toEqual({ found: 0, dropped: 1 })
  const { segments } = await verifyAudit(old.store, publicKey)
  expect(segments.map(({ state }) => state)).toEqual(['dropped', 'closed'])
})

test('leaves a segment that its process may still write to', async () => {
  const around = await writtenAudit(3)
  around.clock.jump(2 * DAY_MS - 1)
  expect(await retainAudit({ ...around, privateKey }, 1)).toEqual({ found: 0, dropped: 0 })
  expect((await verifyAudit(around.store, publicKey)).segments[0]?.state).toBe('open')
})

test('signs what a killed process left as found, and drops it in its time', async () => {
  const around = await writtenAudit(3)
  around.clock.jump(2 * DAY_MS)
  expect(await retainAudit({ ...around, privateKey }, 30)).toEqual({ found: 1, dropped: 0 })
  expect((await verifyAudit(around.store, publicKey)).segments[0]).toEqual({
    segment: 'one',
    state: 'found',
    rows: 3,
    sentences: [
      'segment one: its process did not close it, signed as found at 2026-11-23T00:00:00.000Z, 3 rows good',
    ],
  })
  around.clock.jump(29 * DAY_MS)
  expect(await retainAudit({ ...around, privateKey }, 30)).toEqual({ found: 0, dropped: 1 })
  expect((await verifyAudit(around.store, publicKey)).segments[0]?.state).toBe('dropped')
})

test('signs nothing that was tampered with, and keeps it', async () => {
  const around = await writtenAudit(3)
  around.store.rows = around.store.rows.map((row, n) =>
    n === 1 ? { ...row, text: row.text.replace('success', 'denied') } : row,
  )
  around.clock.jump(400 * DAY_MS)
  expect(await retainAudit({ ...around, privateKey }, 30)).toEqual({ found: 0, dropped: 0 })
  expect((await verifyAudit(around.store, publicKey)).segments[0]?.state).toBe('faulty')
})
