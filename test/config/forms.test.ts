import { expect, test } from 'vitest'
import { examine } from '../../src/config/document.ts'
import { proofRuleSchema } from '../../src/config/proof_rule.ts'
import { registrationSchema } from '../../src/config/client.ts'
import { configSchema } from '../../src/config/schema.ts'
import { localPolicySchema } from '../../src/policy/local/schema.ts'
import { policySchema } from '../../src/policy/schema.ts'

type Node = Readonly<Record<string, unknown>>

interface Rule {
  readonly at: string
  readonly pattern: string
  /** What is said instead of the pattern. */
  readonly said: unknown
}

const formOf = (node: unknown): unknown => (node as Node | undefined)?.['form']

/** Every regular expression below a node: of a text, and of the names in a record. Any name at all is none. */
function rulesOf(node: unknown, at: string): readonly Rule[] {
  if (typeof node !== 'object' || node === null) return []
  const { pattern, form, patternProperties, propertyNames } = node as Node
  const named = Object.keys(patternProperties ?? {}).filter((key) => key !== '^.*$')
  return [
    ...(typeof pattern === 'string' ? [{ at, pattern, said: form }] : []),
    ...named.map((key) => ({ at: `${at} (names)`, pattern: key, said: formOf(propertyNames) })),
    ...Object.entries(node).flatMap(([key, inner]) => rulesOf(inner, `${at}/${key}`)),
  ]
}

const schemas = { configSchema, policySchema, localPolicySchema, registrationSchema }
const rules = Object.entries(schemas).flatMap(([name, schema]) => rulesOf(schema, name))

test('the walk finds patterns in every schema, and those of names', () => {
  const places = rules.map(({ at }) => at)
  for (const name of Object.keys(schemas)) {
    expect(places.filter((at) => at.startsWith(name)).length, name).toBeGreaterThan(1)
  }
  expect(places).toContain(
    'policySchema/properties/agents/items/properties/proof/properties/claims (names)',
  )
})

test('no person is told a regular expression', () => {
  const bare = rules.filter(
    ({ said }) => typeof said !== 'string' || !/^[\x20-\x7e]+[^.]$/.test(said),
  )
  expect(bare).toEqual([])
})

const claims: readonly (readonly [name: string, claims: Node, ...faults: readonly string[]])[] = [
  ['a claim', { repository: 'octo-org/*' }],
  [
    'a name with a space',
    { 'a b': 'x' },
    'claims.a b: must be a name in printable ASCII without spaces, 128 characters at most',
  ],
  [
    'a name with a space, of a number',
    { 'a b': 1 },
    'claims.a b: must be a name in printable ASCII without spaces, 128 characters at most',
  ],
  ['a number', { a: 1 }, 'claims.a: must be printable ASCII, 512 characters at most'],
  ['an umlaut', { a: '\u00fc' }, 'claims.a: must be printable ASCII, 512 characters at most'],
]

test.each(claims)('claims of a rule: %s', (_name, value, ...faults) => {
  const said = examine({ provider: 'p', claims: value }, proofRuleSchema).faults
  expect(said.map(({ path, message }) => `${path}: ${message}`)).toEqual(faults)
})
