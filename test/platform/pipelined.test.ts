import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { listen, type TlsPair } from '../../src/platform/listen.ts'
import { connect as connectTls } from 'node:tls'
import { selfSigned } from '../fakes/self_signed.ts'

const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const FLOOD = 5_000
const SLICE_BYTES = 2_048

/** A server that answers when it is told to, and counts what the parser made of what it read. */
async function open(options: { readonly tls?: TlsPair; readonly ownPodOnly?: boolean } = {}) {
  const held: ServerResponse[] = []
  let parsed = 0
  const count = () => (parsed += 1)
  diagnostics.subscribe('http.server.request.start', count)
  const listening = await listen(
    {
      role: 'broker',
      addresses: [{ host: '127.0.0.1', port: 0 }],
      handler: (_request, response) => held.push(response),
      ...options,
    },
    systemClock,
  )
  const port = Number(listening.addresses[0]?.split(':').at(-1))
  const socket = options.tls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  onTestFinished(async () => {
    diagnostics.unsubscribe('http.server.request.start', count)
    socket.destroy()
    await listening.close(0)
  })
  await once(socket, options.tls ? 'secureConnect' : 'connect')
  return { socket, held, parsed: () => parsed }
}

test('a client that pipelines a handful is answered in order', async () => {
  const { socket, held } = await open()
  socket.write(request.repeat(9))
  while (held.length < 9) await new Promise(setImmediate)
  let heard = ''
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  for (const [index, response] of held.toReversed().entries()) {
    response.end(`<${String(8 - index)}>`)
  }
  while (!heard.includes('<8>')) await new Promise(setImmediate)
  expect(heard.match(/<\d>/g)?.join('')).toBe('<0><1><2><3><4><5><6><7><8>')
})

test('answers that were written make room for others', async () => {
  const { socket, held } = await open()
  socket.resume()
  for (let round = 0; round < 5; round += 1) {
    socket.write(request.repeat(9))
    while (held.length < 9) await new Promise(setImmediate)
    for (const response of held.splice(0)) response.end()
  }
  expect(socket.destroyed).toBe(false)
})

test.each(['TCP', 'TLS'])(
  'a flood of requests over %s ends its connection before much was made of it',
  async (over) => {
    const { socket, held, parsed } = await open(over === 'TLS' ? { tls: await selfSigned({}) } : {})
    socket.write(request.repeat(FLOOD))
    await new Promise((closed) => socket.once('close', closed))
    expect(held.length).toBe(9)
    expect(parsed()).toBeLessThanOrEqual(SLICE_BYTES / request.length + 1)
  },
)

test('a flood from the own pod ends its connection, and what was read is answered by nobody', async () => {
  const { socket, held } = await open({ ownPodOnly: true })
  socket.write(request.repeat(FLOOD))
  await new Promise((closed) => socket.once('close', closed))
  expect(held.length).toBe(9)
})
