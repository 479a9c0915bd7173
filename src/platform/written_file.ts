import { constants, lstat, open, readdir, rename, rm, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OperatorFault } from './operator_fault.ts'
import type { Random } from './random.ts'

/** Who may do what with a file. */
export interface FileAccess {
  /** The permission bits, exactly these whatever the umask: `0o600`. */
  readonly mode: number
  /** The number of the group; undefined leaves the one that the folder gives. */
  readonly group: number | undefined
}

/** Writing files that other programs read meanwhile. A link in place of the file is replaced or removed, never followed. */
export interface WritableFiles {
  /**
   * Puts a whole new file in place of what lies there: a reader sees the old one or the new one, never a part.
   * @throws WriteFault; what lay there lies there still, and nothing lies beside it
   */
  replace(path: string, bytes: Uint8Array, access: FileAccess): Promise<void>
  /**
   * Whether anything lies there.
   * @throws WriteFault
   */
  has(path: string): Promise<boolean>
  /**
   * False: there was nothing.
   * @throws WriteFault
   */
  remove(path: string): Promise<boolean>
  /**
   * Removes what replacements of this file left behind when they were killed half-way; a folder that is absent holds none.
   * @throws WriteFault
   */
  sweep(path: string): Promise<void>
}

/** A file that could not be written or removed. The message names the path and the reason, and nothing of the content. */
export class WriteFault extends OperatorFault {
  /** What the system said: `ENOSPC`. */
  readonly code: string
  /** Of which of its calls: `fchown`. */
  readonly call: string
  constructor(path: string, code: string, call: string) {
    super(`${path} cannot be written (${code} of ${call})`)
    this.code = code
    this.call = call
  }
}

const NONCE_BYTES = 16
const NONCE = new RegExp(`^[0-9a-f]{${String(NONCE_BYTES * 2)}}$`)
/** An owner that chown leaves as it is (chown(2)). */
const SAME_OWNER = -1

/** The file system of this machine. */
export function writableFiles(random: Random): WritableFiles {
  return {
    replace: (path, bytes, access) => {
      const nonce = random.bytes(NONCE_BYTES).toString('hex')
      return faulty(path, () => replace(path, temporaryOf(path, nonce), bytes, access))
    },
    has: (path) => faulty(path, () => isThere(path)),
    remove: (path) => faulty(path, () => unlinkIfThere(path)),
    sweep: (path) => faulty(path, () => sweep(path)),
  }
}

/** In the same folder, for a rename does not cross file systems; with a dot, so that who lists the folder leaves it out. */
function temporaryOf(path: string, nonce: string): string {
  return join(dirname(path), `.${basename(path)}.${nonce}.tmp`)
}

async function replace(
  path: string,
  temporary: string,
  bytes: Uint8Array,
  access: FileAccess,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    try {
      await fill(file, bytes, access)
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {})
    throw error
  }
}

/**
 * The group comes first: where it may not be given, nothing was written yet. The mode comes last: before the group it would
 * open the file to the group of the process, and whoever has it open then reads what is written later.
 */
async function fill(
  file: Awaited<ReturnType<typeof open>>,
  bytes: Uint8Array,
  { mode, group }: FileAccess,
): Promise<void> {
  if (group !== undefined) await file.chown(SAME_OWNER, group)
  await file.writeFile(bytes)
  await file.chmod(mode)
  // Some file systems find out only now that they are full; after the rename it would be too late.
  await file.sync()
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (isAbsent(error)) return false
    throw error
  }
}

/** Only names with a nonce of the right form: `.token.backup.tmp` is somebody else's, and so is what belongs to `token.b`. */
async function sweep(path: string): Promise<void> {
  const folder = dirname(path)
  const [before, after] = [`.${basename(path)}.`, '.tmp']
  for (const name of await namesIn(folder)) {
    const nonce = name.slice(before.length, -after.length)
    if (name === before + nonce + after && NONCE.test(nonce)) {
      await unlinkIfThere(join(folder, name))
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

async function faulty<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    const { code = 'unknown', syscall = 'unknown' } = error as NodeJS.ErrnoException
    throw new WriteFault(path, code, syscall)
  }
}
