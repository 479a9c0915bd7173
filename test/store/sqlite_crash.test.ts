import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import type { Work } from './crash_child.ts'
import { inFolder } from './folder.ts'
import { auditRows, code, family, now, rotation, secretOf, sha256, shown } from './records.ts'

/** Has a process work until it has said so many steps, kills it there, and answers how many it had said in the end. */
async function killedAt(work: Work, file: string, steps: number): Promise<number> {
  const script = fileURLToPath(new URL('./crash_child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, work, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)))
  let said = 0
  for await (const line of createInterface({ input: child.stdout })) {
    expect(line).toBe(String(said))
    said++
    if (said === steps) child.kill('SIGKILL')
  }
  expect(await ended).toBe('SIGKILL')
  expect(said).toBeGreaterThanOrEqual(steps)
  return said
}

async function rotatedWhole(store: Store, said: number): Promise<void> {
  const left = await store.family('acme-corp', 'family-1')
  const generation = left?.generation ?? 0
  expect([said, said + 1]).toContain(generation)
  const times = Array.from({ length: generation }, (_, n) => now * 1000 + n).slice(-16)
  const expected = family({
    generation,
    currentHash: secretOf(generation),
    previousHash: secretOf(generation - 1),
    rotatedAt: times,
  })
  expect(shown(left)).toEqual(shown(expected))
  expect(await store.rotateRefresh(rotation(generation - 1, generation))).toBe('repeated')
  expect(await store.rotateRefresh(rotation(generation, generation))).toBe('rotated')
}

async function consumedWhole(store: Store, said: number): Promise<void> {
  for (let step = 0; step < said; step++) {
    const hash = sha256(`code ${String(step)}`)
    const consumed = code({ hash, consumed: true })
    expect(shown(await store.code('acme-corp', hash))).toEqual(shown(consumed))
    expect(await store.consumeCode('acme-corp', hash)).toBe(false)
  }
  expect(await store.code('acme-corp', sha256(`code ${String(said + 1)}`))).toBeUndefined()
}

async function auditedWhole(store: Store, said: number): Promise<void> {
  const rows = await store.auditSegment('segment-1')
  expect([said * 16, (said + 1) * 16]).toContain(rows.length)
  expect(shown(rows)).toEqual(shown(auditRows(rows.length)))
  expect(shown(await store.auditTail('acme-corp', rows.length))).toEqual(shown(rows))
  await store.appendAudit(auditRows(1, { from: rows.length }))
}

const cases: readonly {
  readonly work: Work
  readonly whole: (store: Store, said: number) => Promise<void>
}[] = [
  { work: 'rotateRefresh', whole: rotatedWhole },
  { work: 'consumeCode', whole: consumedWhole },
  { work: 'appendAudit', whole: auditedWhole },
]

for (const { work, whole } of cases) {
  test.each([1, 40, 200])(`${work}: what was answered survives a kill at step %i`, (steps) =>
    inFolder(async (folder) => {
      const file = join(folder, 'store.sqlite')
      const before = sqliteStore(file)
      await before.keepFamily(family())
      await before.close()
      const said = await killedAt(work, file, steps)
      const after = sqliteStore(file)
      await whole(after, said)
      await after.close()
    }),
  )
}
