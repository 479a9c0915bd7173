import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of the test's own, gone with it. */
export async function inFolder(use: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = await storeFolder()
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export function storeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'store-'))
}
