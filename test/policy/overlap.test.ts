import { describe, expect, test } from 'vitest'
import type { ProofRuleEntry } from '../../src/config/proof_rule.ts'
import { Ceiling } from '../../src/policy/ceiling.ts'
import { overlapsOf } from '../../src/policy/overlap.ts'
import type { Agent } from '../../src/policy/policy.ts'
import { compileRule } from '../../src/policy/rule.ts'

type Rule = Partial<ProofRuleEntry>

function agentOf(name: string, rule: Rule): Agent {
  return {
    id: name,
    name,
    sub: name,
    clientId: name,
    rule: compileRule({ provider: 'prod', anyNamespace: true, ...rule }),
    ceiling: Ceiling.of([], 1),
    lifetimeSeconds: 60,
    exchangesPerMinute: undefined,
    capabilities: [],
    delegation: undefined,
  }
}

const overlapping = (one: Rule, two: Rule) =>
  overlapsOf([agentOf('one', one), agentOf('two', two)]).length > 0

const pod = (namespace: string, serviceAccount: string, more: Rule = {}): Rule => ({
  namespace,
  serviceAccount,
  ...more,
})
const role = (name: string, more: Rule = {}): Rule => ({
  arn: `arn:aws:iam::123456789012:role/${name}`,
  ...more,
})
const repo = (sub: string, claims?: Readonly<Record<string, string>>): Rule => ({
  sub,
  ...(claims && { claims }),
})

const cases: readonly (readonly [name: string, one: Rule, two: Rule, expected: boolean])[] = [
  ['the same account', pod('a', 's'), pod('a', 's'), true],
  ['the same account of another provider', pod('a', 's'), pod('a', 's', { provider: 'x' }), false],
  ['another account', pod('a', 's'), pod('a', 't'), false],
  ['another namespace', pod('a', 's'), pod('b', 's'), false],
  ['one pinned to a uid', pod('a', 's', { uid: '1' }), pod('a', 's'), true],
  [
    'both pinned to different uids',
    pod('a', 's', { uid: '1' }),
    pod('a', 's', { uid: '2' }),
    false,
  ],
  ['a pattern around the account', pod('a', 'doc-*'), pod('a', 'doc-x'), true],
  ['a pattern beside the account', pod('a', 'doc-*'), pod('a', 'mail'), false],
  ['two patterns that can meet', pod('a', 'doc-*'), pod('a', '*-x'), true],
  ['two patterns that cannot', pod('a', 'doc-*'), pod('a', 'mail-*'), false],
  ['any namespace', pod('*', 's'), pod('a', 's'), true],
  ['any namespace, another account', pod('*', 's'), pod('a', 't'), false],
  ['the same role', role('ci'), role('ci'), true],
  ['roles under a path', role('team/*'), role('team/x'), true],
  ['a star that does not reach so far', role('*'), role('team/x'), false],
  ['two stars that do', role('**'), role('team/x'), true],
  [
    'roles with different unique ids',
    role('ci', { uniqueId: 'AROAAAAAAAAAAAAA' }),
    role('ci', { uniqueId: 'AROABBBBBBBBBBBB' }),
    false,
  ],
  ['a branch and all branches', repo('repo:o/r:ref:refs/heads/main'), repo('repo:o/r:**'), true],
  ['another repository', repo('repo:o/r:ref:refs/heads/main'), repo('repo:o/q:**'), false],
  [
    'claims that cannot both be',
    repo('repo:o/r:**', { environment: 'prod' }),
    repo('repo:o/r:**', { environment: 'test' }),
    false,
  ],
  [
    'claims of different names',
    repo('repo:o/r:**', { environment: 'prod' }),
    repo('repo:o/r:**', { actor: 'me' }),
    true,
  ],
  ['the same identity', { tid: 't', oid: 'o' }, { tid: 't', oid: 'o' }, true],
  ['identities of two tenants', { tid: 't', oid: 'o' }, { tid: 'u', oid: 'o' }, false],
]

describe('two rules', () => {
  test.each(cases)('%s', (_, one, two, expected) => {
    expect(overlapping(one, two)).toBe(expected)
    expect(overlapping(two, one)).toBe(expected)
  })
})

test('both agents are named', () => {
  expect(overlapsOf([agentOf('one', pod('a', 's')), agentOf('two', pod('a', '*'))])).toEqual([
    {
      path: 'agent two',
      message: 'a proof can be agent one as well, and then has to name one by client_id',
    },
  ])
})

test('no more than a hundred are reported', () => {
  const agents = Array.from({ length: 40 }, (_, n) => agentOf(`a${String(n)}`, pod('a', 's')))
  expect(overlapsOf(agents)).toHaveLength(100)
})
