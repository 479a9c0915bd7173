import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { StoreFault } from '../../src/store/store.ts'
import { inFolder } from './folder.ts'
import { race } from './race.ts'
import { auditRows, keySet, shown, signingKey } from './records.ts'

/** What the program made before it counted versions of its schema, word for word. */
const FIRST_SCHEMA = `
  CREATE TABLE IF NOT EXISTS signing_keys_1 (
    tenant TEXT NOT NULL,
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kid)
  ) STRICT`

const keys = [
  signingKey({ kid: 'a', createdAt: 7, signsFrom: 7 }),
  signingKey({ kid: 'b', createdAt: 8, signsFrom: 8, algorithm: 'RS256' }),
  signingKey({ kid: 'a', tenant: 'globex', createdAt: 9, signsFrom: 9 }),
]

function makeFirstSchema(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec(FIRST_SCHEMA)
  const insert = database.prepare('INSERT INTO signing_keys_1 VALUES (?, ?, ?, ?, ?)')
  for (const { tenant, kid, algorithm, sealedPrivateKey, createdAt } of keys) {
    insert.run(tenant, kid, algorithm, sealedPrivateKey, createdAt)
  }
  database.close()
}

function ask(file: string, sql: string): unknown {
  const database = new DatabaseSync(file)
  try {
    return database.prepare(sql).all()
  } finally {
    database.close()
  }
}

/** Every definition of the schema, and its version. */
function schemaOf(file: string): readonly unknown[] {
  const objects = `SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name`
  return [ask(file, objects), ask(file, 'PRAGMA user_version')]
}

test('a file of the first schema is taken up with its keys, which go on to sign', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'store.sqlite')
    makeFirstSchema(file)
    const store = sqliteStore(file)
    expect(shown(await store.signingKeys('acme-corp'))).toEqual(shown(keys.slice(0, 2)))
    expect(shown(await store.signingKeys('globex'))).toEqual(shown(keys.slice(2)))
    expect(await store.retireSigningKey('acme-corp', 'a', 10)).toBe('retired')
    await store.appendAudit(auditRows(1))
    await store.close()
  }))

test('it then has the very schema of a new file', () =>
  inFolder(async (folder) => {
    const old = join(folder, 'old.sqlite')
    const fresh = join(folder, 'fresh.sqlite')
    makeFirstSchema(old)
    for (const file of [old, fresh]) await sqliteStore(file).close()
    expect(schemaOf(old)).toEqual(schemaOf(fresh))
    expect(ask(fresh, 'PRAGMA user_version')).toEqual([{ user_version: 5 }])
    expect(JSON.stringify(schemaOf(fresh))).not.toContain('signing_keys_1')
  }))

/** What the versions after the second have brought. */
const since = {
  tables: [
    'key_sets',
    'local_users',
    'sessions',
    'consents',
    'upstream_users',
    'upstream_visits',
    'pushed_requests',
    'api_keys',
  ],
  indexes: ['codes_by_user', 'approvals_by_id', 'approvals_pending'],
  columns: [
    ['codes', 'sub'],
    ['approvals', 'chain'],
    ['approvals', 'status'],
  ],
} as const

test('a file of the second schema keeps what it has, and gets what is new', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'store.sqlite')
    const before = sqliteStore(file)
    for (const key of keys) await before.addSigningKey(key)
    await before.close()
    const schema = schemaOf(file)
    for (const taken of since.tables) ask(file, `DROP TABLE ${taken}`)
    for (const taken of since.indexes) ask(file, `DROP INDEX ${taken}`)
    for (const [table, column] of since.columns) ask(file, `ALTER TABLE ${table} DROP ${column}`)
    ask(file, 'PRAGMA user_version = 2')
    const store = sqliteStore(file)
    await store.keepKeySet(keySet())
    expect(await store.keptKeySet('acme-corp', 'prod')).toBeDefined()
    expect(shown(await store.signingKeys('acme-corp'))).toEqual(shown(keys.slice(0, 2)))
    await store.close()
    expect(schemaOf(file)).toEqual(schema)
  }))

test('every table is strict', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'store.sqlite')
    await sqliteStore(file).close()
    const loose = `SELECT name FROM pragma_table_list
      WHERE type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'`
    expect(ask(file, loose)).toEqual([])
  }))

test('a file that is up to date is not written again', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'store.sqlite')
    await sqliteStore(file).close()
    const before = ask(file, 'PRAGMA data_version')
    const { mtimeMs } = await stat(file)
    await sqliteStore(file).close()
    expect((await stat(file)).mtimeMs).toBe(mtimeMs)
    expect(ask(file, 'PRAGMA data_version')).toEqual(before)
  }))

test('a file of a newer program is refused with a sentence, and left as it was', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'store.sqlite')
    makeFirstSchema(file)
    // Not even into a write-ahead log: what a newer program keeps its files in is its own affair.
    ask(file, 'PRAGMA journal_mode = DELETE')
    ask(file, 'PRAGMA user_version = 6')
    const before = await readFile(file)
    expect(() => sqliteStore(file)).toThrow(
      new StoreFault(
        `the store ${file} was written by a newer version of this program ` +
          '(schema 6, this program knows 5)',
      ),
    )
    expect(await readFile(file)).toEqual(before)
  }))

test('a migration that fails leaves the file as it was', () =>
  inFolder((folder) => {
    const file = join(folder, 'store.sqlite')
    makeFirstSchema(file)
    // In the way of the last table.
    ask(file, 'CREATE TABLE audit_heads (number INTEGER) STRICT')
    ask(file, 'PRAGMA user_version = 1')
    const before = schemaOf(file)
    expect(() => sqliteStore(file)).toThrow(
      new StoreFault(`the store ${file} cannot be opened: table audit_heads already exists`),
    )
    expect(schemaOf(file)).toEqual(before)
    expect(ask(file, 'SELECT count(*) AS count FROM signing_keys_1')).toEqual([{ count: 3 }])
  }))

test('of several processes that take up one file at the same moment, each finds all its keys', () =>
  inFolder(async (folder) => {
    const files = Array.from({ length: 10 }, (_, at) => join(folder, `${String(at)}.sqlite`))
    files.forEach(makeFirstSchema)
    const told = await race('signingKeys', files)
    const kids = ['a', 'b']
    expect(told).toEqual(told.map(() => files.map(() => kids)))
    for (const file of files) {
      expect(ask(file, 'SELECT count(*) AS count FROM signing_keys')).toEqual([{ count: 3 }])
    }
  }))
