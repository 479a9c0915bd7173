import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { listen, type TlsPair } from '../../src/platform/listen.ts'
import { makeCa } from '../fakes/certificates.ts'

const ca = await makeCa('ours')
const pair = await ca.issue()

/** A listener with room for four connections, where a request for `/wait` is answered when the test says so. */
async function crowded(tls: TlsPair | undefined) {
  const waiting = Promise.withResolvers<ServerResponse>()
  const listening = await listen(
    {
      role: 'broker',
      handler: (request, response) => {
        if (request.url === '/wait') waiting.resolve(response)
        else response.end('hello')
      },
      addresses: [{ host: '127.0.0.1', port: 0 }],
      maxPerAddress: 3,
      maxConnections: 4,
      ...(tls && { tls }),
    },
    systemClock,
  )
  onTestFinished(() => listening.close(0))
  const port = Number(listening.addresses[0]?.split(':').at(-1))
  const open = async (localAddress: string): Promise<Socket> => {
    const at = { host: '127.0.0.1', port, localAddress }
    const socket = tls ? connectTls({ ...at, ca: ca.pem }) : connectPlain(at)
    socket.on('error', () => {})
    onTestFinished(() => {
      socket.destroy()
    })
    await once(socket, tls ? 'secureConnect' : 'connect')
    return socket
  }
  return { open, waiting: waiting.promise }
}

function send(socket: Socket, path: string): void {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
}

/** What comes over it next; undefined: nothing, for it is ended. */
async function heard(socket: Socket): Promise<string | undefined> {
  if (socket.destroyed || socket.readableEnded) return undefined
  return Promise.race([
    once(socket, 'data').then(([bytes]) => String(bytes)),
    once(socket, 'close').then(() => undefined),
  ])
}

/** Whether a request over it is answered. */
async function isServed(socket: Socket): Promise<boolean> {
  const answer = heard(socket)
  send(socket, '/')
  return (await answer) !== undefined
}

// Only Linux has the whole of 127.0.0.0/8.
describe.skipIf(process.platform !== 'linux').each([
  { over: 'plain HTTP', tls: undefined },
  { over: 'TLS', tls: pair },
])('where addresses with one connection each have taken all, over $over', ({ tls }) => {
  test('one that waits for its answer stays, and gets it', async () => {
    const { open, waiting } = await crowded(tls)
    const busy = await open('127.0.0.2')
    send(busy, '/wait')
    const response = await waiting
    const idle = await open('127.0.0.3')
    const others = [await open('127.0.0.4'), await open('127.0.0.5')]
    expect(await isServed(await open('127.0.0.6'))).toBe(true)
    const answer = heard(busy)
    response.end('late')
    expect(await answer).toContain('late')
    expect(await Promise.all([idle, ...others].map(isServed))).toEqual([false, true, true])
  })

  test('what runs stays, too, where whoever asks holds most', async () => {
    const { open, waiting } = await crowded(tls)
    const [busy, spare] = [await open('127.0.0.2'), await open('127.0.0.2')]
    send(busy, '/wait')
    const response = await waiting
    const idle = [await open('127.0.0.3'), await open('127.0.0.4')]
    expect(await isServed(await open('127.0.0.5'))).toBe(true)
    expect(await isServed(await open('127.0.0.6'))).toBe(true)
    const answer = heard(busy)
    response.end('late')
    expect(await answer).toContain('late')
    expect(await Promise.all([spare, ...idle].map(isServed))).toEqual([false, false, true])
  })

  test('those that had an answer stay while there are others, also of whoever holds most', async () => {
    const { open } = await crowded(tls)
    const known = [await open('127.0.0.2'), await open('127.0.0.2')]
    const idle = [await open('127.0.0.3'), await open('127.0.0.4')]
    expect(await Promise.all(known.map(isServed))).toEqual([true, true])
    expect(await isServed(await open('127.0.0.5'))).toBe(true)
    const all = [...known, ...idle]
    expect(await Promise.all(all.map(isServed))).toEqual([true, true, false, true])
  })

  test('the one goes that was of no use for longest', async () => {
    const { open } = await crowded(tls)
    const [used, idle, ...others] = [
      await open('127.0.0.2'),
      await open('127.0.0.3'),
      await open('127.0.0.4'),
      await open('127.0.0.5'),
    ]
    expect(await isServed(used)).toBe(true)
    expect(await isServed(await open('127.0.0.6'))).toBe(true)
    const all = [used, idle, ...others]
    expect(await Promise.all(all.map(isServed))).toEqual([true, false, true, true])
  })
})
