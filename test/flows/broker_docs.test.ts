import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { brokerSchema } from '../../src/config/broker_schema.ts'
import { parseYaml } from '../../src/config/document.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import Type from 'typebox'
import {
  anchorsOf,
  firstColumn,
  linksOf,
  readPage,
  settingsIn,
  settingsOf,
  type Schema,
} from './pages.ts'

const pages = await Promise.all(['docs/broker.md', 'docs/applications.md'].map(readPage))
const blocks = pages.flatMap(({ path, blocks: all }) =>
  all.map((block, index) => ({ ...block, name: `${path}, block ${String(index)}` })),
)
const base = { authority: { url: 'https://auth.example.com', tenant: 'acme-corp' } }
const anything = Type.Record(Type.String(), Type.Unknown())

describe('a section of a configuration', () => {
  const sections = blocks.filter(({ mark }) => mark === 'broker' || mark === 'node')
  test.each(sections)('$name is one', ({ text }) => {
    const broker = { ...base, ...parseYaml(text, anything) }
    expect(resolveConfig({ roles: ['broker'], broker }, {}).broker?.tenant).toBe('acme-corp')
  })
})

test('the local policy is one, with its first rule for its workload', () => {
  const [block, ...more] = blocks.filter(({ mark }) => mark === 'local policy')
  expect(more).toEqual([])
  const policy = LocalPolicy.parse([{ path: 'policy.yaml', bytes: Buffer.from(block?.text ?? '') }])
  expect(policy.ruleFor('system:serviceaccount:research:doc-analyst')?.name).toBe('analyst')
  expect(policy.ruleFor('system:serviceaccount:other:pod')?.name).toBe('others')
})

test('every YAML block of the pages is checked', () => {
  const unmarked = blocks.filter(({ language, mark }) => language === 'yaml' && mark === undefined)
  expect(unmarked.map(({ name }) => name)).toEqual([])
})

describe('docs/broker.md', () => {
  const [page] = pages
  if (!page) throw new Error('it was not read')
  // What a cluster is made of stands on the pages of providers.
  const settings = settingsOf(brokerSchema as Schema).filter(
    (setting) => !setting.startsWith('callers.providers[]'),
  )
  const shown = new Set(
    page.blocks
      .filter(({ mark }) => mark === 'broker' || mark === 'node')
      .flatMap(({ text }) => settingsIn(parseYaml(text, anything), new Set(settings))),
  )

  test('shows every setting in a block or lists it, and no other', () => {
    const listed = firstColumn(page, 'setting')
    expect(listed.filter((setting) => !settings.includes(setting))).toEqual([])
    const inListed = (setting: string) => listed.some((one) => one.startsWith(`${setting}.`))
    const missing = settings.filter(
      (setting) => !shown.has(setting) && !listed.includes(setting) && !inListed(setting),
    )
    expect(missing).toEqual([])
    expect(listed.filter((setting) => shown.has(setting))).toEqual([])
  })

  test.each(defaultsIn(page.prose))('%s is %s unless it is set', (setting, shownDefault) => {
    const byDefault = schemaAt(setting)?.default
    const text = typeof byDefault === 'string' ? byDefault : JSON.stringify(byDefault)
    // In words where it depends on something else.
    if (byDefault === undefined) expect(shownDefault).not.toMatch(/^`[^`]*`$/)
    else expect(shownDefault).toBe(`\`${text}\``)
  })

  test('names every variable of the environment that overrides a setting', () => {
    const variables = settings.flatMap((setting) => schemaAt(setting)?.env ?? [])
    const last = page.text.slice(page.text.lastIndexOf('|'))
    const named = [...last.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => name)
    expect(named.toSorted()).toEqual(variables.toSorted())
  })

  test('has links that lead somewhere', async () => {
    for (const link of linksOf(page)) {
      const [file = '', anchor] = link.split('#')
      const target = await readPage(`docs/${file}`)
      if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
    }
  })
})

/** Setting and default, as the table shows them. */
function defaultsIn(prose: string): readonly (readonly [string, string])[] {
  const [, table = ''] = prose.split(/^\| setting .*\n\|.*\n/m)
  const rows = table.split('\n').filter((line) => line.startsWith('| '))
  return rows.map((row) => {
    const [, setting = '', byDefault = ''] = row.split('|').map((cell) => cell.trim())
    return [setting.replaceAll('`', ''), byDefault] as const
  })
}

/** What stands in the schema beside a type. */
interface Annotated extends Schema {
  readonly default?: unknown
  readonly env?: string
}

function schemaAt(setting: string): Annotated | undefined {
  return setting.split('.').reduce<Schema | undefined>((schema, part) => {
    const name = part.replace('[]', '')
    const member = schema?.properties?.[name]
    return part.endsWith('[]') ? member?.items : member
  }, brokerSchema as Schema)
}
