import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** What can be sent a second time. */
const MAX_COPY_BYTES = 65_536

/**
 * The body of a request on its way to the upstream, with a copy as long as it is small. It stands between the two
 * connections: when the upstream's breaks, the caller's is needed for the answer.
 */
export class RequestBody extends Readable {
  readonly #request: IncomingMessage
  readonly #onBytes: () => void
  #copy: Buffer[] | undefined = []
  #bytes = 0
  #isWhole = false

  constructor(request: IncomingMessage, onBytes: () => void) {
    super()
    this.#request = request
    this.#onBytes = onBytes
    // What broke it off is told by the request that it belongs to.
    this.on('error', () => {})
    request.on('data', this.#take)
    request.once('end', this.#finish)
    request.pause()
  }

  /** All of it, where it has come and is small enough to be sent again. */
  whole(): Buffer | undefined {
    return this.#isWhole && this.#copy ? Buffer.concat(this.#copy) : undefined
  }

  /** Whether a byte of it has come. */
  get isBegun(): boolean {
    return this.#bytes > 0
  }

  /** Whether the caller has still to send some of it. */
  get isDue(): boolean {
    return !this.#isWhole && this.readableFlowing !== false
  }

  override _read(): void {
    this.#request.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#request.off('data', this.#take)
    this.#request.off('end', this.#finish)
    done(error)
  }

  readonly #take = (chunk: Buffer): void => {
    this.#onBytes()
    this.#bytes += chunk.length
    if (this.#bytes > MAX_COPY_BYTES) this.#copy = undefined
    this.#copy?.push(chunk)
    if (!this.push(chunk)) this.#request.pause()
  }

  readonly #finish = (): void => {
    this.#isWhole = true
    this.push(null)
  }
}
