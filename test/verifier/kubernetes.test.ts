import { describe, expect, test } from 'vitest'
import type { KubernetesProvider } from '../../src/verifier/provider.ts'
import { ProofRefusal } from '../../src/verifier/refusal.ts'
import { Providers } from '../../src/verifier/registry.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import { outcomeOf, providerOf } from '../fakes/provider.ts'

const clock = new FakeClock()
const { now } = clock
const cluster = new FakeCluster(() => now)
const DAY = 86_400

type Case = readonly [name: string, changes: TokenChanges, outcome: string]
type Claims = NonNullable<TokenChanges['claims']>

async function judge(changes: TokenChanges, provider: Partial<KubernetesProvider> = {}) {
  const verifier = new Providers([await providerOf(cluster, provider)], clock)
  return verifier.verify(await cluster.token(changes))
}

/** The wrong forms of a member, each under the claim's name. */
function wrongForms(
  name: string,
  wrap: (value: unknown) => TokenChanges,
  outcomes: readonly (readonly [form: string, value: unknown, outcome: string])[],
): readonly Case[] {
  return outcomes.map(([form, value, outcome]) => [`${name} ${form}`, wrap(value), outcome])
}

const noTime = [
  ['null', null, 'claim_malformed'],
  ['a text', '1795219200', 'claim_malformed'],
  ['with a fraction', now + 0.5, 'claim_malformed'],
  ['negative', -1, 'claim_malformed'],
  ['beyond whole numbers', 1e300, 'claim_malformed'],
  ['a list', [now], 'claim_malformed'],
] as const

const claim =
  (name: string) =>
  (value: unknown): TokenChanges => ({ claims: { [name]: value } })
const bound =
  (name: string) =>
  (value: unknown): TokenChanges => ({ bound: { [name]: value } })
const at = (times: Claims): TokenChanges => ({ claims: times })

const times: readonly Case[] = [
  ...wrongForms('exp', claim('exp'), [['missing', undefined, 'claim_missing'], ...noTime]),
  ...wrongForms('iat', claim('iat'), [['missing', undefined, 'claim_missing'], ...noTime]),
  ...wrongForms('nbf', claim('nbf'), [['missing', undefined, 'accepted'], ...noTime]),
  ['exp equal to iat', at({ exp: now }), 'claim_malformed'],
  ['exp before iat', at({ exp: now - 1 }), 'claim_malformed'],
  ['expired by a second less than the leeway', at({ iat: now - 600, exp: now - 29 }), 'accepted'],
  ['expired by the leeway', at({ iat: now - 600, exp: now - 30 }), 'expired'],
  ['expired for a year', at({ iat: now - 400 * DAY, exp: now - 399.5 * DAY }), 'expired'],
  ['iat ahead by the leeway', at({ iat: now + 30 }), 'accepted'],
  ['iat ahead by a second more than the leeway', at({ iat: now + 31 }), 'not_yet_valid'],
  ['nbf ahead by the leeway', at({ nbf: now + 30 }), 'accepted'],
  ['nbf ahead by a second more than the leeway', at({ nbf: now + 31 }), 'not_yet_valid'],
  ['a life of 24 hours', at({ exp: now + DAY }), 'accepted'],
  ['a life of 24 hours and a second', at({ exp: now + DAY + 1 }), 'lifetime_too_long'],
  [
    'stretched to a year for old clients',
    { claims: { exp: now + 365 * DAY }, bound: { warnafter: now + 3_607 } },
    'lifetime_too_long',
  ],
  ['warnafter ahead', { bound: { warnafter: now + 3_607 } }, 'accepted'],
  ['warnafter past by a second less than the leeway', bound('warnafter')(now - 29), 'accepted'],
  ['warnafter past by the leeway', bound('warnafter')(now - 30), 'expired'],
  ...wrongForms('warnafter', bound('warnafter'), noTime),
]

const selectors: readonly Case[] = [
  ...wrongForms('iss', claim('iss'), [
    ['missing', undefined, 'issuer_unknown'],
    ['empty', '', 'issuer_unknown'],
    ['a number', 1, 'issuer_unknown'],
    ['a list', [cluster.issuer], 'issuer_unknown'],
    ['of nobody', 'https://other.example', 'issuer_unknown'],
    ['with a slash more', `${cluster.issuer}/`, 'issuer_unknown'],
    ['in upper case', cluster.issuer.toUpperCase(), 'issuer_unknown'],
  ]),
  ...wrongForms('aud', claim('aud'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_missing'],
    ['a number', 1, 'claim_missing'],
    ['an empty text', '', 'claim_missing'],
    ['an empty list', [], 'claim_missing'],
    ['a list of an empty text', [''], 'claim_missing'],
    ['a list of a list', [[cluster.audience]], 'claim_missing'],
    ['a plain text', cluster.audience, 'accepted'],
    ['of the API server', ['https://kubernetes.default.svc'], 'audience_mismatch'],
    ['with a slash more', [`${cluster.audience}/`], 'audience_mismatch'],
    ['a prefix of ours', [cluster.audience.slice(0, -1)], 'audience_mismatch'],
    ['ours and another', [cluster.audience, 'https://other.example'], 'audience_many'],
    ['ours twice', [cluster.audience, cluster.audience], 'audience_many'],
    ['ours and no text', [cluster.audience, null], 'audience_many'],
  ]),
]

const account = { name: 'doc-analyst', uid: 'u' }
const named = (namespace: string, name = 'doc-analyst'): TokenChanges => ({
  claims: { sub: `system:serviceaccount:${namespace}:${name}` },
  bound: { namespace, serviceaccount: { name, uid: 'u' } },
})

const workload: readonly Case[] = [
  ...wrongForms('sub', claim('sub'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a number', 1, 'claim_malformed'],
    ['of another namespace', 'system:serviceaccount:prod:doc-analyst', 'subject_mismatch'],
    ['of another account', 'system:serviceaccount:research:admin', 'subject_mismatch'],
    ['of a person', 'doc-analyst', 'subject_mismatch'],
    ['with a part more', 'system:serviceaccount:research:doc-analyst:x', 'subject_mismatch'],
    ['with a line end', 'system:serviceaccount:research:doc-analyst\n', 'subject_mismatch'],
  ]),
  ...wrongForms('kubernetes.io', claim('kubernetes.io'), [
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
  ...wrongForms('namespace', bound('namespace'), [
    ['missing', undefined, 'claim_missing'],
    ['null', null, 'claim_malformed'],
    ['empty', '', 'claim_malformed'],
    ['a number', 1, 'claim_malformed'],
  ]),
  ['namespace with a colon', named('research:doc', 'analyst'), 'claim_malformed'],
  ['namespace in upper case', named('Research'), 'claim_malformed'],
  ['namespace with a dot', named('re.search'), 'claim_malformed'],
  ['namespace with a star', named('*'), 'claim_malformed'],
  ['namespace with a line end', named('research\n'), 'claim_malformed'],
  ['namespace of 63 letters', named('n'.repeat(63)), 'accepted'],
  ['namespace of 64 letters', named('n'.repeat(64)), 'claim_malformed'],
  ...wrongForms('serviceaccount', bound('serviceaccount'), [
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
  ['jti missing', { claims: { jti: undefined } }, 'accepted'],
  ['a claim that nobody asked for', { claims: { groups: ['system:masters'] } }, 'accepted'],
]

describe.each([
  ['times', times],
  ['issuer and audience', selectors],
  ['workload', workload],
])('claims of a service-account token: %s', (_, cases) => {
  test.each(cases)('%s', async (_, changes, outcome) => {
    expect(outcomeOf(await judge(changes))).toBe(outcome)
  })
})

test('a refusal names the provider once one was selected', async () => {
  expect(await judge({ claims: { exp: undefined } })).toStrictEqual(
    new ProofRefusal('claim_missing', 'exp is missing', 'prod'),
  )
  expect(await judge({ claims: { aud: ['x'] } })).toStrictEqual(
    new ProofRefusal('audience_mismatch', 'made for another audience'),
  )
})

test('a refusal repeats nothing that was sent', async () => {
  const canary = 'canary-7f3a'
  const changes: readonly TokenChanges[] = [
    { claims: { iss: canary } },
    { claims: { aud: [canary] } },
    { claims: { sub: canary } },
    { claims: { exp: canary } },
    { bound: { namespace: canary.toUpperCase() } },
    { bound: { [canary]: {} } },
    { header: { kid: canary } },
    { header: { typ: canary } },
  ]
  for (const change of changes) {
    const text = JSON.stringify(await judge(change))
    expect(text.toLowerCase()).not.toContain(canary)
  }
})
