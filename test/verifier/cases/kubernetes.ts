import {
  AUDIENCE,
  claim,
  claims,
  DAY,
  forms,
  member,
  nested,
  noTime,
  NOW,
  provider,
  type Case,
  type Changes,
} from './token_case.ts'

const times: readonly Case[] = [
  ['a life of 24 hours', claims({ exp: NOW + DAY }), 'accepted'],
  ['a life of 24 hours and a second', claims({ exp: NOW + DAY + 1 }), 'lifetime_too_long'],
  [
    'stretched to a year for old clients',
    { claims: { exp: NOW + 365 * DAY }, nested: { warnafter: NOW + 3_607 } },
    'lifetime_too_long',
  ],
  [
    'stretched to 90 days, as EKS does',
    { claims: { exp: NOW + 90 * DAY }, nested: { warnafter: NOW + 3_607 } },
    'lifetime_too_long',
  ],
  ['warnafter ahead', nested({ warnafter: NOW + 3_607 }), 'accepted'],
  ['warnafter past by 29 s', nested({ warnafter: NOW - 29 }), 'accepted'],
  ['warnafter past by 30 s', nested({ warnafter: NOW - 30 }), 'expired'],
  ['warnafter past by 31 s', nested({ warnafter: NOW - 31 }), 'expired'],
  ...forms('warnafter', member('warnafter'), noTime),
  [
    'of the oldest that a kubelet lets it get',
    { ...claims({ exp: NOW + DAY }), ahead: 69_130 },
    'accepted',
  ],
]

const selectors: readonly Case[] = [
  [
    'aud of the API server',
    claims({ aud: ['https://kubernetes.default.svc'] }),
    'audience_mismatch',
  ],
  ['aud a prefix of ours', claims({ aud: [AUDIENCE.slice(0, -1)] }), 'audience_mismatch'],
  ['aud of AWS, as IRSA has it', claims({ aud: ['sts.amazonaws.com'] }), 'audience_mismatch'],
  [
    'aud of us and the API server',
    claims({ aud: [AUDIENCE, 'https://kubernetes.default.svc'] }),
    'audience_many',
  ],
  ['aud of us and no text', claims({ aud: [AUDIENCE, null] }), 'audience_many'],
  [
    'aud of another tenant',
    claims({ aud: ['https://auth.example/t/globex/api/v1'] }),
    'audience_mismatch',
  ],
  [
    'iss of GitHub, with our signature',
    claims({ iss: 'https://token.actions.githubusercontent.com' }),
    'key_unknown',
  ],
  [
    'an issuer of before a migration',
    {
      claims: { iss: 'https://old.example' },
      provider: { issuers: ['https://cluster.example', 'https://old.example'] },
    },
    'accepted',
  ],
]

const account = { name: 'doc-analyst', uid: 'u' }
const named = (namespace: string, name = 'doc-analyst'): Changes => ({
  claims: { sub: `system:serviceaccount:${namespace}:${name}` },
  nested: { namespace, serviceaccount: { name, uid: 'u' } },
})

const workload: readonly Case[] = [
  ...forms('sub', claim('sub'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a number', 1, 'claim_malformed'],
    ['of another namespace', 'system:serviceaccount:prod:doc-analyst', 'subject_mismatch'],
    ['of another account', 'system:serviceaccount:research:admin', 'subject_mismatch'],
    ['of a person', 'doc-analyst', 'subject_mismatch'],
    ['with a part more', 'system:serviceaccount:research:doc-analyst:x', 'subject_mismatch'],
    ['with a line end', 'system:serviceaccount:research:doc-analyst\n', 'subject_mismatch'],
    [
      'in Cyrillic look-alikes',
      'system:serviceaccount:rese\u0430rch:doc-analyst',
      'subject_mismatch',
    ],
    ['in upper case', 'SYSTEM:SERVICEACCOUNT:RESEARCH:DOC-ANALYST', 'subject_mismatch'],
    ['of 600 letters', 's'.repeat(600), 'subject_mismatch'],
  ]),
  ...forms('kubernetes.io', claim('kubernetes.io'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['a list', [], 'claim_malformed'],
    ['a text', 'research', 'claim_malformed'],
    ['empty', {}, 'claim_missing'],
  ]),
  [
    'a path of names in place of kubernetes.io',
    {
      claims: {
        'kubernetes.io': undefined,
        kubernetes: { io: { namespace: 'research', serviceaccount: account } },
      },
    },
    'claim_missing',
  ],
  ...forms('namespace', member('namespace'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a number', 1, 'claim_malformed'],
    ['in a list', ['research'], 'claim_malformed'],
  ]),
  ['namespace with a colon', named('research:doc', 'analyst'), 'claim_malformed'],
  ['namespace in upper case', named('Research'), 'claim_malformed'],
  ['namespace with a dot', named('re.search'), 'claim_malformed'],
  ['namespace with a star', named('*'), 'claim_malformed'],
  ['namespace with a line end', named('research\n'), 'claim_malformed'],
  ['namespace in look-alikes', named('rese\u0430rch'), 'claim_malformed'],
  ['namespace of 63 letters', named('n'.repeat(63)), 'accepted'],
  ['namespace of 64 letters', named('n'.repeat(64)), 'claim_malformed'],
  ...forms('serviceaccount', member('serviceaccount'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['a text', 'doc-analyst', 'claim_malformed'],
    ['a list', [account], 'claim_malformed'],
    ['without a name', { uid: 'u' }, 'claim_missing'],
    ['without a uid', { name: 'doc-analyst' }, 'claim_missing'],
    ['with an empty name', { name: '', uid: 'u' }, 'claim_malformed'],
    ['with a number as name', { name: 1, uid: 'u' }, 'claim_malformed'],
    ['with an empty uid', { name: 'doc-analyst', uid: '' }, 'claim_malformed'],
    ['with a uid that is too long', { ...account, uid: 'u'.repeat(65) }, 'claim_malformed'],
    ['with the longest uid', { ...account, uid: 'u'.repeat(64) }, 'accepted'],
  ]),
  ['account with a colon', named('research', 'doc:analyst'), 'claim_malformed'],
  ['account in upper case', named('research', 'Doc-Analyst'), 'claim_malformed'],
  ['account of 253 letters', named('research', 'a'.repeat(253)), 'accepted'],
  ['account of 254 letters', named('research', 'a'.repeat(254)), 'claim_malformed'],
  ['jti missing', claims({ jti: undefined }), 'accepted'],
  ['a claim that nobody asked for', claims({ groups: ['system:masters'] }), 'accepted'],
]

const unbound = { pod: undefined, node: undefined }
const anyHolder = { requirePod: false }

/** What a token is bound to, and legacy tokens, have tables in `binding.test.ts`; here is what a provider can demand. */
const settings: readonly Case[] = [
  ['bound to no pod', nested(unbound), 'not_pod_bound'],
  ['bound to no pod, where that is allowed', { nested: unbound, provider: anyHolder }, 'accepted'],
  [
    'bound to a kind that nobody knows',
    nested({ deployment: { name: 'd', uid: 'u' } }),
    'binding_unknown',
  ],
  [
    'bound to a webhook, where no pod is demanded',
    {
      nested: { ...unbound, mutatingwebhookconfiguration: { name: 'w', uid: 'u' } },
      provider: anyHolder,
    },
    'binding_unknown',
  ],
  ['of a pod on our node', provider({ node: 'worker-1' }), 'accepted'],
  ['of a pod on another node', provider({ node: 'worker-2' }), 'node_mismatch'],
  ['of a pod on a node whose name begins like ours', provider({ node: 'worker' }), 'node_mismatch'],
  [
    'of a pod without a node, where one is demanded',
    { nested: { node: undefined }, provider: { node: 'worker-1' } },
    'node_mismatch',
  ],
  [
    'bound to our node alone, where a pod is demanded',
    { nested: { pod: undefined }, provider: { node: 'worker-1' } },
    'not_pod_bound',
  ],
  [
    'bound to our node alone, where no pod is demanded',
    { nested: { pod: undefined }, provider: { ...anyHolder, node: 'worker-1' } },
    'accepted',
  ],
  [
    'a demanded namespace by a path',
    provider({ claims: { 'kubernetes.io.namespace': 'research' } }),
    'claim_missing',
  ],
  ['a demanded sub', provider({ claims: { sub: 'system:serviceaccount:research:*' } }), 'accepted'],
  [
    'a demanded sub of another namespace',
    provider({ claims: { sub: 'system:serviceaccount:prod:*' } }),
    'claim_mismatch',
  ],
  ['a demanded aud, which is a list', provider({ claims: { aud: AUDIENCE } }), 'claim_mismatch'],
  ['kubernetes.io demanded', provider({ requiredClaims: ['kubernetes.io', 'jti'] }), 'accepted'],
  [
    'an audience of the operator',
    { claims: { aud: ['lumo'] }, provider: { audiences: ['lumo'] } },
    'accepted',
  ],
  [
    'the audience of the tenant, where the operator has another',
    provider({ audiences: ['lumo'] }),
    'audience_mismatch',
  ],
]

export const kubernetes: readonly Case[] = [...times, ...selectors, ...workload, ...settings]
