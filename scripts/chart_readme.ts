import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { isMap, isScalar, LineCounter, parseDocument, type Pair, type YAMLMap } from 'yaml'

/** `node scripts/chart_readme.ts`: writes the table of values in the chart's README from the comments in its values.yaml. */
const chart = fileURLToPath(new URL('../charts/lumo-broker/', import.meta.url))
const START = '<!-- values -->'
const END = '<!-- end of values -->'

interface Value {
  readonly path: string
  readonly fallback: string
  readonly description: string
}

/** The values that a comment stands over, in the order of the file. One without a comment has members that have some. */
export function documentedValues(text: string): readonly Value[] {
  const lineCounter = new LineCounter()
  const { contents } = parseDocument(text, { lineCounter })
  if (!isMap(contents)) throw new Error('values.yaml is no map')
  const lines = text.split('\n')
  return valuesOf(contents, '', (offset) => commentOver(lines, lineCounter.linePos(offset).line))
}

/**
 * The README with its table made anew.
 * @throws Error when a value has no description
 */
export async function chartReadme(readme: string, values: string): Promise<string> {
  const rows = documentedValues(values).map(
    ({ path, fallback, description }) =>
      `| \`${path}\` | \`${fallback}\` | ${description.replaceAll('|', '\\|')} |`,
  )
  const table = ['| value | default | what |', '| --- | --- | --- |', ...rows].join('\n')
  const [before, rest] = readme.split(START)
  const [, after] = rest?.split(END) ?? []
  if (before === undefined || after === undefined) throw new Error('the README has no marks')
  const style = await resolveConfig(`${chart}README.md`)
  return format(`${before}${START}\n\n${table}\n\n${END}${after}`, { ...style, parser: 'markdown' })
}

function valuesOf(
  map: YAMLMap,
  prefix: string,
  describe: (offset: number) => string,
): readonly Value[] {
  return map.items.flatMap((pair: Pair): readonly Value[] => {
    const { key, value } = pair
    if (!isScalar(key) || !key.range) throw new Error(`a key under ${prefix} is no text`)
    const path = `${prefix}${String(key.value)}`
    const description = describe(key.range[0])
    if (description !== '') return [{ path, fallback: shown(value), description }]
    if (!isMap(value)) throw new Error(`${path} has no comment in values.yaml`)
    return valuesOf(value, `${path}.`, describe)
  })
}

function shown(value: unknown): string {
  return JSON.stringify(isScalar(value) ? value.value : (value as YAMLMap).toJSON())
}

/** The lines of comment directly over a line (counted from 1), as one text. */
function commentOver(lines: readonly string[], line: number): string {
  const before = lines.slice(0, line - 1)
  const first = before.findLastIndex((text) => !text.trim().startsWith('#')) + 1
  return before
    .slice(first)
    .map((text) => text.trim().replace(/^# ?/, ''))
    .join(' ')
}

if (import.meta.main) {
  const readme = `${chart}README.md`
  const values = readFileSync(`${chart}values.yaml`, 'utf8')
  writeFileSync(readme, await chartReadme(readFileSync(readme, 'utf8'), values))
}
