import { parseArgs } from 'node:util'
import { UsageFault } from './io.ts'

/**
 * Reads `--name VALUE` options, and nothing else.
 * @throws UsageFault
 */
export function options<Names extends string>(
  given: readonly string[],
  wanted: Readonly<Record<Names, 'required' | { readonly default: string }>>,
): Readonly<Record<Names, string>> {
  const names = Object.keys(wanted) as Names[]
  let values: Readonly<Record<string, unknown>>
  try {
    ;({ values } = parseArgs({
      args: [...given],
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      strict: true,
    }))
  } catch (error) {
    throw new UsageFault(error instanceof Error ? error.message : 'the options cannot be read')
  }
  return Object.fromEntries(
    names.map((name) => {
      const rule = wanted[name]
      const value = values[name] ?? (rule === 'required' ? undefined : rule.default)
      if (typeof value !== 'string') throw new UsageFault(`--${name} must be given`)
      return [name, value]
    }),
  ) as Readonly<Record<Names, string>>
}
