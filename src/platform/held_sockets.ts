import type { Socket } from 'node:net'

/** A peer may hold a body's worth of memory with each. */
const MAX_CONNECTIONS = 1_000

interface Bounds {
  readonly maxPerAddress?: number
  readonly maxConnections?: number
}

/** The connections of a server, by where they come from, and how many there may be. */
export class HeldSockets {
  readonly #bounds: Bounds
  /** Each address with its own, the oldest first. */
  readonly #byAddress = new Map<string, Set<Socket>>()
  #count = 0

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
    const own = this.#byAddress.get(from) ?? new Set()
    this.#byAddress.set(from, own.add(socket))
    this.#count += 1
    socket.once('close', () => {
      this.#forget(socket, from)
    })
  }

  /** Ends all. */
  destroy(): void {
    for (const sockets of this.#byAddress.values()) for (const socket of sockets) socket.destroy()
  }

  #hasRoom(from: string): boolean {
    const { maxPerAddress, maxConnections = MAX_CONNECTIONS } = this.#bounds
    if (maxPerAddress === undefined) return this.#count < maxConnections
    if ((this.#byAddress.get(from)?.size ?? 0) >= maxPerAddress) return false
    if (this.#count >= maxConnections) this.#endOldestOfMost()
    return true
  }

  /** Whoever holds as many as they may is flooding, or can bear it best; an API server holds a few. */
  #endOldestOfMost(): void {
    let most: { readonly from: string; readonly sockets: ReadonlySet<Socket> } | undefined
    for (const [from, sockets] of this.#byAddress) {
      if (!most || sockets.size > most.sockets.size) most = { from, sockets }
    }
    const [oldest] = most?.sockets ?? []
    if (!most || !oldest) return
    // At once: the event of its end comes when others have connected.
    this.#forget(oldest, most.from)
    oldest.destroy()
  }

  #forget(socket: Socket, from: string): void {
    const sockets = this.#byAddress.get(from)
    if (!sockets?.delete(socket)) return
    this.#count -= 1
    if (sockets.size === 0) this.#byAddress.delete(from)
  }
}
