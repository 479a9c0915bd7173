import { expect, test } from 'vitest'
import { DocumentFault } from '../../src/config/document.ts'
import { loadConfig } from '../../src/config/load.ts'
import { faultsOf, sidecar } from '../fakes/config_documents.ts'

const good = `
roles: [broker]
broker:
  authority: { url: https://auth.example, tenant: acme-corp }
`

const faulty: readonly (readonly [name: string, text: string, ...faults: readonly string[]])[] = [
  ['nothing', '', 'roles must be given'],
  ['a comment', '# roles: [broker]', 'roles must be given'],
  ['a word', 'broker', 'must be object'],
  ['a list', '- roles', 'must be object'],
  ['a bracket left open', 'roles: [broker', 'the YAML cannot be read (BAD_INDENT, line 1)'],
  [
    'a member that stands twice',
    `${good}roles: [authority]`,
    'the YAML cannot be read (DUPLICATE_KEY, line 5)',
  ],
  [
    'a nested member that stands twice',
    `${good}  shape: sidecar\n  shape: all-in-one`,
    'the YAML cannot be read (DUPLICATE_KEY, line 6)',
  ],
  ['two documents', `${good}---\n${good}`, 'the YAML cannot be read (MULTIPLE_DOCS, line 5)'],
  ['an alias', 'roles: &a [broker]\nlog: *a', 'YAML aliases are not allowed'],
  [
    'what only older YAML reads as true',
    'roles: [authority]\nlog: yes',
    'authority: must be given with the role authority',
    'log: must be object',
  ],
]

for (const [name, text, ...faults] of faulty) {
  test(`YAML is refused: ${name}`, () => {
    expect(faultsOf(() => loadConfig(text, {}))).toEqual(faults)
  })
}

test('YAML and JSON say the same', () => {
  expect(loadConfig(good, {})).toEqual(loadConfig(JSON.stringify(sidecar()), {}))
})

test('no text of a file that cannot be read is in what is said of it', () => {
  const secrets = ['canary: [', '"canary', 'a: b: canary', '&canary *canary', '%canary\n---\n{']
  const said = secrets.map((text) => faultsOf(() => loadConfig(text, {})).join())
  expect(said.filter((sentence) => sentence === '' || sentence.includes('canary'))).toEqual([])
})

test('the error is one sentence of all faults', () => {
  expect(() => loadConfig('roles: []\nlog: { level: x }', {})).toThrow(
    new DocumentFault([
      { path: 'roles', message: 'must not have fewer than 1 items' },
      { path: 'log.level', message: 'must be one of debug, info, warn, error' },
    ]),
  )
})
