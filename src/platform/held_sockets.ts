import type { Socket } from 'node:net'
import type { RequestHandler } from './listen.ts'

/** A peer may hold a body's worth of memory with each. */
const MAX_CONNECTIONS = 1_000

interface Bounds {
  readonly maxPerAddress?: number
  readonly maxConnections?: number
}

interface Held {
  readonly socket: Socket
  readonly from: string
  /** Requests that are not answered yet. */
  running: number
  /** Whether a request of it was answered. */
  answered: boolean
  /** When it was last of use: the later, the higher. */
  lastUse: number
}

/** The connections of a server, by where they come from, and how many there may be. */
export class HeldSockets {
  readonly #bounds: Bounds
  readonly #byAddress = new Map<string, Set<Held>>()
  /** By what requests come over: of TLS, another than what connected. */
  readonly #bySocket = new WeakMap<Socket, Held>()
  #count = 0
  #uses = 0

  constructor(bounds: Bounds) {
    this.#bounds = bounds
  }

  /** Keeps a new connection, or ends it where there is no room. */
  take(socket: Socket): void {
    const from = socket.remoteAddress ?? ''
    if (!this.#hasRoom(from)) {
      socket.destroy()
      return
    }
    const held = { socket, from, running: 0, answered: false, lastUse: this.#nextUse() }
    const own = this.#byAddress.get(from) ?? new Set()
    this.#byAddress.set(from, own.add(held))
    this.#bySocket.set(socket, held)
    this.#count += 1
    socket.once('close', () => {
      this.#forget(held)
    })
  }

  /** A connection speaks TLS from now on, and is another object to whoever gets its requests. */
  secure(socket: Socket): void {
    for (const held of this.#byAddress.get(socket.remoteAddress ?? '') ?? []) {
      const { remotePort, localAddress } = held.socket
      if (remotePort === socket.remotePort && localAddress === socket.localAddress) {
        this.#bySocket.set(socket, held)
      }
    }
  }

  /** A handler by which it is known what runs, where that counts. */
  watching(handler: RequestHandler): RequestHandler {
    if (this.#bounds.maxPerAddress === undefined) return handler
    return (request, response) => {
      const held = this.#bySocket.get(request.socket)
      if (held) {
        held.running += 1
        response.once('close', () => {
          held.running -= 1
          held.answered = true
          held.lastUse = this.#nextUse()
        })
      }
      handler(request, response)
    }
  }

  /** Ends all. */
  destroy(): void {
    for (const own of this.#byAddress.values()) for (const { socket } of own) socket.destroy()
  }

  #nextUse(): number {
    this.#uses += 1
    return this.#uses
  }

  #hasRoom(from: string): boolean {
    const { maxPerAddress, maxConnections = MAX_CONNECTIONS } = this.#bounds
    if (maxPerAddress === undefined) return this.#count < maxConnections
    if ((this.#byAddress.get(from)?.size ?? 0) >= maxPerAddress) return false
    if (this.#count >= maxConnections) this.#endOne()
    return true
  }

  /**
   * What runs goes last, whoever's it is: an admission must not end for idle connections. Then what had no answer yet goes first,
   * as those of a flood have none; then one of whoever holds most; then what was of no use for longest.
   */
  #endOne(): void {
    let least: Held | undefined
    for (const own of this.#byAddress.values()) {
      for (const held of own) if (!least || this.#isOfLessUse(held, least)) least = held
    }
    if (!least) return
    // At once: the event of its end comes when others have connected.
    this.#forget(least)
    least.socket.destroy()
  }

  #isOfLessUse(one: Held, two: Held): boolean {
    const [runs, ran] = [one.running > 0, two.running > 0]
    if (runs !== ran) return ran
    if (one.answered !== two.answered) return two.answered
    const held = ({ from }: Held): number => this.#byAddress.get(from)?.size ?? 0
    const more = held(one) - held(two)
    return more === 0 ? one.lastUse < two.lastUse : more > 0
  }

  #forget(held: Held): void {
    const own = this.#byAddress.get(held.from)
    if (!own?.delete(held)) return
    this.#count -= 1
    if (own.size === 0) this.#byAddress.delete(held.from)
  }
}
