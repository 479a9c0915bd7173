import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Bearer, Bearers, OnBehalfOf } from '../../../src/broker/bearers.ts'
import { podItself } from '../../../src/broker/caller/callers.ts'
import { BrokerError } from '../../../src/broker/errors.ts'
import type { Wish } from '../../../src/broker/wish.ts'
import { Opened } from '../../../src/compose/opened.ts'
import { openProxy } from '../../../src/compose/proxy.ts'
import type { Clock } from '../../../src/platform/clock.ts'
import type { ProxyEnvironment } from '../../../src/platform/proxy.ts'
import { resolveConfig } from '../../../src/config/load.ts'
import { testBroker } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { sidecar } from '../../fakes/config_documents.ts'
import { requestText, sendRaw, type RawAnswer } from '../../fakes/raw_http.ts'
import { testSurroundings } from '../../fakes/surroundings.ts'

/** Tokens by subject, each until another is asked for in its place; one can end, or be withheld. */
export class FakeBearers implements Bearers {
  readonly #clock: Clock
  readonly #held = new Map<string, { bearer: Bearer; end: () => void }>()
  readonly askedFor: { readonly wish: Wish; readonly behalf: OnBehalfOf | undefined }[] = []
  readonly rejected: string[] = []
  #count = 0
  refusal: BrokerError | undefined
  /** Tokens come by a promise, as those that have to be exchanged for. */
  isSlow = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(_workload: unknown, wish: Wish, behalf: OnBehalfOf | undefined) {
    this.askedFor.push({ wish, behalf })
    const answer = this.refusal ?? this.#heldFor(behalf)
    return this.isSlow ? Promise.resolve(answer) : answer
  }

  instead(_workload: unknown, _wish: Wish, behalf: OnBehalfOf | undefined, rejected: Bearer) {
    this.rejected.push(rejected.token)
    this.#held.delete(nameOf(behalf))
    return Promise.resolve(this.refusal ?? this.#heldFor(behalf))
  }

  /** The token of somebody must not be used any more. */
  end(behalf?: OnBehalfOf): void {
    const held = this.#held.get(nameOf(behalf))
    this.#held.delete(nameOf(behalf))
    held?.end()
  }

  #heldFor(behalf: OnBehalfOf | undefined): Bearer {
    const known = this.#held.get(nameOf(behalf))
    if (known) return known.bearer
    this.#count += 1
    const listeners = new Set<() => void>()
    const bearer: Bearer = {
      token: `${nameOf(behalf)}-${String(this.#count)}`,
      askedAt: this.#clock.monotonic(),
      whenEnded: (callback) => {
        listeners.add(callback)
        return () => listeners.delete(callback)
      },
    }
    const end = (): void => {
      for (const listener of listeners) listener()
    }
    this.#held.set(nameOf(behalf), { bearer, end })
    return bearer
  }
}

function nameOf(behalf: OnBehalfOf | undefined): string {
  if (!behalf) return 'own'
  return behalf.kind === 'token' ? `for-${behalf.token}` : `session-${behalf.id}`
}

export interface ProxyWish {
  readonly routes: readonly object[]
  readonly proxyEnv?: ProxyEnvironment
  readonly rateLimit?: { readonly perSecond: number; readonly burst: number }
}

/** A proxy as it is composed, on a port of the loopback. Its clock stands until it is moved. */
export async function startProxy({ routes, proxyEnv = {}, rateLimit }: ProxyWish) {
  const clock = new FakeClock()
  const surroundings = { ...testSurroundings(clock), proxyEnv }
  const config = resolveConfig(sidecar({ proxy: { listen: ['127.0.0.1:0'], routes } }), {}).broker
  if (!config?.proxy) throw new Error('the document has no proxy')
  const { workload } = testBroker({ clock, ...(rateLimit && { rateLimit }) })
  const bearers = new FakeBearers(clock)
  const opened = new Opened()
  const callers = podItself(workload)
  const proxy = await openProxy(config.proxy, { bearers, callers, hosts: [] }, opened, surroundings)
  onTestFinished(async () => {
    const closing = proxy.close(0)
    clock.advance(1_000)
    await closing
    await opened.close()
  })
  const host = proxy.addresses[0] ?? ''
  return { ...surroundings, clock, bearers, proxy, host, port: Number(host.split(':')[1]) }
}

export type RunningProxyWorld = Awaited<ReturnType<typeof startProxy>>

/** The route of most tests: everything below `/docs`. */
export const docs = (origin: string, changes: object = {}): object => ({
  name: 'docs',
  upstream: `${origin}/base`,
  audience: 'https://docs.example.com',
  methods: ['GET', 'POST', 'HEAD', 'PUT'],
  paths: ['/**'],
  ...changes,
})

export interface Seen {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: IncomingMessage['headers']
}

export type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** An upstream that speaks HTTP as it should. */
export async function startUpstream(
  answer: Answering = (_, response) => response.end('hello'),
): Promise<{ origin: string; host: string; seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createHttp((request, response) => {
    const { method = '', url = '', rawHeaders, headers } = request
    seen.push({ method, url, rawHeaders, headers })
    answer(request, response)
  })
  const host = await listenOnLoopback(server)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `http://${host}`, host, seen }
}

/** An upstream that does with a connection what it likes. */
export async function startRawUpstream(
  take: (socket: Socket) => void,
): Promise<{ origin: string; host: string; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    take(socket)
  })
  const host = await listenOnLoopback(server)
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { origin: `http://${host}`, host, sockets }
}

export async function listenOnLoopback(server: {
  listen(port: number, host: string): unknown
  address(): AddressInfo | string | null
}): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server as never, 'listening')
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`
}

/** Runs what the request is, as the first bytes of a raw upstream's connection tell. */
export function onceAsked(socket: Socket, then: (head: string) => void): void {
  let text = ''
  const read = (chunk: Buffer): void => {
    text += chunk.toString('latin1')
    if (!text.includes('\r\n\r\n')) return
    socket.off('data', read)
    then(text)
  }
  socket.on('data', read)
}

/** A connection whose bytes are written and read as they are. */
export interface Line {
  readonly socket: Socket
  /** All that came. */
  text(): string
  /** Until what came contains this. */
  until(part: string): Promise<string>
  /** Until the other side has ended: `end` in order, or `reset`. */
  readonly over: Promise<'end' | 'reset'>
}

export async function openLine(port: number, first = ''): Promise<Line> {
  const socket = connect({ host: '127.0.0.1', port })
  let text = ''
  let wake: (() => void)[] = []
  let isOver = false
  const changed = (): void => {
    for (const run of wake.splice(0)) run()
  }
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    changed()
  })
  let error = ''
  socket.on('error', (fault: NodeJS.ErrnoException) => {
    error = fault.code ?? 'unknown'
  })
  const over = new Promise<'end' | 'reset'>((resolve) => {
    socket.on('close', () => {
      isOver = true
      changed()
      resolve(error === '' ? 'end' : 'reset')
    })
  })
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  if (first !== '') socket.write(first)
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) {
      if (isOver) throw new Error(`the connection ended after: ${text}`)
      await new Promise<void>((resolve) => wake.push(resolve))
    }
    return text
  }
  return { socket, text: () => text, until, over }
}

/** A request with the guard header, and whatever else. */
export function asking(
  host: string,
  line: string,
  headers: readonly string[] = [],
  body = '',
): string {
  return `${line}\r\nHost: ${host}\r\nLumo-Broker: true\r\n${headers.map((one) => `${one}\r\n`).join('')}\r\n${body}`
}

/** Lets everything run that is on its way over the loopback, for as long as it takes to become true. */
export async function eventually(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve))
}

/** One request on a connection of its own; the answer is read to its end. */
export function ask(
  { host, port }: Pick<RunningProxyWorld, 'host' | 'port'>,
  line: string,
  headers: readonly string[] = [],
  body?: string,
): Promise<RawAnswer> {
  const all = [`Host: ${host}`, 'Lumo-Broker: true', ...headers]
  return sendRaw(port, requestText(`${line} HTTP/1.1`, all, body))
}

/** The stable code of a refusal of ours, which stands in the header and in the body. */
export function codeOf(answer: RawAnswer): string {
  const { code } = JSON.parse(answer.body) as { code: string }
  if (answer.header('lumo-error') !== code) throw new Error(`Lumo-Error is not ${code}`)
  return `${String(answer.status)} ${code}`
}
