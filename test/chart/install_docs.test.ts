import { join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { ofSidecar, PREFIX } from '../../src/webhook/annotation_names.ts'
import { anchorsOf, firstColumn, linksOf, readPage } from '../flows/pages.ts'
import { lint, ofKind, render, type Values } from './chart.ts'

const page = await readPage('docs/install.md')
const shown = page.blocks
  .filter(({ mark }) => mark === 'values')
  .map(({ text }, index) => [`block ${String(index)}`, parse(text) as Values] as const)

describe.each(shown)('the values of %s', (_name, values) => {
  test('are those of a release', () => {
    expect(lint(values)).toMatchObject({ ok: true })
  })

  test('make configurations that the program takes', () => {
    const configurations = ofKind(render(values), 'ConfigMap').flatMap(({ data }) => {
      const { 'config.yaml': text } = data as Readonly<Record<string, string>>
      return text === undefined ? [] : [text]
    })
    expect(configurations.length).toBeGreaterThan(0)
    for (const text of configurations) expect(() => loadConfig(text, {})).not.toThrow()
  })
})

test('names every annotation, and no other', () => {
  const named = firstColumn(page, 'annotation').flatMap((cell) => cell.split(', '))
  expect(named.sort()).toEqual(
    [...ofSidecar, 'mode', 'containers'].map((name) => PREFIX + name).sort(),
  )
})

test.each(['README.md', 'docs/install.md', 'docs/by-hand.md', 'docs/costs.md'])(
  'the links of %s lead somewhere',
  async (path) => {
    const broken: string[] = []
    for (const link of linksOf(await readPage(path))) {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : normalize(join(path, '..', file))
      const found = await readPage(target).catch(() => undefined)
      if (!found || (anchor !== undefined && !anchorsOf(found).includes(anchor))) broken.push(link)
    }
    expect(broken).toEqual([])
  },
)
