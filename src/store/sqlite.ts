import { chmodSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { StoreFault, type SigningKeyRecord, type Store } from './store.ts'

/** The number in the table names is the version of the schema: a newer program never misreads an older table. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS signing_keys_1 (
    tenant TEXT NOT NULL,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kid)
  ) STRICT`

interface SigningKeyRow {
  readonly tenant: string
  readonly kid: string
  readonly algorithm: string
  readonly sealed_private_key: Uint8Array
  readonly created_at: number
}

/**
 * The store of one machine: a SQLite file in WAL mode, with every commit on the disk before it is answered. Not for network
 * file systems, whose locks WAL cannot trust.
 * @throws StoreFault when the file cannot be opened or is no database
 */
export function sqliteStore(file: string): Store {
  const database = openDatabase(file)
  const selectKeys = database.prepare(
    'SELECT * FROM signing_keys_1 WHERE tenant = ? ORDER BY created_at, kid',
  )
  const insertFirstKey = database.prepare(
    `INSERT INTO signing_keys_1 SELECT ?, ?, ?, ?, ?
     WHERE NOT EXISTS (SELECT 1 FROM signing_keys_1 WHERE tenant = ?)`,
  )
  const keysOf = (tenant: string): readonly SigningKeyRecord[] =>
    (selectKeys.all(tenant) as unknown as readonly SigningKeyRow[]).map((row) => ({
      tenant: row.tenant,
      kid: row.kid,
      algorithm: row.algorithm,
      sealedPrivateKey: row.sealed_private_key,
      createdAt: row.created_at,
    }))
  return {
    signingKeys: (tenant) => attempt(() => keysOf(tenant)),
    keepFirstSigningKey: (record) =>
      attempt(() => {
        const { tenant, kid, algorithm, sealedPrivateKey, createdAt } = record
        insertFirstKey.run(tenant, kid, algorithm, sealedPrivateKey, createdAt, tenant)
        return keysOf(tenant)
      }),
    close: () =>
      attempt(() => {
        database.close()
      }),
  }
}

function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 5_000 })
    switchToWal(database)
    database.exec('PRAGMA synchronous = FULL')
    database.exec(SCHEMA)
    // Only now is it known to be a database. In WAL mode the two files beside it are there.
    for (const suffix of ['', '-wal', '-shm']) chmodSync(file + suffix, 0o600)
    return database
  } catch (error) {
    database?.close()
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

function attempt<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(new StoreFault(reasonOf(error)))
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
