import { describe, expect, test } from 'vitest'
import { Ceiling } from '../../src/policy/ceiling.ts'
import { Policy, type Agent } from '../../src/policy/policy.ts'
import { compileRule } from '../../src/policy/rule.ts'
import { provenIdentity, type WorkloadIdentity } from '../../src/verifier/identity.ts'

interface Entry {
  readonly name: string
  readonly provider?: string
  readonly namespace?: string
  readonly account?: string
  readonly uid?: string
  readonly clientId?: string
}

function agentOf(entry: Entry): Agent {
  return {
    id: `agt_${entry.name}`,
    name: entry.name,
    sub: `agent:${entry.name}`,
    clientId: entry.clientId ?? entry.name,
    rule: compileRule({
      provider: entry.provider ?? 'prod',
      namespace: entry.namespace ?? 'research',
      serviceAccount: entry.account ?? 'doc-analyst',
      ...(entry.uid !== undefined && { uid: entry.uid }),
      anyNamespace: true,
    }),
    ceiling: Ceiling.of([], 1),
    lifetimeSeconds: 3_600,
    exchangesPerMinute: undefined,
    capabilities: [],
    delegation: undefined,
  }
}

interface Workload {
  readonly provider?: string
  readonly namespace?: string
  readonly account?: string
  readonly uid?: string
}

function workload(changes: Workload = {}): WorkloadIdentity {
  const { provider = 'prod', namespace = 'research', account = 'doc-analyst', uid = 'u1' } = changes
  return provenIdentity({
    kind: 'kubernetes',
    provider,
    issuer: 'https://cluster.example',
    subject: `system:serviceaccount:${namespace}:${account}`,
    namespace,
    serviceAccount: { name: account, uid },
    pod: { name: 'p', uid: 'p1' },
    node: undefined,
    expiresAt: 0,
  })
}

/** The name of the agent, or why there is none. */
function nameOf(entries: readonly Entry[], who: Workload, clientId?: string): string {
  const found = new Policy(entries.map(agentOf)).match(workload(who), clientId)
  return typeof found === 'string' ? found : `agent ${found.name}`
}

type Case = readonly [
  name: string,
  agents: readonly Entry[],
  who: Workload,
  clientId: string | undefined,
  outcome: string,
]

const exact: Entry = { name: 'exact' }
const any: Entry = { name: 'any', account: '*' }
const docs: Entry = { name: 'docs', account: 'doc-*' }

const cases: readonly Case[] = [
  ['no agents', [], {}, undefined, 'none'],
  ['the account', [exact], {}, undefined, 'agent exact'],
  ['the account, named', [exact], {}, 'exact', 'agent exact'],
  ['the account, named as another', [exact], {}, 'other', 'none'],
  ['another account', [exact], { account: 'doc' }, undefined, 'none'],
  ['another namespace', [exact], { namespace: 'prod' }, undefined, 'none'],
  ['another provider', [exact], { provider: 'test' }, undefined, 'none'],
  [
    'namespace and account swapped',
    [exact],
    { namespace: 'doc-analyst', account: 'research' },
    undefined,
    'none',
  ],
  ['a pattern', [docs], {}, undefined, 'agent docs'],
  ['a pattern of another provider', [docs], { provider: 'test' }, undefined, 'none'],
  ['a pattern in another namespace', [docs], { namespace: 'prod' }, undefined, 'none'],
  ['a pattern that does not reach', [docs], { account: 'my-doc-analyst' }, undefined, 'none'],
  ['any namespace', [{ name: 'a', namespace: '*' }], { namespace: 'x' }, undefined, 'agent a'],
  [
    'any namespace, another account',
    [{ name: 'a', namespace: '*' }],
    { account: 'x' },
    undefined,
    'none',
  ],
  [
    'namespaces that begin alike',
    [{ name: 'a', namespace: 'team-*' }],
    { namespace: 'team-b' },
    undefined,
    'agent a',
  ],
  [
    'namespaces that do not',
    [{ name: 'a', namespace: 'team-*' }],
    { namespace: 'my-team-b' },
    undefined,
    'none',
  ],
  ['the uid', [{ name: 'a', uid: 'u1' }], {}, undefined, 'agent a'],
  ['another uid', [{ name: 'a', uid: 'u1' }], { uid: 'u2' }, undefined, 'none'],
  ['another uid, of a pattern', [{ ...docs, uid: 'u1' }], { uid: 'u2' }, undefined, 'none'],
  ['another uid, named', [{ name: 'a', uid: 'u1' }], { uid: 'u2' }, 'a', 'none'],
  [
    'two pins of one account',
    [
      { name: 'a', uid: 'u1' },
      { name: 'b', uid: 'u2' },
    ],
    { uid: 'u2' },
    undefined,
    'agent b',
  ],
  [
    'a pin beside a rule without one',
    [{ name: 'a', uid: 'u1' }, exact],
    {},
    undefined,
    'ambiguous',
  ],
  ['two agents of one account', [exact, { name: 'twin' }], {}, undefined, 'ambiguous'],
  ['two agents of one account, one named', [exact, { name: 'twin' }], {}, 'twin', 'agent twin'],
  ['two agents of one account, neither named', [exact, { name: 'twin' }], {}, 'third', 'none'],
  ['an exact rule beside a pattern', [exact, docs], {}, undefined, 'ambiguous'],
  ['a pattern beside an exact rule', [docs, exact], {}, undefined, 'ambiguous'],
  ['an exact rule beside a pattern, named', [exact, docs], {}, 'exact', 'agent exact'],
  ['a pattern beside an exact rule, named', [exact, docs], {}, 'docs', 'agent docs'],
  ['two patterns', [docs, any], {}, undefined, 'ambiguous'],
  ['two patterns of which one reaches', [docs, any], { account: 'x' }, undefined, 'agent any'],
  ['a client id beside the name', [{ name: 'a', clientId: 'c' }], {}, 'c', 'agent a'],
  ['the name where there is a client id', [{ name: 'a', clientId: 'c' }], {}, 'a', 'none'],
  [
    'a client id of an agent that does not fit',
    [exact, { name: 'b', account: 'b' }],
    {},
    'b',
    'none',
  ],
  ['an empty client id', [exact], {}, '', 'none'],
]

describe('a workload becomes', () => {
  test.each(cases)('%s', (_, agents, who, clientId, outcome) => {
    expect(nameOf(agents, who, clientId)).toBe(outcome)
  })
})

describe('among ten thousand agents', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => ({
    name: `agent-${String(index)}`,
    namespace: `ns-${String(index % 100)}`,
    account: `sa-${String(Math.floor(index / 100))}`,
  }))
  const policy = new Policy(
    [...many, { name: 'star', namespace: 'ns-7', account: 'sa-9*' }].map(agentOf),
  )

  test('each is found by its own account alone', () => {
    expect(policy.size).toBe(10_001)
    for (const { name, namespace, account } of many) {
      const found = policy.match(workload({ namespace, account }), undefined)
      const contested = namespace === 'ns-7' && account.startsWith('sa-9')
      if (contested) expect(found).toBe('ambiguous')
      else expect(found).toMatchObject({ name })
    }
  })

  test('one that is not there is not found', () => {
    expect(policy.match(workload({ namespace: 'ns-1', account: 'sa-100' }), undefined)).toBe('none')
    expect(policy.match(workload({ namespace: 'ns-100', account: 'sa-1' }), undefined)).toBe('none')
  })
})
