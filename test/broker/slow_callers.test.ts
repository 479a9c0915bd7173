import { connect, type Socket } from 'node:net'
import { onTestFinished, expect, test } from 'vitest'
import { listeningBroker } from '../fakes/broker.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'

/** What a caller sends before it falls silent, `again` and again after that, and how the broker ends it. */
const slow: readonly {
  readonly name: string
  readonly first: readonly string[]
  readonly again?: string
  readonly ended: string
}[] = [
  { name: 'nothing', first: [], ended: 'HTTP/1.1 408' },
  { name: 'half of a line', first: ['GET /v1/tok'], ended: 'HTTP/1.1 408' },
  {
    name: 'a header now and then',
    first: ['GET /v1/token HTTP/1.1', 'Host: 127.0.0.1', ''],
    again: 'X-Slow: 1\r\n',
    ended: 'HTTP/1.1 408',
  },
  {
    name: 'a body now and then',
    first: ['POST /v1/token HTTP/1.1', 'Content-Length: 1000', '', ''],
    again: 'a',
    ended: 'HTTP/1.1 408',
  },
]

/** What such a caller was told until its connection ended. */
function toldTo(
  { first, again }: (typeof slow)[number],
  { port, host }: { readonly port: number; readonly host: string },
): Promise<string> {
  return new Promise((resolve) => {
    let told = ''
    const socket: Socket = connect({ host: '127.0.0.1', port })
    const guard = ['Lumo-Broker: true', `Host: ${host}`]
    const [line = '', ...rest] = first
    socket.write([line, ...(rest.length > 0 ? guard : []), ...rest].join('\r\n'))
    const drip = again === undefined ? undefined : setInterval(() => socket.write(again), 300)
    socket.on('data', (chunk) => (told += chunk.toString('latin1')))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(drip)
      resolve(told)
    })
  })
}

test(
  'slow and half-open callers are ended, and keep nobody waiting',
  { timeout: 60_000 },
  async () => {
    const broker = await listeningBroker()
    onTestFinished(() => broker.close())
    const held = slow.flatMap((one) => Array.from({ length: 25 }, () => toldTo(one, broker)))
    const good = requestText('GET /v1/token HTTP/1.1', [
      `Host: ${broker.host}`,
      'Lumo-Broker: true',
    ])
    const statuses = new Set<number>()
    for (let count = 0; count < 50; count += 1)
      statuses.add((await sendRaw(broker.port, good)).status)
    const ends = (await Promise.all(held)).map((told) => told.slice(0, 12))
    expect(ends).toEqual(slow.flatMap(({ ended }) => Array.from({ length: 25 }, () => ended)))
    expect([...statuses]).toEqual([200])
    expect(broker.authority.asked).toHaveLength(1)
  },
)
