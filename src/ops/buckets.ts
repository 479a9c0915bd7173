import type { Spread } from '../platform/metrics.ts'

/** A histogram in plain numbers: counting into it costs a look through a few bounds, and the text is made at a scrape. */
export class Buckets implements Spread {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = [...bounds.map(() => 0), 0]
  }

  record(seconds: number): void {
    let at = 0
    for (const bound of this.#bounds) {
      if (seconds <= bound) break
      at += 1
    }
    this.#counts[at] = (this.#counts[at] ?? 0) + 1
    this.#sum += seconds
  }

  /** The text exposition format of Prometheus: cumulative buckets, sum and count. */
  text({ name, help }: { readonly name: string; readonly help: string }): string {
    let below = 0
    const lines = this.#counts.map((count, at) => {
      below += count
      return `${name}_bucket{le="${String(this.#bounds[at] ?? '+Inf')}"} ${String(below)}`
    })
    const end = [`${name}_sum ${String(this.#sum)}`, `${name}_count ${String(below)}`]
    return ['', `# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ...end, ''].join(
      '\n',
    )
  }
}
