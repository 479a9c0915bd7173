import { execFile } from 'node:child_process'
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { get } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import {
  listen,
  ListenFault,
  type Listening,
  type ListenOptions,
} from '../../src/platform/listen.ts'

let path = ''

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'socket-'))
  path = join(folder, 'broker.sock')
  return () => rm(folder, { recursive: true, force: true })
})

async function start(changes: Partial<ListenOptions> = {}): Promise<Listening> {
  const listening = await listen(
    {
      role: 'broker',
      handler: (_, response) => response.end('hello'),
      addresses: [{ socket: path }],
      ...changes,
    },
    systemClock,
  )
  onTestFinished(() => listening.close(0))
  return listening
}

function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ socketPath: path, path: '/', agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        resolve(Buffer.concat(chunks).toString())
      })
    }).on('error', reject)
  })
}

/** A socket as a process leaves it that is killed. */
function leaveBehind(): Promise<void> {
  const program =
    "require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))"
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', program, path], () => {
      resolve()
    })
  })
}

test('a socket is listened on, and whoever reaches it may connect', async () => {
  const { addresses } = await start()
  expect(addresses).toEqual([`unix:${path}`])
  expect(((await stat(path)).mode & 0o7777).toString(8)).toBe('666')
  expect(await ask()).toBe('hello')
})

test('it is gone once the listener is closed', async () => {
  const listening = await start()
  await listening.close(0)
  await expect(lstat(path)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('one that a killed process left is replaced', async () => {
  await leaveBehind()
  expect((await lstat(path)).isSocket()).toBe(true)
  await start()
  expect(await ask()).toBe('hello')
})

describe('it is not listened on', () => {
  const ours = 'the broker cannot listen on'

  test('where somebody else does, who goes on', async () => {
    await start()
    const second = start({ handler: (_, response) => response.end('stolen') })
    await expect(second).rejects.toStrictEqual(
      new ListenFault(
        `${ours} ${path}: another program already does; end it, or choose another path`,
      ),
    )
    expect(await ask()).toBe('hello')
  })

  test('in the place of a file, which stays', async () => {
    await writeFile(path, 'mine')
    await expect(start()).rejects.toStrictEqual(
      new ListenFault(`${ours} ${path}: something else lies there`),
    )
    expect(await readFile(path, 'utf8')).toBe('mine')
  })

  test('in the place of a folder, which stays', async () => {
    await mkdir(path)
    await expect(start()).rejects.toStrictEqual(
      new ListenFault(`${ours} ${path}: something else lies there`),
    )
    expect((await lstat(path)).isDirectory()).toBe(true)
  })

  test('in the place of a link, whatever it leads to', async () => {
    const target = path
    await leaveBehind()
    path = `${target}-link`
    await symlink(target, path)
    await expect(start()).rejects.toStrictEqual(
      new ListenFault(`${ours} ${path}: something else lies there`),
    )
    expect((await lstat(target)).isSocket()).toBe(true)
  })

  test('in a folder that is not there', async () => {
    path = join(path, 'broker.sock')
    await expect(start()).rejects.toThrow(
      /^the broker cannot listen on .* \((ENOENT|EACCES)\): is its folder there\?$/,
    )
  })

  test('below a file', async () => {
    await writeFile(path, '')
    path = join(path, 'broker.sock')
    await expect(start()).rejects.toThrow(/^the broker cannot listen on .* \(ENOTDIR\)$/)
  })

  test.skipIf(process.getuid?.() === 0)('in a folder that may not be written to', async () => {
    const folder = join(path, '..')
    await chmod(folder, 0o555)
    onTestFinished(() => chmod(folder, 0o755))
    await expect(start()).rejects.toThrow(/^the broker cannot listen on .* \(EACCES\)/)
  })

  test('and then neither is any other address', async () => {
    await writeFile(path, 'mine')
    const addresses = [{ host: '127.0.0.1', port: 0 }, { socket: path }]
    await expect(start({ addresses })).rejects.toThrow(ListenFault)
  })
})

describe('connections of one address', () => {
  const max = 3

  async function open(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port, localAddress })
    socket.on('error', () => {})
    onTestFinished(() => {
      socket.destroy()
    })
    await once(socket, 'connect')
    return socket
  }

  /** Whether a request over it is answered; a connection too many is closed without a word. */
  async function isServed(socket: Socket): Promise<boolean> {
    const heard = Promise.race([
      once(socket, 'data').then(() => true),
      once(socket, 'close').then(() => false),
    ])
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    return heard
  }

  async function listening(bounds: { maxPerAddress?: number; maxConnections?: number } = {}) {
    const { addresses } = await start({
      addresses: [{ host: '127.0.0.1', port: 0 }],
      maxPerAddress: max,
      ...bounds,
    })
    return Number(addresses[0]?.split(':').at(-1))
  }

  test('are bounded, and those that were there go on', async () => {
    const port = await listening()
    const first = []
    for (let index = 0; index < max; index += 1) first.push(await open(port))
    expect(await Promise.all(first.map(isServed))).toEqual([true, true, true])
    expect(await isServed(await open(port))).toBe(false)
    expect(await Promise.all(first.map(isServed))).toEqual([true, true, true])
  })

  test('make room as they close', async () => {
    const port = await listening()
    for (let round = 0; round < 2 * max; round += 1) {
      const socket = await open(port)
      expect(await isServed(socket)).toBe(true)
      socket.end()
      await once(socket, 'close')
    }
  })

  // Only Linux has the whole of 127.0.0.0/8.
  test.skipIf(process.platform !== 'linux')('are nothing to another address', async () => {
    const port = await listening()
    for (let index = 0; index < max; index += 1) await open(port)
    expect(await isServed(await open(port, '127.0.0.2'))).toBe(true)
  })

  test.skipIf(process.platform !== 'linux')(
    'that are many together do not keep another out: the oldest of whoever holds most goes',
    async () => {
      const port = await listening({ maxConnections: 6 })
      const [oldest, ...most] = [
        await open(port, '127.0.0.2'),
        await open(port, '127.0.0.2'),
        await open(port, '127.0.0.2'),
      ]
      const others = [
        await open(port, '127.0.0.3'),
        await open(port, '127.0.0.3'),
        await open(port, '127.0.0.4'),
      ]
      const ended = once(oldest, 'close')
      expect(await isServed(await open(port, '127.0.0.5'))).toBe(true)
      await ended
      expect(await Promise.all([...most, ...others].map(isServed))).toEqual(
        [...most, ...others].map(() => true),
      )
    },
  )

  test('that are all there may be keep a new one out where no address is bounded', async () => {
    const { addresses } = await start({
      addresses: [{ host: '127.0.0.1', port: 0 }],
      maxConnections: 2,
    })
    const port = Number(addresses[0]?.split(':').at(-1))
    const first = [await open(port), await open(port)]
    expect(await Promise.all(first.map(isServed))).toEqual([true, true])
    expect(await isServed(await open(port))).toBe(false)
    expect(await Promise.all(first.map(isServed))).toEqual([true, true])
  })

  test('on a socket are not counted where no number is given', async () => {
    await start()
    const sockets = Array.from({ length: 20 }, () => connect({ path }))
    for (const socket of sockets) onTestFinished(() => void socket.destroy())
    expect(await Promise.all(sockets.map(isServed))).toEqual(sockets.map(() => true))
  })
})
