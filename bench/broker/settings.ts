import { parseArgs } from 'node:util'

/** How long and how often a part measures; undefined: as long as it thinks fit. */
export interface Settings {
  readonly seconds: number | undefined
  readonly rounds: number | undefined
  /** Seconds of rest before memory is read. */
  readonly rest: number | undefined
}

/** The parts that are named, and `--seconds`, `--rounds` and `--rest` in place of their own figures. */
export function readSettings(args: readonly string[]): {
  readonly settings: Settings
  readonly parts: readonly string[]
} {
  const figure = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { seconds: figure, rounds: figure, rest: figure },
    allowPositionals: true,
  })
  const number = (text: string | undefined): number | undefined => {
    if (text === undefined) return undefined
    const value = Number(text)
    if (!(value >= 1)) throw new Error(`${text} is no number of at least 1`)
    return value
  }
  const { seconds, rounds, rest } = values
  return {
    settings: { seconds: number(seconds), rounds: number(rounds), rest: number(rest) },
    parts: positionals,
  }
}

/** Where everything runs: what is measured has a core of its own. */
export const SERVER_CORE = 0
export const LOAD_CORE = 1
