import { describe, expect, test } from 'vitest'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { outcomeOf, providerOf } from '../fakes/provider.ts'

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)

type Bound = NonNullable<TokenChanges['bound']>

async function judge(bound: Bound, requirePod: boolean) {
  const verifier = new Providers([await providerOf(cluster, { requirePod })], clock)
  return verifier.verify(await cluster.token({ bound }))
}

const pod = { name: 'doc-analyst-0', uid: 'p' }
const secret = { name: 'doc-analyst-token', uid: 's' }
const none = { pod: undefined, node: undefined }

/** What a token is bound to, and what becomes of it where any is taken and where only pods are. */
const cases: readonly (readonly [name: string, bound: Bound, any: string, podOnly: string])[] = [
  ['a pod and its node', {}, 'accepted', 'accepted'],
  ['a pod whose node has no uid', { node: { name: 'worker-1' } }, 'accepted', 'accepted'],
  ['a pod without a node', { node: undefined }, 'accepted', 'accepted'],
  ['nothing', none, 'accepted', 'not_pod_bound'],
  ['a node alone', { pod: undefined }, 'accepted', 'not_pod_bound'],
  ['a secret alone', { ...none, secret }, 'accepted', 'not_pod_bound'],
  ['a secret and a pod', { secret, node: undefined }, 'binding_unknown', 'binding_unknown'],
  ['a secret and a node', { secret, pod: undefined }, 'binding_unknown', 'binding_unknown'],
  ['a secret, a pod and a node', { secret }, 'binding_unknown', 'binding_unknown'],
  [
    'a webhook configuration',
    { ...none, validatingwebhookconfiguration: { name: 'w', uid: 'w' } },
    'binding_unknown',
    'binding_unknown',
  ],
  ['a pod, with attestations', { attestations: {} }, 'binding_unknown', 'binding_unknown'],
  ['a pod, named twice in two spellings', { Pod: pod }, 'binding_unknown', 'binding_unknown'],
  ['a pod that is null', { pod: null }, 'claim_malformed', 'claim_malformed'],
  ['a pod that is a list', { pod: [pod] }, 'claim_malformed', 'claim_malformed'],
  ['a pod without a name', { pod: { uid: 'p' } }, 'claim_missing', 'claim_missing'],
  ['a pod without a uid', { pod: { name: 'p' } }, 'claim_missing', 'claim_missing'],
  [
    'a pod named like a path',
    { pod: { ...pod, name: '../p' } },
    'claim_malformed',
    'claim_malformed',
  ],
  ['a node that is null', { node: null }, 'claim_malformed', 'claim_malformed'],
  ['a node without a name', { node: { uid: 'n' } }, 'claim_missing', 'claim_missing'],
  [
    'a node with an empty uid',
    { node: { name: 'n', uid: '' } },
    'claim_malformed',
    'claim_malformed',
  ],
  [
    'a node with null as uid',
    { node: { name: 'n', uid: null } },
    'claim_malformed',
    'claim_malformed',
  ],
  ['a node in upper case', { node: { name: 'Worker' } }, 'claim_malformed', 'claim_malformed'],
  ['a secret without a uid', { ...none, secret: { name: 's' } }, 'claim_missing', 'claim_missing'],
  ['a secret that is a text', { ...none, secret: 's' }, 'claim_malformed', 'claim_malformed'],
]

describe('a token bound to', () => {
  test.each(cases)('%s', async (_, bound, any, podOnly) => {
    expect(outcomeOf(await judge(bound, false))).toBe(any)
    expect(outcomeOf(await judge(bound, true))).toBe(podOnly)
  })
})

const identity = {
  kind: 'kubernetes',
  provider: 'prod',
  issuer: 'https://cluster.example',
  subject: 'system:serviceaccount:research:doc-analyst',
  namespace: 'research',
  serviceAccount: { name: 'doc-analyst', uid: '11111111-1111-1111-1111-111111111111' },
  pod: { name: 'doc-analyst-0', uid: '22222222-2222-2222-2222-222222222222' },
  node: { name: 'worker-1', uid: '33333333-3333-3333-3333-333333333333' },
  expiresAt: clock.now + 600,
}

describe('the identity that a good token yields', () => {
  test('is what the API server wrote, and nothing more', async () => {
    const result = await judge({}, true)
    expect(result).toStrictEqual(identity)
    expect(Object.isFrozen(result)).toBe(true)
  })

  test('has a node without a uid where the node was gone', async () => {
    expect(await judge({ node: { name: 'worker-1' } }, true)).toStrictEqual({
      ...identity,
      node: { name: 'worker-1', uid: undefined },
    })
  })

  test('has neither pod nor node where the token is bound to nothing', async () => {
    expect(await judge(none, false)).toStrictEqual({ ...identity, ...none })
  })

  test('takes from a reference only its name and uid', async () => {
    expect(await judge({ pod: { ...pod, namespace: 'kube-system' } }, true)).toStrictEqual({
      ...identity,
      pod,
    })
  })
})

describe('a token of a Secret, as API servers once made them', () => {
  const flat = {
    'kubernetes.io/serviceaccount/namespace': 'research',
    'kubernetes.io/serviceaccount/secret.name': 'doc-analyst-token',
    'kubernetes.io/serviceaccount/service-account.name': 'doc-analyst',
    'kubernetes.io/serviceaccount/service-account.uid': 'u',
    'kubernetes.io': undefined,
    iat: undefined,
    nbf: undefined,
    exp: undefined,
    jti: undefined,
  }
  const legacyIssuer = 'kubernetes/serviceaccount'
  const cases = [
    ['as it was made', { iss: legacyIssuer, aud: undefined }, [], 'issuer_unknown'],
    [
      'where its issuer is listed',
      { iss: legacyIssuer, aud: undefined },
      [legacyIssuer],
      'claim_missing',
    ],
    ['with an audience', { iss: legacyIssuer }, [legacyIssuer], 'claim_missing'],
    [
      'with an audience and a life',
      { iss: legacyIssuer, iat: clock.now, exp: clock.now + 600 },
      [legacyIssuer],
      'claim_missing',
    ],
  ] as const

  test.each(cases)('%s', async (_, claims, more, outcome) => {
    const issuers = [cluster.issuer, ...more]
    const verifier = new Providers([await providerOf(cluster, { issuers })], clock)
    const token = await cluster.token({ claims: { ...flat, ...claims } })
    expect(outcomeOf(await verifier.verify(token))).toBe(outcome)
  })
})
