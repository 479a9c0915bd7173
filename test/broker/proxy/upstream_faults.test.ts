import { createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  ask,
  asking,
  codeOf,
  docs,
  eventually,
  listenOnLoopback,
  onceAsked,
  openLine,
  startProxy,
  startRawUpstream,
  startUpstream,
} from './world.ts'

const MEGABYTE = 1_048_576

test('an upstream that cannot be connected to', async () => {
  const server = createServer()
  const host = await listenOnLoopback(server)
  server.close()
  const proxy = await startProxy({ routes: [docs(`http://${host}`)] })
  expect(codeOf(await ask(proxy, 'GET /docs/a?secret=1'))).toBe('502 upstream_unavailable')
  expect(proxy.log.lines).toEqual([
    {
      level: 'warn',
      message: 'an upstream of the proxy gave no usable answer',
      fields: { route: 'docs', reason: 'ECONNREFUSED' },
    },
  ])
})

test('a head of 100 MB is not read beyond 16 KiB', async () => {
  let sent = 0
  const upstream = await startRawUpstream((socket) => {
    onceAsked(socket, () => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        while (sent < 100 * MEGABYTE && !socket.destroyed) {
          sent += 65_536
          if (!socket.write(`X-${String(sent)}: ${'x'.repeat(65_520)}\r\n`)) {
            socket.once('drain', more)
            return
          }
        }
      }
      more()
    })
  })
  const proxy = await startProxy({ routes: [docs(upstream.origin)] })
  expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('502 upstream_unusable')
  await eventually(() => upstream.sockets[0]?.closed === true)
  expect(sent).toBeLessThan(32 * MEGABYTE)
})

describe('an upstream that', () => {
  /** Lets a second pass, as often as said, and all that waits for it. */
  async function pass(clock: { advance(ms: number): void }, seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  const slow: readonly (readonly [name: string, begin: (socket: Socket) => void, part: string])[] =
    [
      ['hangs', () => {}, ''],
      ['trickles its head', (socket) => socket.write('HTTP/1.1 200 OK\r\n'), 'X: y\r\n'],
      ['answers for the time being, for ever', () => {}, 'HTTP/1.1 102 Processing\r\n\r\n'],
    ]

  test.each(slow)('%s is late after `timeout`', async (_name, begin, part) => {
    const upstream = await startRawUpstream((socket) => {
      onceAsked(socket, () => begin(socket))
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin, { timeout: 5 })] })
    const line = await openLine(proxy.port, asking(proxy.host, 'GET /docs/a HTTP/1.1'))
    await eventually(() => (upstream.sockets[0]?.bytesRead ?? 0) > 0)
    for (let second = 0; second < 5; second += 1) {
      await pass(proxy.clock, 1)
      if (part !== '') upstream.sockets[0]?.write(part)
    }
    expect(line.text()).toBe('')
    await pass(proxy.clock, 2)
    expect(await line.until('upstream_timeout')).toContain('HTTP/1.1 504 Gateway Timeout')
    await eventually(() => upstream.sockets[0]?.closed === true)
  })

  test('reads no body is late after `timeout`', async () => {
    const upstream = await startRawUpstream((socket) => socket.pause())
    const proxy = await startProxy({ routes: [docs(upstream.origin, { timeout: 5 })] })
    const size = 64 * MEGABYTE
    const head = asking(proxy.host, 'POST /docs/a HTTP/1.1', [`Content-Length: ${String(size)}`])
    const line = await openLine(proxy.port, head)
    line.socket.write(Buffer.alloc(size))
    await eventually(() => upstream.sockets.length === 1)
    let left = 1_000
    await eventually(() => {
      left -= 1
      return left === 0
    })
    await pass(proxy.clock, 8)
    await line.until('upstream_timeout')
  })

  test('falls silent in the middle of its answer is given up after `idleTimeout`', async () => {
    const upstream = await startUpstream((_, response) => {
      response.write('half')
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin, { idleTimeout: 60 })] })
    const line = await openLine(proxy.port, asking(proxy.host, 'GET /docs/a HTTP/1.1'))
    await line.until('half')
    await pass(proxy.clock, 59)
    expect(line.socket.closed).toBe(false)
    await pass(proxy.clock, 3)
    expect(await line.over).toBe('end')
    expect(line.text()).not.toContain('0\r\n\r\n')
  })

  test('waits for a caller that falls silent is let go after `idleTimeout`', async () => {
    const upstream = await startUpstream((request) => request.resume())
    const proxy = await startProxy({ routes: [docs(upstream.origin, { idleTimeout: 60 })] })
    const head = asking(proxy.host, 'POST /docs/a HTTP/1.1', ['Content-Length: 8'], 'half')
    const line = await openLine(proxy.port, head)
    await eventually(() => upstream.seen.length === 1)
    await pass(proxy.clock, 45)
    expect(line.text()).toBe('')
    await pass(proxy.clock, 20)
    await line.until('upstream_timeout')
  })

  test('waits for a body of which no byte comes is let go after `timeout`', async () => {
    const upstream = await startRawUpstream(() => {})
    const proxy = await startProxy({ routes: [docs(upstream.origin, { timeout: 5 })] })
    const head = asking(proxy.host, 'POST /docs/a HTTP/1.1', ['Content-Length: 8'])
    const line = await openLine(proxy.port, head)
    await eventually(() => upstream.sockets.length === 1)
    let seconds = 0
    while (line.text() === '') {
      await pass(proxy.clock, 1)
      seconds += 1
      if (seconds > 250) break
    }
    expect(line.text()).toContain('upstream_timeout')
    expect(proxy.log.lines.map(({ fields }) => fields)).toEqual([
      { route: 'docs', reason: 'body_timeout' },
    ])
  })

  test('speaks now and then is never late', async () => {
    let say = (_text: string): void => {}
    const upstream = await startUpstream((_, response) => {
      say = (text) => response.write(text)
      say('begin')
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin, { idleTimeout: 60 })] })
    const line = await openLine(proxy.port, asking(proxy.host, 'GET /docs/a HTTP/1.1'))
    await line.until('begin')
    for (const word of ['one', 'two', 'three', 'four']) {
      await pass(proxy.clock, 50)
      say(word)
      await line.until(word)
    }
  })
})
