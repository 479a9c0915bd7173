import { Agent, get, type RequestOptions } from 'node:http'
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import {
  handlerOf,
  listen,
  ListenFault,
  type Listening,
  type ListenOptions,
} from '../../src/platform/listen.ts'
import { makeCa } from '../fakes/certificates.ts'
import { FakeClock } from '../fakes/clock.ts'
import { freePorts } from '../fakes/ports.ts'

const loopback = { host: '127.0.0.1', port: 0 }
/** Of a range for documents only (RFC 5737): no machine has it. */
const absent = { host: '192.0.2.1', port: 0 }

async function start(
  changes: Partial<ListenOptions> = {},
  clock = systemClock,
): Promise<Listening> {
  const options: ListenOptions = {
    role: 'broker',
    handler: (_, response) => response.end('hello'),
    addresses: [loopback],
    ...changes,
  }
  const listening = await listen(options, clock)
  onTestFinished(() => listening.close(0))
  return listening
}

const portOf = ({ addresses }: Listening, index = 0) => Number(addresses[index]?.split(':').at(-1))

/** The body of an answer, over a connection of its own unless an agent is given. */
function ask(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', agent: false, ...options }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        resolve(Buffer.concat(chunks).toString())
      })
    }).on('error', reject)
  })
}

describe('listening', () => {
  test('says where, with the port that was given', async () => {
    const listening = await start()
    expect(listening.addresses).toEqual([`127.0.0.1:${String(portOf(listening))}`])
    expect(portOf(listening)).toBeGreaterThan(0)
    expect(await ask({ port: portOf(listening) })).toBe('hello')
  })

  test('on two addresses answers on both', async () => {
    const listening = await start({ addresses: [loopback, loopback] })
    expect(listening.addresses).toHaveLength(2)
    for (const index of [0, 1]) expect(await ask({ port: portOf(listening, index) })).toBe('hello')
  })

  test('hands a request to the routing of an application', async () => {
    const handler = handlerOf({ routing: (request, response) => response.end(request.url) })
    const listening = await start({ handler })
    expect(await ask({ port: portOf(listening), path: '/x?y' })).toBe('/x?y')
  })

  test('leaves out an optional address that the machine has not', async () => {
    const listening = await start({ addresses: [loopback, { ...absent, optional: true }] })
    expect(listening.addresses).toEqual([`127.0.0.1:${String(portOf(listening))}`])
  })

  test('needs every address that is not optional', async () => {
    await expect(start({ addresses: [absent] })).rejects.toStrictEqual(
      new ListenFault('the broker cannot listen on 192.0.2.1:0: this machine has no such address'),
    )
  })

  test.each([true, false])('on a port in use fails (optional: %s)', async (optional) => {
    const port = portOf(await start())
    const again = start({ role: 'authority', addresses: [{ host: '127.0.0.1', port, optional }] })
    const where = `127.0.0.1:${String(port)}`
    await expect(again).rejects.toStrictEqual(
      new ListenFault(
        `the authority cannot listen on ${where}: another program already does; end it, or choose another port`,
      ),
    )
  })

  test.each([
    ['in use', async () => ({ host: '127.0.0.1', port: portOf(await start()) })],
    ['absent', () => Promise.resolve(absent)],
  ])('where one address is %s listens on none', async (_, make) => {
    const good = { host: '127.0.0.1', port: await freePorts([0]) }
    const addresses = [good, await make(), loopback]
    await expect(start({ addresses })).rejects.toThrow(ListenFault)
    await expect(ask(good)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

/** Keeps its connections until the test ends. */
function keeping(): Agent {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => {
    agent.destroy()
  })
  return agent
}

describe('closing', () => {
  test('is done at once where nothing runs, whatever connections are kept', async () => {
    const listening = await start()
    await ask({ port: portOf(listening), agent: keeping() })
    await listening.close(60_000)
  }, 5_000)

  test.each([
    ['that is closed with its answer', () => false as const],
    ['that its client keeps', keeping],
  ])(
    'lets what runs come to its end on a connection %s',
    async (_, agentOf) => {
      const running = Promise.withResolvers<void>()
      const finish = Promise.withResolvers<void>()
      const listening = await start({
        handler: (_, response) => {
          running.resolve()
          void finish.promise.then(() => response.end('finished'))
        },
      })
      const port = portOf(listening)
      const answer = ask({ port, agent: agentOf() })
      await running.promise
      const closed = listening.close(60_000)
      await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
      finish.resolve()
      expect(await answer).toBe('finished')
      await closed
    },
    5_000,
  )

  test('cuts off what still runs after its grace', async () => {
    const clock = new FakeClock()
    const running = Promise.withResolvers<void>()
    const listening = await start(
      {
        handler: () => {
          running.resolve()
        },
      },
      clock,
    )
    const answer = ask({ port: portOf(listening) }).catch(
      (error: NodeJS.ErrnoException) => error.code,
    )
    await running.promise
    const closed = listening.close(30_000)
    clock.advance(30_000)
    expect(await answer).toBe('ECONNRESET')
    await closed
  })
})

describe('TLS', async () => {
  const ca = await makeCa('ours')
  const first = await ca.issue()
  const second = await ca.issue()

  test('a connection that never begins its handshake does not outlive the grace', async () => {
    const clock = new FakeClock()
    const listening = await start({ tls: first }, clock)
    const silent = connectPlain({ host: '127.0.0.1', port: portOf(listening) })
    const ended = once(silent, 'close')
    await once(silent, 'connect')
    const closed = listening.close(30_000)
    clock.advance(30_000)
    await closed
    await ended
  })

  /** A connection, and the serial number of the certificate that it was shown. */
  function shake(port: number) {
    return new Promise<{ serial: string; ask: () => Promise<string>; end: () => void }>(
      (resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port, ca: ca.pem }, () => {
          resolve({
            serial: socket.getPeerCertificate().serialNumber,
            ask: () =>
              new Promise((resolve) => {
                socket.once('data', (bytes: Buffer) => {
                  resolve(bytes.toString().split('\r\n')[0] ?? '')
                })
                socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
              }),
            end: () => socket.destroy(),
          })
        })
        socket.on('error', reject)
      },
    )
  }

  test('is spoken', async () => {
    const port = portOf(await start({ tls: first }))
    const { ask, end } = await shake(port)
    expect(await ask()).toBe('HTTP/1.1 200 OK')
    end()
  })

  test('that was swapped is shown to new connections, and old ones go on', async () => {
    const listening = await start({ tls: first, addresses: [loopback, loopback] })
    const before = await Promise.all([0, 1].map((index) => shake(portOf(listening, index))))
    listening.useTls(second)
    const after = await Promise.all([0, 1].map((index) => shake(portOf(listening, index))))
    expect(new Set(before.map(({ serial }) => serial)).size).toBe(1)
    expect(new Set(after.map(({ serial }) => serial)).size).toBe(1)
    expect(after[0]?.serial).not.toBe(before[0]?.serial)
    for (const { ask, end } of [...before, ...after]) {
      expect(await ask()).toBe('HTTP/1.1 200 OK')
      end()
    }
  })

  test('pair for a plain listener is ignored', async () => {
    const listening = await start()
    listening.useTls(first)
    expect(await ask({ port: portOf(listening) })).toBe('hello')
  })
})
