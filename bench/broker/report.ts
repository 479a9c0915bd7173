/** Prints what is measured, and remembers which marks were met. */
export class Report {
  readonly #verdicts: { readonly name: string; readonly text: string; readonly met: boolean }[] = []

  line(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** A figure that must not be less. */
  atLeast(name: string, got: number, limit: number, unit = ''): string {
    return this.#judge(name, got, got >= limit, `at least ${String(limit)}${unit}`, unit)
  }

  /** A figure that must not be more. */
  atMost(name: string, got: number, limit: number, unit = ''): string {
    return this.#judge(name, got, got <= limit, `at most ${String(limit)}${unit}`, unit)
  }

  /** All marks once more. */
  summary(): void {
    const missed = this.#verdicts.filter(({ met }) => !met)
    this.line('')
    for (const { name, text } of this.#verdicts) this.line(`${name.padEnd(58)} ${text}`)
    const count = this.#verdicts.length
    this.line(`${String(count - missed.length)} of ${String(count)} marks met`)
  }

  #judge(name: string, got: number, met: boolean, mark: string, unit: string): string {
    const text = `${got.toFixed(unit === '' ? 3 : 1)}${unit}, mark ${mark}: ${met ? 'met' : 'MISSED'}`
    this.#verdicts.push({ name, text, met })
    return text
  }
}
