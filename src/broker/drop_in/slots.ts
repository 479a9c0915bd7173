import type { Workload } from '../caller/workload.ts'

/** How much of some work one workload may have under way, so that none takes what is there for all. */
export class Slots {
  readonly #max: number
  readonly #taken = new WeakMap<Workload, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** Undefined: there is none left. What was begun keeps its slot until it has ended, whether or not somebody still waits. */
  run<Result>(workload: Workload, work: () => Promise<Result>): Promise<Result> | undefined {
    const taken = this.#taken.get(workload) ?? 0
    if (taken >= this.#max) return undefined
    this.#taken.set(workload, taken + 1)
    return work().finally(() => {
      this.#taken.set(workload, (this.#taken.get(workload) ?? 1) - 1)
    })
  }
}
