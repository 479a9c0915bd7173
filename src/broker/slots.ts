/** How much of some work each owner may have under way, so that none takes what is there for all. */
export class Slots {
  readonly #max: number
  readonly #taken = new WeakMap<object, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Undefined: there is none left. What was begun keeps its slot until it has ended, whether or not somebody still waits. */
  run<Result>(owner: object, work: () => Promise<Result>): Promise<Result> | undefined {
    const taken = this.#taken.get(owner) ?? 0
    if (taken >= this.#max) return undefined
    this.#taken.set(owner, taken + 1)
    return work().finally(() => {
      this.#taken.set(owner, (this.#taken.get(owner) ?? 1) - 1)
    })
  }
}
