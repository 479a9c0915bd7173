import { connect, type Socket } from 'node:net'

export interface Peer {
  readonly host: string
  readonly port: number
  /** The address that the connection comes from. */
  readonly localAddress?: string
}

/** Told once for each request: the status, or 0 where the connection ended instead. */
export type Answered = (connection: HttpConnection, status: number) => void

const HEADER_END = '\r\n\r\n'

/**
 * One kept connection that asks for the same thing again and again, with as little work as can be: what measures must not
 * be what is slow. Knows answers with a Content-Length only.
 */
export class HttpConnection {
  /** Of the request under way. */
  scheduledAt = 0
  readonly #socket: Socket
  readonly #answered: Answered
  readonly #buffer = Buffer.allocUnsafe(65_536)
  #isBusy = false
  #header = ''
  #bytesLeft = 0
  #status = 0

  constructor(peer: Peer, answered: Answered) {
    this.#answered = answered
    this.#socket = connect({
      ...peer,
      noDelay: true,
      onread: {
        buffer: this.#buffer,
        callback: (count) => {
          this.#take(count)
          return true
        },
      },
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      if (this.#isBusy) this.#end(0)
    })
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable
  }

  send(request: Buffer, scheduledAt: number): void {
    this.scheduledAt = scheduledAt
    this.#isBusy = true
    this.#socket.write(request)
  }

  close(): void {
    this.#isBusy = false
    this.#socket.destroy()
  }

  #take(count: number): void {
    let at = 0
    if (this.#bytesLeft === 0) {
      this.#header += this.#buffer.toString('latin1', 0, count)
      const end = this.#header.indexOf(HEADER_END)
      if (end === -1) return
      this.#status = Number(this.#header.slice(9, 12))
      const length = /\ncontent-length: (\d+)/i.exec(this.#header.slice(0, end))?.[1]
      // What came with the headers is the beginning of the body.
      at = count - (this.#header.length - end - HEADER_END.length)
      this.#bytesLeft = Number(length ?? 0)
      this.#header = ''
    }
    this.#bytesLeft -= count - at
    if (this.#bytesLeft <= 0) this.#end(this.#status)
  }

  #end(status: number): void {
    this.#isBusy = false
    this.#bytesLeft = 0
    this.#answered(this, status)
  }
}
