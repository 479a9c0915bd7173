import { describe, expect, test } from 'vitest'
import { DocumentFault, type Fault } from '../../src/config/document.ts'
import { compilePolicy, type PolicySurroundings } from '../../src/policy/compile.ts'
import { agent, fileOf } from '../fakes/policy_file.ts'

const surroundings: PolicySurroundings = {
  providers: new Map([
    ['prod', 'kubernetes'],
    ['test', 'kubernetes'],
  ]),
  takenIds: ['portal'],
}

function proof(text: string): string {
  return `{ name: a, proof: { ${text} } }`
}

/** What a policy is refused for. */
function refusalOf(...files: readonly { path: string; text: string }[]): DocumentFault | undefined {
  try {
    compilePolicy(files, surroundings)
  } catch (error) {
    if (error instanceof DocumentFault) return error
    throw error
  }
  return undefined
}

/** Its faults, each with its place. */
function faultsOf(...files: readonly { path: string; text: string }[]): readonly Fault[] {
  const { faults = [] } = refusalOf(...files) ?? {}
  return faults.map(({ path, message }) => ({ path, message }))
}

const at = (path: string, message: string): Fault => ({ path: `p.yaml${path}`, message })
const namespaceFault =
  'must be a namespace: lower case letters, digits, dashes and stars, 63 at most, with no dash at either end'
const patternFault =
  'must be a service account: lower case letters, digits, dashes, dots and stars, 253 at most, with no dash or dot at either end'
const nameFault =
  'must be letters, digits, dots, dashes and underscores, 128 at most, with a letter or digit first'
const noSuch = 'there is no such setting'
const starFault = 'a * reaches into other namespaces and needs anyNamespace: true'
const providerFault = 'the tenant has no provider of this name'

const entries: readonly (readonly [name: string, agent: string, faults: readonly Fault[]])[] = [
  ['nothing wrong', agent('a'), []],
  ['nothing', '{}', [at(': agents[0]', 'name, proof must be given')]],
  ['an unknown member', agent('a', ', grant: []'), [at(': agents[0].grant', noSuch)]],
  [
    'an unknown member of the proof',
    proof('provider: prod, namespace: n, serviceAccount: s, pod: p'),
    [at(': agents[0].proof.pod', noSuch)],
  ],
  [
    'an unknown member of a grant',
    agent('a', ', grants: [{ scopes: [], targets: [] }]'),
    [at(': agents[0].grants[0].targets', noSuch)],
  ],
  [
    'a member that objects inherit',
    agent('a', ', constructor: 1'),
    [at(': agents[0].constructor', noSuch)],
  ],
  [
    'a prototype',
    agent('a', ', __proto__: { lifetime: 60 }'),
    [at(': agents[0].__proto__', noSuch)],
  ],
  ['a merge key', agent('a', ', <<: { lifetime: 60 }'), [at(': agents[0].<<', noSuch)]],
  ['an empty proof', proof(''), [at(': agents[0].proof', 'provider must be given')]],
  [
    'an unknown provider',
    proof('provider: other, namespace: n, serviceAccount: s'),
    [at(': agents[0].proof.provider', providerFault)],
  ],
  [
    'a star in the namespace',
    proof('provider: prod, namespace: "n-*", serviceAccount: s'),
    [at(': agents[0].proof.namespace', starFault)],
  ],
  [
    'a star in the namespace, refused',
    proof('provider: prod, namespace: "*", serviceAccount: s, anyNamespace: false'),
    [at(': agents[0].proof.namespace', starFault)],
  ],
  [
    'a star in the namespace, allowed',
    proof('provider: prod, namespace: "*", serviceAccount: s, anyNamespace: true'),
    [],
  ],
  ['a star in the account', proof('provider: prod, namespace: n, serviceAccount: "doc-*"'), []],
  [
    'a namespace in upper case',
    proof('provider: prod, namespace: N, serviceAccount: s'),
    [at(': agents[0].proof.namespace', namespaceFault)],
  ],
  [
    'a namespace with a dot, which none has',
    proof('provider: prod, namespace: n.m, serviceAccount: s'),
    [at(': agents[0].proof.namespace', namespaceFault)],
  ],
  [
    'a namespace with a slash',
    proof('provider: prod, namespace: n/m, serviceAccount: s'),
    [at(': agents[0].proof.namespace', namespaceFault)],
  ],
  [
    'an account with a colon',
    proof('provider: prod, namespace: n, serviceAccount: "s:t"'),
    [at(': agents[0].proof.serviceAccount', patternFault)],
  ],
  [
    'an account that is a regular expression',
    proof('provider: prod, namespace: n, serviceAccount: "s.+"'),
    [at(': agents[0].proof.serviceAccount', patternFault)],
  ],
  [
    'a name with a space',
    agent('"a b"').replace('sa-"a b"', 's'),
    [at(': agents[0].name', nameFault)],
  ],
  ['a name that is a number', agent('1'), [at(': agents[0].name', nameFault)]],
  [
    'a life that is too short',
    agent('a', ', lifetime: 59'),
    [at(': agents[0].lifetime', 'must be >= 60')],
  ],
  [
    'a life that is too long',
    agent('a', ', lifetime: 86401'),
    [at(': agents[0].lifetime', 'must be <= 86400')],
  ],
  [
    'a life that is a text',
    agent('a', ', lifetime: "60"'),
    [at(': agents[0].lifetime', 'must be integer')],
  ],
  [
    'a life without end',
    agent('a', ', lifetime: .inf'),
    [at(': agents[0].lifetime', 'must be integer')],
  ],
  [
    'no target allowed',
    agent('a', ', maxTargets: 0'),
    [at(': agents[0].maxTargets', 'must be >= 1')],
  ],
  [
    'six targets allowed',
    agent('a', ', maxTargets: 6'),
    [at(': agents[0].maxTargets', 'must be <= 5')],
  ],
  [
    'two scopes in one',
    agent('a', ', grants: [{ scopes: ["a b"] }]'),
    [
      at(
        ': agents[0].grants[0].scopes[0]',
        'must be one scope: printable ASCII without spaces, quotes and backslashes, 256 characters at most',
      ),
    ],
  ],
  [
    'a target with a space',
    agent('a', ', grants: [{ target: "a b", scopes: [] }]'),
    [
      at(
        ': agents[0].grants[0].target',
        'must be printable ASCII without spaces, 512 characters at most',
      ),
    ],
  ],
  [
    'a target beyond ASCII',
    agent('a', ', grants: [{ target: "ä", scopes: [] }]'),
    [
      at(
        ': agents[0].grants[0].target',
        'must be printable ASCII without spaces, 512 characters at most',
      ),
    ],
  ],
  [
    'two scopes in one on behalf of others',
    agent('a', ', delegation: { scopes: ["a b"] }'),
    [
      at(
        ': agents[0].delegation.scopes[0]',
        'must be one scope: printable ASCII without spaces, quotes and backslashes, 256 characters at most',
      ),
    ],
  ],
  [
    'a chain too deep',
    agent('a', ', delegation: { scopes: [], maxDepth: 4 }'),
    [at(': agents[0].delegation.maxDepth', 'must be <= 3')],
  ],
]

describe('an agent with', () => {
  test.each(entries)('%s', (_, entry, faults) => {
    expect(faultsOf(fileOf('p.yaml', entry))).toEqual(faults)
  })
})

const documents: readonly (readonly [name: string, text: string, faults: readonly Fault[]])[] = [
  ['empty', '', [at('', 'agents must be given')]],
  ['a comment', '# none yet', [at('', 'agents must be given')]],
  ['without agents', '{}', [at('', 'agents must be given')]],
  ['with no agents', 'agents: []', []],
  ['in JSON', '{"agents":[]}', []],
  ['with agents that are null', 'agents:', [at(': agents', 'must be array')]],
  ['with an unknown member', 'agent: []', [at('', 'agents must be given'), at(': agent', noSuch)]],
  ['with a member that a terminal would obey', 'agents: []\n"\\e[2J": 1', [at(': ?[2J', noSuch)]],
  [
    'with a member twice',
    'agents: []\nagents: []',
    [at('', 'the YAML cannot be read (DUPLICATE_KEY, line 2)')],
  ],
  ['a list', '- a', [at('', 'must be object')]],
  ['a text', 'agents', [at('', 'must be object')]],
  ['cut off', 'agents: [', [at('', 'the YAML cannot be read (BAD_INDENT, line 1)')]],
  [
    'indented by a tab',
    'agents:\n\t- {}',
    [at('', 'the YAML cannot be read (TAB_AS_INDENT, line 2)')],
  ],
  [
    'with a member twice',
    'agents: []\nagents: []',
    [at('', 'the YAML cannot be read (DUPLICATE_KEY, line 2)')],
  ],
  [
    'two documents',
    'agents: []\n---\nagents: []\n',
    [at('', 'the YAML cannot be read (MULTIPLE_DOCS, line 2)')],
  ],
  ['with an alias', 'agents: &a [*a]', [at('', 'YAML aliases are not allowed')]],
  [
    'with an alias of a text',
    `x: &n n\nagents:\n  - ${proof('provider: prod, namespace: *n , serviceAccount: s')}`,
    [at('', 'YAML aliases are not allowed')],
  ],
  ['with an alias of nothing', 'x: &e []\nagents: *e', [at('', 'YAML aliases are not allowed')]],
  ['with aliases that multiply', bomb(), [at('', 'YAML aliases are not allowed')]],
]

function bomb(): string {
  const lines = ['a0: &a0 [x, x]']
  for (let level = 1; level < 30; level++) {
    const below = `*a${String(level - 1)}`
    lines.push(`a${String(level)}: &a${String(level)} [${below}, ${below}]`)
  }
  return lines.join('\n')
}

describe('a file that is', () => {
  test.each(documents)('%s', (_, text, faults) => {
    expect(faultsOf({ path: 'p.yaml', text })).toEqual(faults)
  })
})

test('every fault of every file is named at once', () => {
  const broken = fileOf('a.yaml', agent('a', ', lifetime: 1, maxTargets: 9'), '{}')
  const unreadable = { path: 'b.yaml', text: '[' }
  const strange = fileOf(
    'c.yaml',
    agent('c'),
    proof('provider: x, namespace: "*", serviceAccount: s'),
  )
  expect(faultsOf(broken, unreadable, fileOf('d.yaml', agent('d')), strange)).toEqual([
    { path: 'a.yaml: agents[0].maxTargets', message: 'must be <= 5' },
    { path: 'a.yaml: agents[0].lifetime', message: 'must be >= 60' },
    { path: 'a.yaml: agents[1]', message: 'name, proof must be given' },
    { path: 'b.yaml', message: 'the YAML cannot be read (MISSING_CHAR, line 1)' },
    { path: 'c.yaml: agents[1].proof.provider', message: providerFault },
    { path: 'c.yaml: agents[1].proof.namespace', message: starFault },
  ])
})

test('a refusal tells what the entry is called, as far as it has a name', () => {
  const broken = fileOf('a.yaml', agent('one'), agent('two', ', maxTargets: 9'), '{}')
  const strange = fileOf('b.yaml', '{ name: "\\e[2J" }', '{ name: 7 }')
  const stranger = fileOf('c.yaml', '{ name: three, proof: { provider: x } }')
  expect(refusalOf(broken)?.message).toBe(
    'a.yaml: agents[1].maxTargets: must be <= 5 (two); a.yaml: agents[2]: name, proof must be given',
  )
  expect(refusalOf(strange)?.faults.map(({ entry }) => entry)).toEqual(
    refusalOf(strange)?.faults.map(() => undefined),
  )
  expect(refusalOf(stranger)?.message).toMatch(
    /^c\.yaml: agents\[0\]\.proof\.provider: the tenant has no provider of this name \(three\)/,
  )
})

test('the message of a fault does not quote a text that cannot be read', () => {
  const text = 'agents:\n  - name: "canary-7f3a\n'
  expect(() => compilePolicy([{ path: 'p.yaml', text }], surroundings)).toThrow(DocumentFault)
  for (const { message } of faultsOf({ path: 'p.yaml', text }))
    expect(message).not.toContain('canary')
})
