import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  FileFault,
  fingerprint,
  systemFiles,
  type FileFaultCode,
} from '../../src/platform/files.ts'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lumo-files-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

describe('reading', () => {
  test('gives the bytes as they are', async () => {
    const path = join(await folder(), 'bytes')
    const bytes = Buffer.from([0, 255, 10, 13, 0xef, 0xbb, 0xbf])
    await writeFile(path, bytes)
    expect(await systemFiles.read(path, 7)).toEqual(bytes)
  })

  test.each([
    [0, 0, 0],
    [1, 0, 'too_large'],
    [100, 100, 100],
    [101, 100, 'too_large'],
    [1_000_000, 100, 'too_large'],
    [1_000_000, 1_000_000, 1_000_000],
  ])('of %i bytes where %i are allowed: %s', async (size, maxBytes, outcome) => {
    const path = join(await folder(), 'file')
    await writeFile(path, Buffer.alloc(size, 'x'))
    const result = systemFiles.read(path, maxBytes).then(
      ({ length }) => length,
      (error: unknown) => (error instanceof FileFault ? error.code : error),
    )
    expect(await result).toBe(outcome)
  })

  const faults: readonly (readonly [
    name: string,
    make: (path: string) => Promise<unknown>,
    code: FileFaultCode,
    reason: string,
  ])[] = [
    ['nothing', () => Promise.resolve(), 'absent', 'does not exist'],
    ['a folder', (path) => mkdir(path), 'unreadable', 'cannot be read (it is no file)'],
    [
      'a FIFO that nobody writes to',
      (path) => promisify(execFile)('mkfifo', [path]),
      'unreadable',
      'cannot be read (it is no file)',
    ],
    ['a link to nothing', (path) => symlink('gone', path), 'absent', 'does not exist'],
    ['a link to itself', (path) => symlink(path, path), 'unreadable', 'cannot be read (ELOOP)'],
    [
      'too long a file',
      (path) => writeFile(path, 'canary-7f3a'.repeat(10)),
      'too_large',
      'is longer than 100 bytes',
    ],
  ]
  test.each(faults)('%s is a fault', async (_, make, code, reason) => {
    const path = join(await folder(), 'file')
    await make(path)
    const fault: unknown = await systemFiles.read(path, 100).catch((error: unknown) => error)
    expect(fault).toStrictEqual(new FileFault(code, `${path} ${reason}`))
  })

  test('of a path through a file is a fault', async () => {
    const path = join(await folder(), 'file')
    await writeFile(path, '')
    const below = join(path, 'below')
    await expect(systemFiles.read(below, 1)).rejects.toMatchObject({ code: 'absent' })
  })
})

describe('listing', () => {
  test('gives the files of a folder in order, without dot files', async () => {
    const path = await folder()
    for (const name of ['b.yaml', 'a.yaml', '.hidden', '..2026', 'C.yaml', '10', '9']) {
      await writeFile(join(path, name), '')
    }
    expect(await systemFiles.list(path)).toEqual(
      ['10', '9', 'C.yaml', 'a.yaml', 'b.yaml'].map((name) => join(path, name)),
    )
  })

  test('leaves folders out', async () => {
    const path = await folder()
    await mkdir(join(path, 'inner'))
    await writeFile(join(path, 'a'), '')
    expect(await systemFiles.list(path)).toEqual([join(path, 'a')])
  })

  test('gives nothing of an empty folder', async () => {
    expect(await systemFiles.list(await folder())).toEqual([])
  })

  test('gives a file itself', async () => {
    const path = join(await folder(), '.file')
    await writeFile(path, '')
    expect(await systemFiles.list(path)).toEqual([path])
  })

  test('of nothing is a fault', async () => {
    const path = join(await folder(), 'none')
    await expect(systemFiles.list(path)).rejects.toStrictEqual(
      new FileFault('absent', `${path} does not exist`),
    )
  })
})

describe('a volume as the kubelet writes it', () => {
  /** Writes a generation of the volume beside the last, and swaps to it by one rename. */
  async function publish(path: string, generation: string, files: Record<string, string>) {
    const inside = join(path, `..${generation}`)
    await mkdir(inside)
    for (const [name, text] of Object.entries(files)) await writeFile(join(inside, name), text)
    await symlink(`..${generation}`, join(path, '..data_tmp'))
    await rename(join(path, '..data_tmp'), join(path, '..data'))
  }

  test('is followed through its swap', async () => {
    const path = await folder()
    await publish(path, '2026_01', { token: 'first' })
    await symlink('..data/token', join(path, 'token'))
    const token = join(path, 'token')
    expect(await systemFiles.list(path)).toEqual([token])
    expect(String(await systemFiles.read(token, 100))).toBe('first')
    await publish(path, '2026_02', { token: 'second' })
    await rm(join(path, '..2026_01'), { recursive: true })
    expect(await systemFiles.list(path)).toEqual([token])
    expect(String(await systemFiles.read(token, 100))).toBe('second')
    await publish(path, '2026_03', {})
    await expect(systemFiles.read(token, 100)).rejects.toMatchObject({ code: 'absent' })
  })
})

describe('a fingerprint', () => {
  const of = (...parts: readonly string[]) => fingerprint(parts.map((part) => Buffer.from(part)))

  test('is the same for the same contents', () => {
    expect(of('a', 'b')).toBe(of('a', 'b'))
  })

  test.each([
    [['a', 'b'], ['ab']],
    [
      ['a', 'b'],
      ['b', 'a'],
    ],
    [
      ['ab', 'c'],
      ['a', 'bc'],
    ],
    [['a'], ['a', '']],
    [[], ['']],
    [['1:a'], ['', 'a']],
  ])('of %o is not that of %o', (one, other) => {
    expect(of(...one)).not.toBe(of(...other))
  })
})
