import { writeSync } from 'node:fs'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Store } from '../../src/store/store.ts'
import { auditRows, code, rotation, sha256 } from './records.ts'

/** One step of what a killed process was at, from 0 on. */
export const works = {
  rotateRefresh: (store, step) => store.rotateRefresh(rotation(step, step)),
  consumeCode: async (store, step) => {
    const hash = sha256(`code ${String(step)}`)
    await store.keepCode(code({ hash }))
    return store.consumeCode('acme-corp', hash)
  },
  appendAudit: (store, step) => store.appendAudit(auditRows(16, { from: step * 16 })),
} satisfies Record<string, (store: Store, step: number) => Promise<unknown>>

export type Work = keyof typeof works

if (import.meta.main) {
  const [work = '', file = ''] = process.argv.slice(2)
  const store = sqliteStore(file)
  for (let step = 0; ; step++) {
    await works[work as Work](store, step)
    // Said only when it is done, and at once: what is said here, an answer could have said to a client.
    writeSync(1, `${String(step)}\n`)
  }
}
