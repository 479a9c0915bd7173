import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import {
  asking,
  docs,
  eventually,
  onceAsked,
  openLine,
  startProxy,
  startRawUpstream,
} from './world.ts'

const upgrade = [
  'Connection: keep-alive, Upgrade',
  'Upgrade: WebSocket',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
]
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nLumo-Error: x\r\n\r\n'

async function start(take: (socket: Socket, head: string) => void, changes: object = {}) {
  const heads: string[] = []
  const upstream = await startRawUpstream((socket) => {
    onceAsked(socket, (head) => {
      heads.push(head)
      take(socket, head)
    })
  })
  const proxy = await startProxy({ routes: [docs(upstream.origin, changes)] })
  const open = (headers: readonly string[] = [], body = '') =>
    openLine(
      proxy.port,
      asking(proxy.host, 'GET /docs/ws HTTP/1.1', [...upgrade, ...headers], body),
    )
  return { upstream, proxy, open, heads }
}

/** Sends back whatever comes. */
function echo(socket: Socket): void {
  socket.write(SWITCHING)
  socket.pipe(socket)
}

describe('a WebSocket', () => {
  test('is opened with the token and carries bytes both ways', async () => {
    const { open, heads, upstream } = await start(echo)
    const line = await open(['Authorization: Bearer stolen'])
    const head = await line.until('\r\n\r\n')
    expect(head).toContain('sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    expect(head).toMatch(
      /^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/,
    )
    expect(head.toLowerCase()).not.toContain('lumo-')
    expect(heads[0]?.toLowerCase().split('\r\n')).toEqual([
      'get /base/ws http/1.1',
      `host: ${upstream.host}`,
      'connection: upgrade',
      'upgrade: websocket',
      'sec-websocket-key: dghlihnhbxbszsbub25jzq==',
      'sec-websocket-version: 13',
      'authorization: bearer own-1',
      '',
      '',
    ])
    for (const text of ['\x81\x05hello', '\x81\x02\r\n']) {
      line.socket.write(text, 'latin1')
      await line.until(text)
    }
  })

  test('has what came behind the request', async () => {
    const { open } = await start(echo)
    await (await open([], 'at once')).until('at once')
  })

  test('that its upstream ends is ended', async () => {
    const { open, upstream } = await start(echo)
    const line = await open()
    await line.until('\r\n\r\n')
    upstream.sockets[0]?.destroy()
    expect(await line.over).toBe('end')
  })

  test('that its caller ends is ended', async () => {
    const { open, upstream } = await start(echo)
    const line = await open()
    await line.until('\r\n\r\n')
    line.socket.destroy()
    await eventually(() => upstream.sockets[0]?.closed === true)
  })

  test('ends with its token', async () => {
    const { open, upstream, proxy } = await start(echo)
    const line = await open()
    await line.until('\r\n\r\n')
    proxy.bearers.end()
    expect(await line.over).toBe('end')
    await eventually(() => upstream.sockets[0]?.closed === true)
  })

  test('on which nothing moves ends after `idleTimeout`', async () => {
    const { open, proxy } = await start(echo, { idleTimeout: 60 })
    const line = await open()
    await line.until('\r\n\r\n')
    proxy.clock.advance(50_000)
    line.socket.write('ping')
    await line.until('ping')
    proxy.clock.advance(50_000)
    expect(line.socket.closed).toBe(false)
    proxy.clock.advance(20_000)
    expect(await line.over).toBe('end')
  })

  test('breaks off after the grace when the proxy closes', async () => {
    const { open, proxy } = await start(echo)
    const line = await open()
    await line.until('\r\n\r\n')
    const closing = proxy.proxy.close(5_000)
    proxy.clock.advance(5_100)
    await line.over
    await closing
  })
})

describe('instead of a WebSocket', () => {
  test.each([
    [
      'a refusal of the upstream',
      'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
      'HTTP/1.1 403 Forbidden',
      'no',
    ],
    [
      'another protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tls/1.3\r\n\r\n',
      'HTTP/1.1 502 Bad Gateway',
      'upstream_unusable',
    ],
  ])('%s is an answer, and the connection ends', async (_name, text, status, body) => {
    const { open } = await start((socket) => socket.write(text))
    const line = await open()
    await line.until(body)
    expect(line.text()).toContain(status)
    expect(await line.over).toBe('end')
  })

  test('an upstream that hangs is late', async () => {
    const { open, upstream, proxy } = await start(() => {})
    const line = await open()
    await eventually(() => (upstream.sockets[0]?.bytesRead ?? 0) > 0)
    proxy.clock.advance(40_000)
    await line.until('upstream_timeout')
  })

  test('a caller that ends its side has nothing asked of the upstream any more', async () => {
    const { open, upstream } = await start(() => {})
    const line = await open()
    await eventually(() => (upstream.sockets[0]?.bytesRead ?? 0) > 0)
    line.socket.end()
    await eventually(() => upstream.sockets[0]?.closed === true)
    await line.over
  })

  test('a 401 is tried again with another token', async () => {
    const { open, proxy, heads } = await start((socket, head) => {
      if (head.includes('own-1')) socket.write('HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n')
      else echo(socket)
    })
    // A token that was asked for long ago.
    void proxy.bearers.of({}, {} as never, undefined)
    proxy.clock.advance(11_000)
    await (await open()).until('101 Switching')
    expect(heads).toHaveLength(2)
  })
})
