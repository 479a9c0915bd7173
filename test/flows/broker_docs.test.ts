import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { parseYaml } from '../../src/config/document.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import Type from 'typebox'
import { readPage } from './pages.ts'

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
