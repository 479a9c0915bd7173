import { execFile } from 'node:child_process'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemRandom } from '../../src/platform/random.ts'
import { writableFiles, WriteFault, type FileAccess } from '../../src/platform/written_file.ts'

const files = writableFiles(systemRandom)
const own: FileAccess = { mode: 0o600, group: undefined }
const nonce = '0123456789abcdef0123456789abcdef'

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lumo-written-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

function faultOf(work: Promise<unknown>): Promise<unknown> {
  return work.catch((error: unknown) => error)
}

/** Another process, for a umask and a user are a process's own. As root it becomes somebody who is in no group but its own. */
async function replaceElsewhere(
  path: string,
  access: FileAccess,
  { umask = 0o022, asNobody = false } = {},
): Promise<string> {
  const at = (name: string) => new URL(`../../src/platform/${name}.ts`, import.meta.url).href
  const program = `
    import { writableFiles } from ${JSON.stringify(at('written_file'))}
    import { systemRandom } from ${JSON.stringify(at('random'))}
    process.umask(${String(umask)})
    if (${String(asNobody)} && process.getuid() === 0) {
      process.setgroups([])
      process.setgid(65534)
      process.setuid(65534)
    }
    const { path, access } = JSON.parse(process.argv[1])
    const done = writableFiles(systemRandom).replace(path, Buffer.from('new'), access)
    console.log(await done.then(() => 'written', ({ code, call }) => code + ' of ' + call))`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program,
    JSON.stringify({ path, access }),
  ])
  return stdout.trim()
}

describe('replacing', () => {
  test.each<readonly [string, (path: string) => Promise<unknown>]>([
    ['nothing', () => Promise.resolve()],
    ['a file', (path) => writeFile(path, 'old and longer')],
    ['a file that nobody may read', (path) => writeFile(path, 'old', { mode: 0o000 })],
    ['a link to nothing', (path) => symlink('gone', path)],
    ['a link to itself', (path) => symlink(path, path)],
  ])('%s gives the new file alone', async (_, make) => {
    const within = await folder()
    const path = join(within, 'token')
    await make(path)
    await files.replace(path, Buffer.from('new'), own)
    expect(await readFile(path, 'utf8')).toBe('new')
    expect((await lstat(path)).isFile()).toBe(true)
    expect(await readdir(within)).toEqual(['token'])
  })

  test('a link leaves what it points at as it is', async () => {
    const within = await folder()
    const target = join(within, 'target')
    await writeFile(target, 'untouched')
    await symlink(target, join(within, 'token'))
    await files.replace(join(within, 'token'), Buffer.from('new'), own)
    expect(await readFile(target, 'utf8')).toBe('untouched')
  })

  test('a reader sees the old file or the new one, whole, and at no time none', async () => {
    const path = join(await folder(), 'token')
    const size = 200_000
    const contents = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(size))
    await files.replace(path, Buffer.from(contents[0] ?? ''), own)
    const state = { writing: true }
    const write = async () => {
      for (let round = 0; round < 30; round += 1) {
        await files.replace(path, Buffer.from(contents[round % contents.length] ?? ''), own)
      }
      state.writing = false
    }
    const seen = new Set<string>()
    const read = async () => {
      while (state.writing) {
        const text = await readFile(path, 'utf8')
        seen.add(contents.includes(text) ? 'whole' : `${String(text.length)} bytes`)
      }
    }
    await Promise.all([write(), read(), read()])
    expect([...seen]).toEqual(['whole'])
  })

  test('whoever has the old file open reads it to its end', async () => {
    const path = join(await folder(), 'token')
    await writeFile(path, 'old')
    const reader = await open(path)
    onTestFinished(() => reader.close())
    await files.replace(path, Buffer.from('new'), own)
    expect(await reader.readFile('utf8')).toBe('old')
  })

  test('nobody else may open the file while it is being filled', async () => {
    const within = await folder()
    const size = 4_000_000
    const state = { writing: true }
    const wrong = new Set<string>()
    let looks = 0
    const look = async () => {
      while (state.writing) {
        for (const name of await readdir(within)) {
          const found = await stat(join(within, name)).catch(() => undefined)
          if (!found) continue
          looks += 1
          if ((found.mode & 0o077) !== 0 && found.size < size) wrong.add(found.mode.toString(8))
        }
      }
    }
    const write = async () => {
      for (let round = 0; round < 5; round += 1) {
        await files.replace(join(within, 'token'), Buffer.alloc(size, 'x'), { ...own, mode: 0o644 })
      }
      state.writing = false
    }
    await Promise.all([write(), look()])
    expect(looks).toBeGreaterThan(0)
    expect([...wrong]).toEqual([])
  })
})

describe('access', () => {
  test.each([
    [0o600, 0o000],
    [0o600, 0o777],
    [0o640, 0o077],
    [0o644, 0o077],
    [0o440, 0o022],
    [0o666, 0o022],
    [0o000, 0o000],
  ])('mode %o under the umask %o is exact', async (mode, umask) => {
    const path = join(await folder(), 'token')
    expect(await replaceElsewhere(path, { mode, group: undefined }, { umask })).toBe('written')
    expect((await stat(path)).mode & 0o7777).toBe(mode)
  })

  test('of a file that was open to all is as the new one says', async () => {
    const path = join(await folder(), 'token')
    await writeFile(path, 'old', { mode: 0o666 })
    await files.replace(path, Buffer.from('new'), own)
    expect((await stat(path)).mode & 0o7777).toBe(0o600)
  })

  test('goes to the group that is named', async () => {
    const path = join(await folder(), 'token')
    const group = process.getuid?.() === 0 ? 54_321 : (process.getgid?.() ?? 0)
    await files.replace(path, Buffer.from('new'), { mode: 0o640, group })
    const { gid, uid, mode } = await stat(path)
    expect([gid, uid, mode & 0o7777]).toEqual([group, process.getuid?.(), 0o640])
  })
})

describe('a failure leaves the old file, and nothing beside it', () => {
  test('a group that the process is not in', async () => {
    const within = await folder()
    const path = join(within, 'token')
    await writeFile(path, 'old')
    await chmod(within, 0o777)
    const access = { mode: 0o640, group: 54_321 }
    expect(await replaceElsewhere(path, access, { asNobody: true })).toBe('EPERM of fchown')
    expect(await readFile(path, 'utf8')).toBe('old')
    expect(await readdir(within)).toEqual(['token'])
  })

  test('a folder that the process may not write to', async () => {
    const within = await folder()
    const path = join(within, 'token')
    await writeFile(path, 'old')
    await chmod(within, 0o555)
    expect(await replaceElsewhere(path, own, { asNobody: true })).toBe('EACCES of open')
    expect(await readdir(within)).toEqual(['token'])
    await chmod(within, 0o755)
  })

  test('a folder in place of the file', async () => {
    const within = await folder()
    const path = join(within, 'token')
    await mkdir(path)
    const fault = await faultOf(files.replace(path, Buffer.from('canary-7f3a'), own))
    expect(fault).toStrictEqual(new WriteFault(path, 'EISDIR', 'rename'))
    expect(await readdir(within)).toEqual(['token'])
  })

  test('a folder that is absent', async () => {
    const path = join(await folder(), 'absent', 'token')
    const fault = await faultOf(files.replace(path, Buffer.from('canary-7f3a'), own))
    expect(fault).toStrictEqual(new WriteFault(path, 'ENOENT', 'open'))
  })
})

describe('removing', () => {
  test('a file says that it was there, and nothing that it was not', async () => {
    const path = join(await folder(), 'token')
    await writeFile(path, 'old')
    expect(await files.remove(path)).toBe(true)
    expect(await files.remove(path)).toBe(false)
    expect(await files.remove(join(path, 'below'))).toBe(false)
  })

  test('a link leaves what it points at', async () => {
    const within = await folder()
    await writeFile(join(within, 'target'), 'untouched')
    await symlink('target', join(within, 'token'))
    expect(await files.remove(join(within, 'token'))).toBe(true)
    expect(await readdir(within)).toEqual(['target'])
  })

  test('a folder is a fault', async () => {
    const path = join(await folder(), 'token')
    await mkdir(path)
    expect(await faultOf(files.remove(path))).toMatchObject({ call: 'unlink' })
  })
})

test('what lies there is told from what does not, a link that points nowhere too', async () => {
  const within = await folder()
  await symlink('nowhere', join(within, 'link'))
  expect(await files.has(join(within, 'link'))).toBe(true)
  expect(await files.has(join(within, 'token'))).toBe(false)
  expect(await files.has(join(within, 'absent', 'token'))).toBe(false)
})

describe('sweeping', () => {
  test('takes what replacements of this file left, and nothing of anybody else', async () => {
    const within = await folder()
    const others = [
      'token',
      '.token.tmp',
      '.token.backup.tmp',
      `.token.${nonce}`,
      `.token.${nonce}0.tmp`,
      `.token.${nonce.toUpperCase()}.tmp`,
      `.token.b.${nonce}.tmp`,
      `token.${nonce}.tmp`,
    ]
    const left = [`.token.${nonce}.tmp`, `.token.${'f'.repeat(32)}.tmp`]
    for (const name of [...others, ...left]) await writeFile(join(within, name), '')
    await files.sweep(join(within, 'token'))
    expect(new Set(await readdir(within))).toEqual(new Set(others))
  })

  test('takes the very name that a replacement writes to', async () => {
    const within = await folder()
    const path = join(within, 'token')
    const chance = { ...systemRandom, bytes: (count: number) => Buffer.alloc(count, 0xab) }
    await writeFile(join(within, `.token.${'ab'.repeat(16)}.tmp`), 'of a killed run')
    const fault = await faultOf(writableFiles(chance).replace(path, Buffer.from('new'), own))
    expect(fault).toStrictEqual(new WriteFault(path, 'EEXIST', 'open'))
    await files.sweep(path)
    expect(await readdir(within)).toEqual([])
  })

  test('a folder that is absent is no fault', async () => {
    await expect(files.sweep(join(await folder(), 'absent', 'token'))).resolves.toBeUndefined()
  })

  test('a folder of the right name is a fault', async () => {
    const within = await folder()
    await mkdir(join(within, `.token.${nonce}.tmp`))
    expect(await faultOf(files.sweep(join(within, 'token')))).toMatchObject({ call: 'unlink' })
  })
})
