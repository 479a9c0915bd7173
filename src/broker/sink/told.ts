/** Remembers what the log was told, so that it is told again only of something else. */
export class Told {
  #reason: string | undefined

  /** True when this is news. */
  isNew(reason: string): boolean {
    const isNew = reason !== this.#reason
    this.#reason = reason
    return isNew
  }

  /** It is mended. True when there was something to mend. */
  over(): boolean {
    const was = this.#reason !== undefined
    this.#reason = undefined
    return was
  }
}
