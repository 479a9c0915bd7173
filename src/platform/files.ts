import { createHash } from 'node:crypto'
import { constants, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { OperatorFault } from './operator_fault.ts'

/** Reading what lies on disk, always by path: a descriptor kept open never sees the kubelet's `..data` swap. */
export interface Files {
  /**
   * The whole file.
   * @throws FileFault when it is absent, unreadable, not a file, or longer than `maxBytes`
   */
  read(path: string, maxBytes: number): Promise<Buffer>
  /** The files of a folder, or the file itself, as full paths in order; names that begin with a dot are left out. */
  list(path: string): Promise<readonly string[]>
}

export type FileFaultCode = 'absent' | 'unreadable' | 'too_large'

/** A file that could not be read. The message names the path and the reason, and nothing of the content. */
export class FileFault extends OperatorFault {
  readonly code: FileFaultCode
  constructor(code: FileFaultCode, message: string) {
    super(message)
    this.code = code
  }
}

const CHUNK_BYTES = 16_384

export const systemFiles: Files = {
  async read(path, maxBytes) {
    try {
      // Opening a FIFO would otherwise hold a thread of the pool until somebody writes to it.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        if (!(await file.stat()).isFile()) {
          throw new FileFault('unreadable', `${path} cannot be read (it is no file)`)
        }
        // Counted as it comes: the size that the file system reports is of a moment ago, and of some files 0.
        const chunks: Buffer[] = []
        let length = 0
        for (;;) {
          const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES)
          if (bytesRead === 0) return Buffer.concat(chunks)
          length += bytesRead
          if (length > maxBytes) {
            throw new FileFault('too_large', `${path} is longer than ${String(maxBytes)} bytes`)
          }
          chunks.push(buffer.subarray(0, bytesRead))
        }
      } finally {
        await file.close()
      }
    } catch (error) {
      throw faultOf(error, path)
    }
  },
  async list(path) {
    try {
      if (!(await stat(path)).isDirectory()) return [path]
      const entries = await readdir(path, { withFileTypes: true })
      return entries
        .filter((entry) => !entry.name.startsWith('.') && !entry.isDirectory())
        .map(({ name }) => join(path, name))
        .toSorted()
    } catch (error) {
      throw faultOf(error, path)
    }
  },
}

function faultOf(error: unknown, path: string): FileFault {
  if (error instanceof FileFault) return error
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
  return code === 'ENOENT' || code === 'ENOTDIR'
    ? new FileFault('absent', `${path} does not exist`)
    : new FileFault('unreadable', `${path} cannot be read (${code})`)
}

/** A fingerprint of some contents, to tell whether they changed. */
export function fingerprint(parts: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(String(part.length)).update(':').update(part)
  return hash.digest('base64url')
}
