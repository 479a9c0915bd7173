import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../platform/clock.ts'
import type { Log } from '../platform/log.ts'
import type { Random } from '../platform/random.ts'

/** Replaces the content of a volume as the kubelet's atomic writer does: a new folder, and one rename of `..data` onto it. */
export async function writeVolume(
  folder: string,
  files: Readonly<Record<string, string>>,
  random: Random,
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const fresh = `..${random.uuid()}`
  await mkdir(join(folder, fresh), { mode: 0o700 })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, fresh, name), text, { mode: 0o600 })
  }
  await symlink(fresh, join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  for (const name of Object.keys(files)) {
    await symlink(join('..data', name), join(folder, name)).catch(ignoreExisting)
  }
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') && name !== '..data' && name !== fresh) {
      await rm(join(folder, name), { recursive: true, force: true })
    }
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

export interface Rotation {
  stop(): void
}

interface RotationDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Of a token's life, after which the kubelet writes the next (pkg/kubelet/token/token_manager.go). */
const ROTATE_AT = 0.8
const RETRY_MS = 10_000

/**
 * Keeps a fresh token in a volume, as the kubelet does for a projected one. The first is there when the promise resolves.
 * @throws what the file system says about the first one
 */
export async function rotateToken(
  folder: string,
  lifetimeSeconds: number,
  makeToken: () => Promise<string>,
  { clock, random, log }: RotationDependencies,
): Promise<Rotation> {
  let cancel = (): void => {}
  const write = async (): Promise<void> => {
    await writeVolume(folder, { token: await makeToken() }, random)
    schedule(lifetimeSeconds * 1000 * ROTATE_AT)
  }
  const schedule = (ms: number): void => {
    cancel = clock.after(ms, () => {
      write().catch((error: unknown) => {
        log.warn('the projected token could not be written', {
          reason: error instanceof Error ? error.message : 'unknown',
        })
        schedule(RETRY_MS)
      })
    })
  }
  await rm(join(folder, '..data_tmp'), { force: true })
  await write()
  return {
    stop: () => {
      cancel()
    },
  }
}
