import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { StoreFault } from '../../src/store/store.ts'
import { newFolder } from '../fakes/running_authority.ts'
import { record, shown, storeConformance } from './conformance.ts'

storeConformance('SQLite', async () => {
  const within = await newFolder()
  const open = () => sqliteStore(join(within, 'store.sqlite'))
  const ways = [open(), open(), open()] as const
  return {
    ways: [...ways],
    close: async () => {
      for (const way of ways) await way.close()
      await rm(within, { recursive: true })
    },
  }
})

let folder: string
let file: string

beforeEach(async () => {
  folder = await newFolder()
  file = join(folder, 'store.sqlite')
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function fill(): Promise<void> {
  const store = sqliteStore(file)
  await store.keepFirstSigningKey(record({ sealedPrivateKey: Buffer.from('sealed') }))
  await store.close()
}

test('what was kept is there after a restart', async () => {
  const store = sqliteStore(file)
  const first = record()
  await store.keepFirstSigningKey(first)
  await store.close()
  const again = sqliteStore(file)
  expect((await again.signingKeys('acme-corp')).map(shown)).toEqual([shown(first)])
  await again.close()
})

test('what was answered is on the disk though the process never closes the file', async () => {
  const store = sqliteStore(file)
  const first = record()
  await store.keepFirstSigningKey(first)
  const copy = join(folder, 'copy.sqlite')
  for (const end of ['', '-wal']) {
    await writeFile(`${copy}${end}`, await readFile(`${file}${end}`))
  }
  const survivor = sqliteStore(copy)
  expect((await survivor.signingKeys('acme-corp')).map(shown)).toEqual([shown(first)])
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
    await store.keepFirstSigningKey(record())
    const files = (await readdir(folder)).toSorted()
    expect(files).toEqual(['store.sqlite', 'store.sqlite-shm', 'store.sqlite-wal'])
    const found = await Promise.all(files.map(async (one) => (await stat(join(folder, one))).mode))
    expect(found.map((mode) => mode & 0o777)).toEqual([0o600, 0o600, 0o600])
    await store.close()
  })
}

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

  test('every verb of a closed store is StoreFault', async () => {
    const store = sqliteStore(file)
    await store.close()
    await expect(store.signingKeys('acme-corp')).rejects.toBeInstanceOf(StoreFault)
    await expect(store.keepFirstSigningKey(record())).rejects.toBeInstanceOf(StoreFault)
  })

  test('a table that is gone is StoreFault, and nothing is written', async () => {
    const store = sqliteStore(file)
    const other = new DatabaseSync(file)
    other.exec('DROP TABLE signing_keys_1')
    await expect(store.keepFirstSigningKey(record())).rejects.toEqual(
      new StoreFault('no such table: signing_keys_1'),
    )
    other.close()
    await store.close()
  })
})

/** For each file in turn: waits for the other threads, opens it, wants to be the first, and notes what it was told. */
const racer = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { gates, count, store, files, kid } = workerData
  import(store).then(async ({ sqliteStore }) => {
    const arrived = new Int32Array(gates)
    const told = []
    for (const [at, file] of files.entries()) {
      if (Atomics.add(arrived, at, 1) === count - 1) Atomics.notify(arrived, at)
      for (let seen = Atomics.load(arrived, at); seen < count; seen = Atomics.load(arrived, at)) {
        Atomics.wait(arrived, at, seen)
      }
      try {
        const opened = sqliteStore(file)
        const kept = await opened.keepFirstSigningKey({
          tenant: 'acme-corp', kid, algorithm: 'ES256', publicJwk: '{}',
          sealedPrivateKey: new Uint8Array(48), createdAt: 1,
        })
        await opened.close()
        told.push(kept.map((one) => one.kid))
      } catch (error) {
        told.push(error.message.replace(file, 'FILE'))
      }
    }
    parentPort.postMessage(told)
  })`

test('of several threads that make a file at the same moment, one is first', async () => {
  const count = 4
  const files = Array.from({ length: 40 }, (_, at) => join(folder, `${String(at)}.sqlite`))
  const gates = new SharedArrayBuffer(4 * files.length)
  const store = new URL('../../src/store/sqlite.ts', import.meta.url).href
  const told = await Promise.all(
    Array.from({ length: count }, (_, at) => {
      const workerData = { gates, count, store, files, kid: `kid-${String(at)}` }
      const worker = new Worker(racer, { eval: true, workerData })
      return new Promise<readonly unknown[]>((resolve, reject) => {
        worker.once('message', resolve).once('error', reject)
      })
    }),
  )
  for (const [at, one] of files.entries()) {
    const left = sqliteStore(one)
    const kids = (await left.signingKeys('acme-corp')).map(({ kid }) => kid)
    await left.close()
    expect(kids).toHaveLength(1)
    expect(told.map((answers) => answers[at])).toEqual([kids, kids, kids, kids])
  }
})
