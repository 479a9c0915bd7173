import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import Type from 'typebox'
import { BrokerError, type BrokerErrorCode } from '../../src/broker/errors.ts'
import { describedCodes } from '../../src/broker/api/places.ts'
import { parseYaml } from '../../src/config/document.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { proxySchema } from '../../src/config/proxy.ts'
import { openExamples, type ExamplesWorld } from '../examples/examples_world.ts'
import { signInAsShown, type Person } from '../examples/person.ts'
import { readSteps, walk } from './page_steps.ts'
import { anchorsOf, firstColumn, linksOf, readPage, settingsOf, type Schema } from './pages.ts'

const page = await readPage('docs/proxy.md')
const steps = readSteps(page)

let world: ExamplesWorld
let person: Person
let printed: readonly string[]

beforeAll(async () => {
  world = await openExamples()
  person = await signInAsShown(world)
  printed = await walk(world, steps, {
    'run approved': async () => void (await person.decide('approve')),
  })
})

afterAll(() => world.stop())

describe('the steps', () => {
  test.each(steps.map((step, index) => [step.block.text.trim(), index] as const))(
    'prints what the page shows: %s',
    (_, index) => {
      const shown = steps[index]?.shown
      const text = printed[index] ?? ''
      if (!shown) expect(text).toBe('')
      else if (!shown.matches(text)) expect(text).toBe(shown.block.text)
    },
  )

  test('show a token to nobody', () => {
    for (const text of printed) expect(text).not.toContain('eyJ')
  })

  test('every block is one, or is checked below', () => {
    const taken = new Set(steps.flatMap(({ block, shown }) => [block, shown?.block]))
    const others = page.blocks.filter((block) => !taken.has(block))
    expect(others.map(({ mark, language }) => mark ?? language)).toEqual([
      'text',
      'broker',
      'broker',
    ])
  })
})

test.each(page.blocks.filter(({ mark }) => mark === 'broker'))(
  'the section is one of a broker: $text',
  ({ text }) => {
    const anything = Type.Record(Type.String(), Type.Unknown())
    const authority = { url: 'https://auth.example.com', tenant: 'acme-corp' }
    const broker = { authority, ...parseYaml(text, anything) }
    const { proxy } = resolveConfig({ roles: ['broker'], broker }, {}).broker ?? {}
    expect(proxy?.routes[0]?.name).toBe('docs')
  },
)

/** The cells of the rows of the table whose first heading this is, without backticks. */
function rowsOf(heading: string): readonly (readonly string[])[] {
  const tables = page.prose.split(/\n\n+/).filter((part) => part.startsWith(`| ${heading} `))
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((row) =>
        row
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      ),
  )
}

interface Annotated extends Schema {
  readonly default?: unknown
  readonly properties?: Readonly<Record<string, Annotated>>
  readonly items?: Annotated
}

describe('the settings', () => {
  const all = settingsOf(proxySchema as Schema)
  const route = (proxySchema as Annotated).properties?.['routes']?.items

  test('are all that there are', () => {
    const named = firstColumn(page, 'setting')
    expect(named.toSorted()).toEqual(all.filter((name) => name !== 'routes').toSorted())
  })

  test.each(rowsOf('setting'))('%s is %s unless it is set', (setting = '', shown = '') => {
    const name = setting.replaceAll('`', '').replace('routes[].', '')
    const byDefault = route?.properties?.[name]?.default
    if (byDefault === undefined) expect(shown).not.toMatch(/^`[^`]*`$/)
    else {
      const text = typeof byDefault === 'string' ? byDefault : JSON.stringify(byDefault)
      expect(shown).toBe(`\`${text}\``)
    }
  })
})

describe('what can go wrong', () => {
  const rows = rowsOf('`Lumo-Error`').map(
    ([code = '', status]) => [code.replaceAll('`', ''), Number(status)] as const,
  )

  test('is every code of the proxy and of upstreams', () => {
    const own = describedCodes().filter((code) => /^(proxy|upstream)_/.test(code))
    expect(rows.map(([code]) => code).toSorted()).toEqual([...own, 'consent_required'].toSorted())
  })

  test.each(rows)('%s has status %i', (code, status) => {
    expect(new BrokerError(code as BrokerErrorCode).status).toBe(status)
  })
})

test('its links lead somewhere', async () => {
  for (const link of linksOf(page)) {
    const [file = '', anchor] = link.split('#')
    const target = await readPage(join('docs', file))
    if (anchor !== undefined) expect(anchorsOf(target)).toContain(anchor)
  }
})
