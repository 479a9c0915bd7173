import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreFault } from '../store.ts'
import { Connection, reasonOf } from './connection.ts'
import { migrate, refuseNewer } from './migrations.ts'

/**
 * Opens a file, brings its schema up to date, and prepares what is asked of it.
 * @throws StoreFault with one sentence; the file is closed again
 */
export function openSqlite<T>(file: string, prepare: (connection: Connection) => T): T {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 5_000 })
    const connection = new Connection(database)
    // Before anything is written: a newer program's file stays as it is.
    refuseNewer(connection, file)
    switchToWal(database)
    connection.execute('PRAGMA synchronous = FULL')
    migrate(connection, file)
    // Only now is it known to be a database. In WAL mode the two files beside it are there.
    for (const suffix of ['', '-wal', '-shm']) chmodSync(file + suffix, 0o600)
    return prepare(connection)
  } catch (error) {
    database?.close()
    if (error instanceof StoreFault) throw error
    throw new StoreFault(`the store ${file} cannot be opened: ${reasonOf(error)}`)
  }
}

const SQLITE_BUSY = 5
const WAL_ATTEMPTS = 100
const WAL_PAUSE_MS = 20

/** The one statement that does not wait for another process's lock, whatever the time-out: two first starts meet here. */
function switchToWal(database: DatabaseSync): void {
  for (let attempts = 1; ; attempts++) {
    try {
      database.exec('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      const busy = (error as { errcode?: number }).errcode === SQLITE_BUSY
      if (!busy || attempts === WAL_ATTEMPTS) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAL_PAUSE_MS)
    }
  }
}
