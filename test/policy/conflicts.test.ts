import { describe, expect, test } from 'vitest'
import { compilePolicy, type PolicySurroundings } from '../../src/policy/compile.ts'
import type { Agent } from '../../src/policy/policy.ts'
import { provenIdentity } from '../../src/verifier/identity.ts'
import { agent, fileOf } from '../fakes/policy_file.ts'

const surroundings: PolicySurroundings = {
  providers: new Map([['prod', 'kubernetes']]),
  takenIds: ['portal'],
}

/** Which of the agents are left after the conflicts, by the account that each has. */
function kept(names: readonly string[], ...files: readonly { path: string; text: string }[]) {
  const { policy, conflicts } = compilePolicy(files, surroundings)
  const found = names.filter((name) => typeof policy.match(accountOf(name), undefined) !== 'string')
  return { kept: found, conflicts: conflicts.map(({ path }) => path) }
}

function accountOf(name: string) {
  return provenIdentity({
    kind: 'kubernetes',
    provider: 'prod',
    issuer: 'https://cluster.example',
    subject: `system:serviceaccount:n:sa-${name}`,
    namespace: 'n',
    serviceAccount: { name: `sa-${name}`, uid: 'u' },
    pod: undefined,
    node: undefined,
    expiresAt: 0,
  })
}

const [first, second] = ['1.yaml: agents[0]', '2.yaml: agents[0]']
const collisions: readonly (readonly [
  name: string,
  one: string,
  other: string,
  kept: readonly string[],
  conflicts: readonly string[],
])[] = [
  ['the same name', agent('a'), agent('a', ', lifetime: 60'), ['z'], [first, second]],
  [
    'the same name, other sub and client id',
    agent('a'),
    agent('a', ', sub: s, clientId: c'),
    ['z'],
    [first, second],
  ],
  ['the same sub', agent('a', ', sub: s'), agent('b', ', sub: s'), ['z'], [first, second]],
  [
    'the default sub of another',
    agent('a'),
    agent('b', ', sub: "agent:a"'),
    ['z'],
    [first, second],
  ],
  [
    'the same client id',
    agent('a', ', clientId: c'),
    agent('b', ', clientId: c'),
    ['z'],
    [first, second],
  ],
  [
    'the default client id of another',
    agent('a'),
    agent('b', ', clientId: a'),
    ['z'],
    [first, second],
  ],
  [
    'a sub that is a client id',
    agent('a', ', sub: c'),
    agent('b', ', clientId: c'),
    ['z'],
    [first, second],
  ],
  ['a sub that is a default client id', agent('a'), agent('b', ', sub: a'), ['z'], [first, second]],
  ['a registered client id', agent('a', ', clientId: portal'), agent('b'), ['b', 'z'], [first]],
  ['a registered client as sub', agent('a', ', sub: portal'), agent('b'), ['b', 'z'], [first]],
  ['a registered client as name', agent('portal'), agent('b'), ['b', 'z'], [first]],
  ['a sub that is its own client id', agent('a', ', sub: a'), agent('b'), ['a', 'b', 'z'], []],
  [
    'names that differ in case',
    agent('a'),
    agent('A').replace('sa-A', 'sa-b'),
    ['a', 'b', 'z'],
    [],
  ],
  ['nothing', agent('a'), agent('b'), ['a', 'b', 'z'], []],
]

describe('agents of two files that share', () => {
  test.each(collisions)('%s', (_, one, other, left, conflicts) => {
    const files = [fileOf('1.yaml', one), fileOf('2.yaml', other, agent('z'))] as const
    expect(kept(['a', 'b', 'portal', 'z'], ...files)).toEqual({ kept: left, conflicts })
    const swapped = [fileOf('2.yaml', other, agent('z')), fileOf('1.yaml', one)] as const
    expect(kept(['a', 'b', 'portal', 'z'], ...swapped)).toEqual({
      kept: left,
      conflicts: conflicts.toReversed(),
    })
  })

  test('one name in one file are refused as well', () => {
    const file = fileOf('p.yaml', agent('a'), agent('z'), agent('a'))
    expect(kept(['a', 'z'], file)).toEqual({
      kept: ['z'],
      conflicts: ['p.yaml: agents[0]', 'p.yaml: agents[2]'],
    })
  })
})

describe('an agent that is compiled', () => {
  const minimal = compilePolicy([fileOf('p.yaml', agent('a'))], surroundings)
  const found = minimal.policy.match(accountOf('a'), undefined)

  test('has the defaults', () => {
    expect(found).toMatchObject({
      name: 'a',
      sub: 'agent:a',
      clientId: 'a',
      rule: { provider: 'prod' },
      lifetimeSeconds: 3_600,
    })
    expect(allowedTo(found, [])).toEqual({ targets: [], scope: [] })
    expect(allowedTo(found, ['x'])).toBe('target_not_allowed')
  })

  test('has at most one target by default', () => {
    const grants = ', grants: [{ target: x, scopes: [] }, { target: y, scopes: [] }]'
    const { policy } = compilePolicy([fileOf('p.yaml', agent('a', grants))], surroundings)
    const agentA = policy.match(accountOf('a'), undefined)
    const wish = { targets: ['x', 'y'], scope: undefined }
    expect(typeof agentA === 'string' ? agentA : agentA.ceiling.allow(wish)).toBe(
      'targets_too_many',
    )
  })

  test('has what its file says', () => {
    const text = agent(
      'a',
      ', sub: s, clientId: c, lifetime: 600, grants: [{ target: x, scopes: [r] }]',
    )
    const { policy } = compilePolicy([fileOf('p.yaml', text)], surroundings)
    const agentA = policy.match(accountOf('a'), 'c')
    expect(agentA).toMatchObject({ name: 'a', sub: 's', clientId: 'c', lifetimeSeconds: 600 })
    expect(allowedTo(agentA, [])).toEqual({ targets: [], scope: [] })
    expect(allowedTo(agentA, ['x'])).toEqual({ targets: ['x'], scope: ['r'] })
    expect(allowedTo(agentA, ['y'])).toBe('target_not_allowed')
  })
})

/** All that an agent may have at these targets. */
function allowedTo(found: Agent | 'none' | 'ambiguous', targets: readonly string[]) {
  return typeof found === 'string' ? found : found.ceiling.allow({ targets, scope: undefined })
}
