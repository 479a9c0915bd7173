import type { Watched } from '../platform/watched.ts'

/** Everything that has to be closed again; in the order in which it was opened. */
export class Opened {
  readonly #closers: (() => void | Promise<void>)[] = []

  follow<T>(watched: Watched<T>): Watched<T> {
    this.#closers.push(() => {
      watched.stop()
    })
    return watched
  }

  add(close: () => void | Promise<void>): void {
    this.#closers.push(close)
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).toReversed()) await close()
  }
}
