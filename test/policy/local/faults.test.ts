import { describe, expect, test } from 'vitest'
import { DocumentFault, showFault } from '../../../src/config/document.ts'
import { LocalPolicy } from '../../../src/policy/local/local_policy.ts'

type Text = readonly [path: string, text: string]

/** The faults that files are refused for, each on one line. */
function faultsOf(...texts: readonly Text[]): readonly string[] {
  try {
    LocalPolicy.parse(texts.map(([path, text]) => ({ path, bytes: Buffer.from(text) })))
  } catch (error) {
    if (error instanceof DocumentFault) return error.faults.map(showFault)
    throw error
  }
  return []
}

const listOf = (...workloads: readonly string[]): string =>
  `workloads:\n${workloads.map((workload) => `  - { ${workload} }\n`).join('')}`

const W = 'p.yaml: workloads'
const noSuch = 'there is no such setting'
const namespaceFault =
  'must be a namespace: lower case letters, digits, dashes and stars, 63 at most, with no dash at either end'
const accountFault =
  'must be a service account: lower case letters, digits, dashes, dots and stars, 253 at most, with no dash or dot at either end'
const nameFault =
  'must be letters, digits, dots, dashes and underscores, 128 at most, with a letter or digit first'
const countsNothing = 'must be absent where maxDepth is 0: the workload acts for nobody'
const hostFault = 'a * at the end of a host reaches into hosts of others'
const idle = (index: number): string =>
  `restricts nothing: ${W}[0].allow[${String(index)}] allows all of it already`

const entries: readonly (readonly [name: string, entry: string, ...faults: string[]])[] = [
  ['a name alone', 'name: a'],
  ['no name', '', `${W}[0]: name must be given`],
  ['a name with a space', 'name: a b', `${W}[0].name: ${nameFault}`],
  ['an unknown member', 'name: a, audiences: []', `${W}[0].audiences: ${noSuch}`],
  ['a misspelt account', 'name: a, serviceaccount: b', `${W}[0].serviceaccount: ${noSuch}`],
  ['a namespace in upper case', 'name: a, namespace: N', `${W}[0].namespace: ${namespaceFault}`],
  ['two namespaces', 'name: a, namespace: [n]', `${W}[0].namespace: ${namespaceFault}`],
  [
    'an account with a colon',
    'name: a, serviceAccount: "n:a"',
    `${W}[0].serviceAccount: ${accountFault}`,
  ],
  [
    'an unknown member of a pair',
    'name: a, allow: [{ target: x }]',
    `${W}[0].allow[0].target: ${noSuch}`,
  ],
  ['no exchanges', 'name: a, exchangesPerMinute: 0', `${W}[0].exchangesPerMinute: must be >= 1`],
  [
    'too many exchanges',
    'name: a, exchangesPerMinute: 100001',
    `${W}[0].exchangesPerMinute: must be <= 100000`,
  ],
  [
    'half an exchange',
    'name: a, exchangesPerMinute: 1.5',
    `${W}[0].exchangesPerMinute: must be integer`,
  ],
  ['no audiences', 'name: a, audiencesPerHour: 0', `${W}[0].audiencesPerHour: must be >= 1`],
  [
    'too many audiences',
    'name: a, audiencesPerHour: 10001',
    `${W}[0].audiencesPerHour: must be <= 10000`,
  ],
  ['the most of both', 'name: a, exchangesPerMinute: 100000, audiencesPerHour: 10000'],
  ['delegation to nobody', 'name: a, delegation: { maxDepth: 0 }'],
  [
    'delegation to nobody, counted',
    'name: a, delegation: { maxDepth: 0, subjects: 1, exchangesPerMinute: 1 }',
    `${W}[0].delegation.subjects: ${countsNothing}`,
    `${W}[0].delegation.exchangesPerMinute: ${countsNothing}`,
  ],
  ['delegation with nothing said', 'name: a, delegation: {}'],
  [
    'the most of delegation',
    'name: a, delegation: { maxDepth: 10, subjects: 100000, exchangesPerMinute: 100000 }',
  ],
  [
    'too much of delegation',
    'name: a, delegation: { maxDepth: 11, subjects: 100001, exchangesPerMinute: 100001 }',
    `${W}[0].delegation.maxDepth: must be <= 10`,
    `${W}[0].delegation.subjects: must be <= 100000`,
    `${W}[0].delegation.exchangesPerMinute: must be <= 100000`,
  ],
  [
    'no subjects',
    'name: a, delegation: { subjects: 0, exchangesPerMinute: 0 }',
    `${W}[0].delegation.subjects: must be >= 1`,
    `${W}[0].delegation.exchangesPerMinute: must be >= 1`,
  ],
  ['delegation off', 'name: a, delegation: false', `${W}[0].delegation: must be object`],
  [
    'another word for the depth',
    'name: a, delegation: { actDepth: 2 }',
    `${W}[0].delegation.actDepth: ${noSuch}`,
  ],
  [
    'an audience with a space',
    'name: a, allow: [{ audience: "a b" }]',
    `${W}[0].allow[0].audience: must be printable ASCII without spaces`,
  ],
  [
    'an audience with ** inside',
    'name: a, allow: [{ audience: "a/**/b" }]',
    `${W}[0].allow[0].audience: ** may stand at the very end only`,
  ],
  [
    'nine stars',
    `name: a, allow: [{ audience: "${'*/'.repeat(9)}" }]`,
    `${W}[0].allow[0].audience: more than 8 stars`,
  ],
  [
    'two scopes in one',
    'name: a, allow: [{ scopes: ["a b"] }]',
    `${W}[0].allow[0].scopes: must hold single scope values`,
  ],
  [
    'long scopes',
    `name: a, allow: [{ scopes: [${Array.from({ length: 40 }, (_, i) => `${String(i)}${'x'.repeat(120)}`).join(', ')}] }]`,
    `${W}[0].allow[0].scopes: must fit into 4096 characters`,
  ],
  [
    'an open end of a host',
    'name: a, allow: [{ audience: "https://a.example*" }]',
    `${W}[0].allow[0].audience: ${hostFault}`,
  ],
  [
    'a wide open end of a host',
    'name: a, allow: [{ audience: "https://a.example**" }]',
    `${W}[0].allow[0].audience: ${hostFault}`,
  ],
  [
    'an open end of a host before a path',
    'name: a, allow: [{ audience: "https://a.*/x" }]',
    `${W}[0].allow[0].audience: ${hostFault}`,
  ],
  [
    'an open port',
    'name: a, allow: [{ audience: "https://a.example:*" }]',
    `${W}[0].allow[0].audience: ${hostFault}`,
  ],
  ['an open start of a host', 'name: a, allow: [{ audience: "https://*.a.example/**" }]'],
  ['any host', 'name: a, allow: [{ audience: "https://*/x" }, { audience: "http://**" }]'],
  ['an open end of a path', 'name: a, allow: [{ audience: "https://a.example/x*" }]'],
  ['an open end of a plain name', 'name: a, allow: [{ audience: "orders-*" }]'],
]

const allows: readonly (readonly [name: string, allow: string, ...faults: string[]])[] = [
  ['nothing', ''],
  ['one audience, two scopes', '{ audience: a, scopes: [r] }, { audience: a, scopes: [w] }'],
  ['a scope with and without audience', '{ scopes: [r] }, { audience: a, scopes: [r] }'],
  ['any audience and none', '{ audience: "**" }, { scopes: [r] }'],
  [
    'the same twice',
    '{ audience: a, scopes: [r] }, { audience: a, scopes: [r] }',
    `${W}[0].allow[1]: ${idle(0)}`,
  ],
  [
    'a restriction behind any scope',
    '{ audience: a }, { audience: a, scopes: [r] }',
    `${W}[0].allow[1]: ${idle(0)}`,
  ],
  [
    'a restriction before any scope',
    '{ audience: a, scopes: [r] }, { audience: a }',
    `${W}[0].allow[0]: ${idle(1)}`,
  ],
  ['a restriction without audience', '{}, { scopes: [r] }', `${W}[0].allow[1]: ${idle(0)}`],
  [
    'fewer scopes',
    '{ audience: a, scopes: [r, w] }, { audience: a, scopes: [w] }',
    `${W}[0].allow[1]: ${idle(0)}`,
  ],
  [
    'a part of a pattern',
    '{ audience: "a/*", scopes: [r] }, { audience: a/b, scopes: [r] }',
    `${W}[0].allow[1]: ${idle(0)}`,
  ],
  [
    'a part of a pattern, another scope',
    '{ audience: "a/*", scopes: [r] }, { audience: a/b, scopes: [w] }',
  ],
  [
    'more than a pattern',
    '{ audience: "a/*", scopes: [r] }, { audience: "a/**", scopes: [r] }',
    `${W}[0].allow[0]: ${idle(1)}`,
  ],
  ['beside a pattern', '{ audience: "a/*" }, { audience: a/b/c }'],
  ['a longer start', '{ audience: "a/**" }, { audience: "a/b**" }', `${W}[0].allow[1]: ${idle(0)}`],
  [
    'an open end that may be a part less',
    '{ audience: "a*/**" }, { audience: "a**", scopes: [r] }',
  ],
  ['an open end of one part', '{ audience: "a/*" }, { audience: "a/b**" }'],
]

type Sequence = readonly [name: string, workloads: readonly string[], ...faults: string[]]

const sequences: readonly Sequence[] = [
  [
    'narrow before wide',
    ['name: a, namespace: n, serviceAccount: s', 'name: b, namespace: n', 'name: c'],
  ],
  [
    'wide before narrow',
    ['name: a', 'name: b, namespace: n'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  [
    'the same account',
    ['name: a, namespace: n, serviceAccount: s', 'name: b, namespace: n, serviceAccount: s'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  [
    'everything twice',
    ['name: a', 'name: b'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  [
    'a namespace before an account in it',
    ['name: a, namespace: n', 'name: b, namespace: n, serviceAccount: s'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  [
    'a pattern before a longer one',
    ['name: a, namespace: "n-*"', 'name: b, namespace: "n-*-x"'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  ['a pattern before a shorter one', ['name: a, namespace: "n-*-x"', 'name: b, namespace: "n-*"']],
  [
    'a star before an absent part',
    ['name: a, namespace: "*"', 'name: b, serviceAccount: s'],
    `${W}[1]: never counts: ${W}[0] fits all of its workloads first`,
  ],
  [
    'stars before what is no service account',
    ['name: a, namespace: "*", serviceAccount: "*"', 'name: b'],
  ],
  ['patterns that overlap', ['name: a, namespace: n', 'name: b, serviceAccount: s']],
  [
    'a name twice',
    ['name: a, namespace: n', 'name: a, namespace: m'],
    `${W}[0].name: another workload has the same name`,
    `${W}[1].name: another workload has the same name`,
  ],
]

describe('a policy is refused for', () => {
  test.each(entries)('%s', (_, entry, ...faults) => {
    expect(faultsOf(['p.yaml', listOf(entry)])).toEqual(faults)
  })

  test.each(allows)('pairs: %s', (_, allow, ...faults) => {
    expect(faultsOf(['p.yaml', listOf(`name: a, allow: [${allow}]`)])).toEqual(faults)
  })

  test.each(sequences.map(([name, workloads, ...faults]) => ({ name, workloads, faults })))(
    'rules: $name',
    ({ workloads, faults }) => {
      expect(faultsOf(['p.yaml', listOf(...workloads)])).toEqual(faults)
    },
  )

  test.each<readonly [name: string, text: string, ...faults: string[]]>([
    ['nothing at all', '', 'p.yaml: workloads must be given'],
    [
      'another document',
      'agents: []',
      'p.yaml: workloads must be given',
      `p.yaml: agents: ${noSuch}`,
    ],
    ['no YAML', 'workloads: [', 'p.yaml: the YAML cannot be read (BAD_INDENT, line 1)'],
    [
      'a member twice',
      'workloads: []\nworkloads: []',
      'p.yaml: the YAML cannot be read (DUPLICATE_KEY, line 2)',
    ],
    ['an alias', 'workloads: &a [*a]', 'p.yaml: YAML aliases are not allowed'],
  ])('%s', (_, text, ...faults) => {
    expect(faultsOf(['p.yaml', text]).toSorted()).toEqual(faults.toSorted())
  })

  test('every fault of every file, with its file', () => {
    const files: readonly Text[] = [
      ['1.yaml', listOf('name: a', 'name: b b')],
      ['2.yaml', listOf('name: c, allow: [{ audience: "a b" }]', 'name: d, namespace: n')],
      ['3.yaml', listOf('name: c, namespace: m')],
    ]
    expect(faultsOf(...files)).toEqual([
      `1.yaml: workloads[1].name: ${nameFault}`,
      '2.yaml: workloads[0].allow[0].audience: must be printable ASCII without spaces',
      '2.yaml: workloads[0].name: another workload has the same name',
      '3.yaml: workloads[0].name: another workload has the same name',
      '2.yaml: workloads[1]: never counts: 2.yaml: workloads[0] fits all of its workloads first',
      '3.yaml: workloads[0]: never counts: 2.yaml: workloads[0] fits all of its workloads first',
    ])
  })

  test('too many workloads in all files together', () => {
    const many = (letter: string) =>
      listOf(
        ...Array.from(
          { length: 1_001 },
          (_, i) => `name: ${letter}${String(i)}, namespace: ${letter}${String(i)}`,
        ),
      )
    expect(faultsOf(['1.yaml', many('a')], ['2.yaml', many('b')])).toEqual([
      'all files together must not have more than 2000 workloads',
    ])
  })
})
