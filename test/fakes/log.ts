import type { Log, LogFields } from '../../src/platform/log.ts'

interface Line {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

/** A log that remembers. */
export class FakeLog implements Log {
  readonly lines: Line[] = []

  debug = this.#at('debug')
  info = this.#at('info')
  warn = this.#at('warn')
  error = this.#at('error')

  /** Everything that was written, as one text. */
  text(): string {
    return this.lines.map((line) => JSON.stringify(line)).join('\n')
  }

  #at(level: string): (message: string, fields?: LogFields) => void {
    return (message, fields = {}) => {
      this.lines.push({ level, message, fields })
    }
  }
}
