import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { StoreFault, type Store } from '../../src/store/store.ts'
import { storeFolder } from './folder.ts'
import {
  auditRows,
  client,
  code,
  family,
  now,
  question,
  revocation,
  rotation,
  sha256,
  shown,
  signingKey,
  userGrant,
} from './records.ts'

let folder: string
let file: string

beforeEach(async () => {
  folder = await storeFolder()
  file = join(folder, 'store.sqlite')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function fill(): Promise<void> {
  const store = sqliteStore(file)
  await store.keepFirstSigningKey(signingKey({ sealedPrivateKey: Buffer.from('sealed') }))
  await store.close()
}

test('what was kept is there after a restart', async () => {
  const store = sqliteStore(file)
  const first = signingKey()
  await store.keepFirstSigningKey(first)
  await store.close()
  const again = sqliteStore(file)
  expect(shown(await again.signingKeys('acme-corp'))).toEqual([shown(first)])
  await again.close()
})

test('what was answered is on the disk though the process never closes the file', async () => {
  const store = sqliteStore(file)
  const first = signingKey()
  await store.keepFirstSigningKey(first)
  const copy = join(folder, 'copy.sqlite')
  for (const end of ['', '-wal']) {
    await writeFile(`${copy}${end}`, await readFile(`${file}${end}`))
  }
  const survivor = sqliteStore(copy)
  expect(shown(await survivor.signingKeys('acme-corp'))).toEqual([shown(first)])
  await survivor.close()
  await store.close()
})

test('the journal is a write-ahead log', async () => {
  await fill()
  const database = new DatabaseSync(file)
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  database.close()
})

const modes = [
  { name: 'a new file', before: undefined },
  { name: 'a file that everybody could read', before: 0o644 },
]

for (const { name, before } of modes) {
  test(`nobody else can read the files: ${name}`, async () => {
    if (before !== undefined) {
      await fill()
      await chmod(file, before)
    }
    const store = sqliteStore(file)
    await store.keepFirstSigningKey(signingKey())
    const files = (await readdir(folder)).toSorted()
    expect(files).toEqual(['store.sqlite', 'store.sqlite-shm', 'store.sqlite-wal'])
    const found = await Promise.all(files.map(async (one) => (await stat(join(folder, one))).mode))
    expect(found.map((mode) => mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    await store.close()
  })
}

const verbs: readonly {
  readonly name: Exclude<keyof Store, 'close'>
  readonly ask: (store: Store) => Promise<unknown>
}[] = [
  { name: 'signingKeys', ask: (store) => store.signingKeys('acme-corp') },
  { name: 'keepFirstSigningKey', ask: (store) => store.keepFirstSigningKey(signingKey()) },
  { name: 'addSigningKey', ask: (store) => store.addSigningKey(signingKey()) },
  { name: 'retireSigningKey', ask: (store) => store.retireSigningKey('acme-corp', 'first', now) },
  { name: 'client', ask: (store) => store.client('acme-corp', 'reporter') },
  { name: 'clients', ask: (store) => store.clients('acme-corp') },
  { name: 'addClient', ask: (store) => store.addClient(client()) },
  {
    name: 'rotateClientSecret',
    ask: (store) => store.rotateClientSecret('acme-corp', 'reporter', sha256('new')),
  },
  { name: 'removeClient', ask: (store) => store.removeClient('acme-corp', 'reporter') },
  { name: 'keepCode', ask: (store) => store.keepCode(code()) },
  { name: 'code', ask: (store) => store.code('acme-corp', sha256('code')) },
  { name: 'consumeCode', ask: (store) => store.consumeCode('acme-corp', sha256('code')) },
  { name: 'keepFamily', ask: (store) => store.keepFamily(family()) },
  { name: 'family', ask: (store) => store.family('acme-corp', 'family-1') },
  { name: 'rotateRefresh', ask: (store) => store.rotateRefresh(rotation(0, 0)) },
  { name: 'revoke', ask: (store) => store.revoke([revocation()]) },
  { name: 'isRevoked', ask: (store) => store.isRevoked(question()) },
  {
    name: 'reserve',
    ask: (store) => store.reserve({ tenant: 'a', owner: 'b', jti: 'c', expiresAt: now }, now),
  },
  { name: 'userGrants', ask: (store) => store.userGrants('acme-corp') },
  { name: 'userGrant', ask: (store) => store.userGrant('acme-corp', 'user-1', 'agent-1') },
  { name: 'putUserGrant', ask: (store) => store.putUserGrant(userGrant()) },
  {
    name: 'removeUserGrant',
    ask: (store) => store.removeUserGrant('acme-corp', 'user-1', 'agent-1'),
  },
  { name: 'disabledUsers', ask: (store) => store.disabledUsers('acme-corp') },
  { name: 'isUserDisabled', ask: (store) => store.isUserDisabled('acme-corp', 'user-1') },
  { name: 'setUserDisabled', ask: (store) => store.setUserDisabled('acme-corp', 'user-1', true) },
  { name: 'appendAudit', ask: (store) => store.appendAudit(auditRows(1)) },
  { name: 'auditTail', ask: (store) => store.auditTail(undefined, 1) },
  { name: 'auditSegment', ask: (store) => store.auditSegment('segment-1') },
  { name: 'auditSegments', ask: (store) => store.auditSegments() },
  {
    name: 'closeAuditSegment',
    ask: (store) =>
      store.closeAuditSegment({
        segment: 'segment-1',
        rows: 1,
        hash: sha256('last'),
        closedAt: now,
        signature: Buffer.alloc(64),
      }),
  },
  { name: 'auditHeads', ask: (store) => store.auditHeads() },
  { name: 'dropAuditSegments', ask: (store) => store.dropAuditSegments(now) },
  { name: 'prune', ask: (store) => store.prune(now) },
]

describe('a store that is out', () => {
  test('a folder that is not there is refused with a sentence', () => {
    const nowhere = join(folder, 'none', 'store.sqlite')
    expect(() => sqliteStore(nowhere)).toThrow(
      new StoreFault(`the store ${nowhere} cannot be opened: unable to open database file`),
    )
  })

  test('a folder in its place is refused with a sentence', async () => {
    await mkdir(file)
    expect(() => sqliteStore(file)).toThrow(
      new StoreFault(`the store ${file} cannot be opened: unable to open database file`),
    )
  })

  test('a file that is no database is refused, and left as it was', async () => {
    const text = 'keys: none\n'.repeat(200)
    await writeFile(file, text)
    expect(() => sqliteStore(file)).toThrow(
      new StoreFault(`the store ${file} cannot be opened: file is not a database`),
    )
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(await readdir(folder)).toEqual(['store.sqlite'])
  })

  test('a database whose pages are broken is StoreFault at the latest when it is asked', async () => {
    await fill()
    const bytes = await readFile(file)
    await writeFile(
      file,
      Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0xff)]),
    )
    const asking = Promise.resolve().then(() => sqliteStore(file).signingKeys('acme-corp'))
    await expect(asking).rejects.toBeInstanceOf(StoreFault)
  })

  test.each(verbs)('$name of a closed store is StoreFault', async ({ ask }) => {
    const store = sqliteStore(file)
    await store.close()
    await expect(ask(store)).rejects.toBeInstanceOf(StoreFault)
  })

  test('a transaction that fails half way leaves nothing and holds no lock', async () => {
    const store = sqliteStore(file)
    await store.keepFamily(family())
    await store.rotateRefresh(rotation(0, 0))
    const other = new DatabaseSync(file)
    other.exec('ALTER TABLE revocations RENAME TO hidden')
    await expect(store.rotateRefresh(rotation(0, 10_000))).rejects.toBeInstanceOf(StoreFault)
    // No wait for a lock here: this way in has none.
    other.exec('PRAGMA busy_timeout = 0; ALTER TABLE hidden RENAME TO revocations')
    other.close()
    expect(await store.rotateRefresh(rotation(0, 10_000))).toBe('reused')
    await store.close()
  })

  test('a table that is gone is StoreFault, and nothing is written', async () => {
    const store = sqliteStore(file)
    const other = new DatabaseSync(file)
    other.exec('DROP TABLE signing_keys')
    await expect(store.keepFirstSigningKey(signingKey())).rejects.toEqual(
      new StoreFault('no such table: signing_keys'),
    )
    other.close()
    await store.close()
  })
})
