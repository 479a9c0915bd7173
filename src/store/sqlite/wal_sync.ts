import { closeSync, fdatasync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { StoreFault } from '../store.ts'
import { Connection, reasonOf } from './connection.ts'

const flush = promisify(fdatasync)

/**
 * A way to write that does not hold up the event loop while the disk does its part. With `synchronous = FULL` a commit ends
 * with a flush of the write-ahead log, for which everybody waits; here the commit leaves it out, and the same flush is done
 * on a thread before the caller is answered. Between the two SQLite keeps its promises: it flushes the log before it moves
 * anything of it into the database (https://www.sqlite.org/pragma.html#pragma_synchronous, NORMAL).
 */
export class WalSync {
  readonly connection: Connection
  /** The log is one file for as long as anybody has the database open. */
  readonly #log: number
  /** After a flush that failed nobody knows what is on the disk, and the next flush would not say (fsync(2), EIO). */
  #broken = false

  constructor(file: string) {
    const database = new DatabaseSync(file, { timeout: 5_000 })
    this.connection = new Connection(database)
    this.connection.execute('PRAGMA synchronous = NORMAL')
    this.#log = openSync(`${file}-wal`, 'r')
  }

  /** Writes in one transaction; resolves when that is on the disk. */
  async write(work: () => void): Promise<void> {
    if (this.#broken) throw new StoreFault('the disk failed; the program has to be started again')
    await this.connection.write(work)
    try {
      await flush(this.#log)
    } catch (error) {
      this.#broken = true
      throw new StoreFault(reasonOf(error))
    }
  }

  close(): void {
    closeSync(this.#log)
    this.connection.close()
  }
}
