import { connect, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'

/** What this process is told, as JSON in its one argument. */
export interface BadOrder {
  readonly port: number
  /** Whether each way of being bad comes from a network address of its own, as from several pods. */
  readonly ownAddresses: boolean
  /** A good token of another pod than the one that is measured; undefined: callers show none. */
  readonly token: string | undefined
  readonly seconds: number
  /** Different audiences to be asked for in that time. */
  readonly audiences: number
  /** Makes the audiences of one run different from those of another. */
  readonly run: number
}

/** How often each way was answered with which status; `ended` stands for a connection that ended without an answer. */
export type BadFigures = Readonly<Record<string, Readonly<Record<string, number>>>>

const SLOW = 200
const HALF_OPEN = 100
/** The time in which they are opened, for all at once would be another attack. */
const OPENING_MS = 2_000
/** Seconds after which an ended connection is opened again. */
const AGAIN_MS = 1_000
const PER_SECOND = {
  hugeQuery: 50,
  headerFlood: 50,
  wrongGuard: 200,
  hangUp: 100,
  failingToken: 100,
}
/** Below what a server takes in headers, and above it. */
const LONG = { allowed: 15_000, refused: 60_000 }
const TICK_MS = 5

class BadCaller {
  readonly #order: BadOrder
  readonly #figures: Record<string, Record<string, number>> = {}
  readonly #sockets = new Set<Socket>()
  #isOver = false

  constructor(order: BadOrder) {
    this.#order = order
  }

  async run(): Promise<BadFigures> {
    const { seconds, audiences, token, run } = this.#order
    for (let count = 0; count < SLOW; count++) {
      setTimeout(() => this.#slowHeaders(), (count / SLOW) * OPENING_MS)
    }
    for (let count = 0; count < HALF_OPEN; count++) {
      setTimeout(() => this.#hold('half-open', undefined), (count / HALF_OPEN) * OPENING_MS)
    }
    this.#often('audiences', audiences / seconds, (nth) => [
      this.#head(`/v1/token?audience=https://a${String(nth)}.run${String(run)}.example.com`),
    ])
    this.#often('huge queries', PER_SECOND.hugeQuery, (nth) => {
      const length = nth % 2 === 0 ? LONG.allowed : LONG.refused
      return [this.#head(`/v1/token?audience=${'a'.repeat(length)}`)]
    })
    this.#often('header floods', PER_SECOND.headerFlood, (nth) => {
      const length = nth % 2 === 0 ? LONG.allowed - 2_000 : LONG.refused
      const flood = Array.from({ length: length / 10 }, (_, index) => `a${String(index)}: b`)
      return [this.#head('/v1/token', flood.join('\r\n').slice(0, length).split('\r\n'))]
    })
    this.#often('wrong guards', PER_SECOND.wrongGuard, (nth) => [
      wrongGuards(this.#order)[nth % 4] ?? '',
    ])
    this.#often('hang-ups', PER_SECOND.hangUp, (nth) => this.#hangUp(nth))
    if (token !== undefined) {
      this.#often('failing tokens', PER_SECOND.failingToken, () => [
        this.#head('/v1/token', [], spoiled(token)),
      ])
    }
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    this.#isOver = true
    for (const socket of this.#sockets) socket.destroy()
    return this.#figures
  }

  /** Sends what `make` says at this rate, over a few kept connections that are replaced when they end. */
  #often(name: string, perSecond: number, make: (nth: number) => readonly string[]): void {
    const begunAt = performance.now()
    let sent = 0
    const tick = setInterval(() => {
      if (this.#isOver) {
        clearInterval(tick)
        return
      }
      const due = ((performance.now() - begunAt) / 1000) * perSecond
      // What a slow server kept back is not made up for at once.
      sent = Math.max(sent, Math.floor(due - perSecond / 20))
      for (; sent < due; sent++) this.#send(name, make(sent))
    }, TICK_MS)
  }

  readonly #kept = new Map<string, Kept[]>()

  #send(name: string, [request = '', hangUp]: readonly string[]): void {
    if (hangUp !== undefined) {
      const socket = this.#open(name)
      socket.write(request, () => setTimeout(() => socket.destroy(), Number(hangUp)))
      this.#count(name, 'hung up')
      return
    }
    const kept = this.#kept.get(name) ?? []
    this.#kept.set(name, kept)
    const free = kept.find((one) => !one.isBusy && one.socket.writable)
    if (!free && kept.length >= 16) {
      this.#count(name, 'not sent')
      return
    }
    const one = free ?? this.#keep(name, kept)
    one.isBusy = true
    one.socket.write(request)
  }

  #keep(name: string, kept: Kept[]): Kept {
    const socket = this.#open(name)
    const one: Kept = { socket, isBusy: false }
    kept.push(one)
    socket.on('data', (chunk: Buffer) => {
      // Answers are small: each begins with a piece of its own.
      if (chunk.toString('latin1', 0, 7) !== 'HTTP/1.') return
      this.#count(name, chunk.toString('latin1', 9, 12))
      one.isBusy = false
    })
    socket.on('close', () => {
      if (one.isBusy) this.#count(name, 'ended')
      kept.splice(kept.indexOf(one), 1)
    })
    return one
  }

  #hangUp(nth: number): readonly string[] {
    const audience = `https://h${String(nth)}.run${String(this.#order.run)}.example.com`
    switch (nth % 3) {
      case 0:
        return [this.#head(`/v1/token?audience=${audience}`), '1']
      case 1:
        return [this.#head('/v1/token'), '0']
      default: {
        const post = this.#head('/v1/token', [
          'Content-Length: 40000',
          'Content-Type: application/json',
        ])
        return [`${post.replace('GET', 'POST')}{"audience":"`, '1']
      }
    }
  }

  /** A line of headers now and then, until the server has had enough. */
  #slowHeaders(): void {
    this.#hold('slow headers', (socket) => {
      socket.write('GET /v1/token HTTP/1.1\r\nHost: 127.0.0.1\r\n')
      const drip = setInterval(() => socket.write('X-Slow: 1\r\n'), 500)
      socket.on('close', () => {
        clearInterval(drip)
      })
    })
  }

  /** Keeps one connection open, whatever the server does. */
  #hold(name: string, begin: ((socket: Socket) => void) | undefined): void {
    if (this.#isOver) return
    const socket = this.#open(name)
    socket.on('data', (chunk: Buffer) => {
      this.#count(name, chunk.toString('latin1', 9, 12))
    })
    if (begin) socket.on('connect', () => begin(socket))
    socket.on('close', () => {
      this.#count(name, 'closed')
      setTimeout(() => {
        this.#hold(name, begin)
      }, AGAIN_MS)
    })
  }

  readonly #addresses = new Map<string, string>()

  #open(name: string): Socket {
    const known = this.#addresses.get(name) ?? `127.0.0.${String(this.#addresses.size + 10)}`
    this.#addresses.set(name, known)
    const { port, ownAddresses } = this.#order
    const localAddress = ownAddresses ? { localAddress: known } : {}
    const socket = connect({ host: '127.0.0.1', port, ...localAddress })
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    return socket
  }

  #head(target: string, more: readonly string[] = [], token = this.#order.token): string {
    const lines = [
      `GET ${target} HTTP/1.1`,
      `Host: 127.0.0.1:${String(this.#order.port)}`,
      'Lumo-Broker: true',
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...more,
    ]
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  #count(name: string, what: string): void {
    const figures = (this.#figures[name] ??= {})
    figures[what] = (figures[what] ?? 0) + 1
  }
}

interface Kept {
  readonly socket: Socket
  isBusy: boolean
}

function wrongGuards({ port }: BadOrder): readonly string[] {
  const host = `Host: 127.0.0.1:${String(port)}`
  const request = (...lines: readonly string[]): string =>
    `GET /v1/token HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`
  return [
    request(host),
    request('Host: evil.example', 'Lumo-Broker: true'),
    request(host, 'Lumo-Broker: true', 'X-Forwarded-For: 203.0.113.7'),
    request(host, host, 'Lumo-Broker: true'),
  ]
}

/** The same claims with another signature, so that each has to be checked. */
function spoiled(token: string): string {
  return `${token.slice(0, token.lastIndexOf('.') + 1)}${randomBytes(256).toString('base64url')}`
}

const order = JSON.parse(process.argv[2] ?? '') as BadOrder
const figures = await new BadCaller(order).run()
process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit(0))
