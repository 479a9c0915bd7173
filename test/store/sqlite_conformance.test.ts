import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { storeConformance } from './conformance.ts'
import { storeFolder } from './folder.ts'

storeConformance('SQLite', async () => {
  const folder = await storeFolder()
  const open = () => sqliteStore(join(folder, 'store.sqlite'))
  const ways = [open(), open(), open()] as const
  return {
    ways,
    close: async () => {
      for (const way of ways) await way.close()
      await rm(folder, { recursive: true })
    },
  }
})
