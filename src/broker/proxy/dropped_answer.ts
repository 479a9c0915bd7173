import type { Dispatcher } from 'undici'

const MAX_BYTES = 65_536

const DROPPED = new Error('another answer takes its place')

/**
 * An answer whose place another one takes. It is read for nobody, as long as it is short: its connection then serves the next
 * request. Its owner ends it before it sends again, so that a request never holds two connections.
 */
export class DroppedAnswer {
  readonly #controller: Dispatcher.DispatchController
  #bytes = 0

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller
  }

  take(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > MAX_BYTES) this.end()
  }

  /** Closes its connection, where it has not come to its own end. */
  end(): void {
    this.#controller.abort(DROPPED)
  }
}
