import { connect, type Socket } from 'node:net'

export interface Peer {
  readonly host: string
  readonly port: number
}

/** Told once for each request: the status, or 0 where the connection ended instead. */
export type Answered = (connection: HttpConnection, status: number) => void

const END_OF_HEADERS = Buffer.from('\r\n\r\n')
/** As Fastify writes it. */
const LENGTH = Buffer.from('content-length: ')

/**
 * One kept connection that asks for the same thing again and again, with as little work and garbage as can be: what measures
 * must not be what is slow. Knows answers with a Content-Length only.
 */
export class HttpConnection {
  /** Of the request under way. */
  scheduledAt = 0
  readonly #socket: Socket
  readonly #answered: Answered
  readonly #buffer = Buffer.allocUnsafe(65_536)
  #isBusy = false
  /** Bytes of headers that are here, of which the rest is not. */
  #partial: Buffer | undefined
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

  #take(count: number): void {
    if (this.#bytesLeft > 0) this.#bytesLeft -= count
    else if (!this.#begin(count)) return
    if (this.#bytesLeft <= 0) this.#end(this.#status)
  }

  /** Reads the headers; false while they are not complete. */
  #begin(count: number): boolean {
    const piece = this.#buffer.subarray(0, count)
    const bytes = this.#partial ? Buffer.concat([this.#partial, piece]) : piece
    const end = bytes.indexOf(END_OF_HEADERS)
    if (end === -1) {
      this.#partial = Buffer.from(bytes)
      return false
    }
    this.#partial = undefined
    this.#status = numberAt(bytes, 9)
    const length = bytes.indexOf(LENGTH)
    const body = length === -1 || length > end ? 0 : numberAt(bytes, length + LENGTH.length)
    this.#bytesLeft = body - (bytes.length - end - END_OF_HEADERS.length)
    return true
  }

  #end(status: number): void {
    this.#isBusy = false
    this.#bytesLeft = 0
    this.#answered(this, status)
  }
}

/** The digits from there on. */
function numberAt(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; ; at++) {
    const digit = (bytes[at] ?? 0) - 48
    if (digit < 0 || digit > 9) return value
    value = value * 10 + digit
  }
}
