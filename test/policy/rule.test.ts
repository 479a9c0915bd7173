import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProofRuleEntry } from '../../src/config/proof_rule.ts'
import { compileRule, fits } from '../../src/policy/rule.ts'
import { RuleIndex } from '../../src/policy/rule_index.ts'
import { provenIdentity, type WorkloadIdentity } from '../../src/verifier/identity.ts'

type Rule = Omit<ProofRuleEntry, 'provider' | 'anyNamespace'>

const TENANT = '72f988bf-0000-4000-8000-2d7cd011db47'
const OBJECT = 'cccccccc-4444-4555-8666-dddddddddddd'
const OTHER = '11111111-0000-4000-8000-222222222222'
const ROLE_ID = 'AROAABCDEFGHIJKLMNOP'
const ACCOUNT = '111122223333'

const common = { provider: 'here', issuer: 'https://issuer.example', expiresAt: 0 }

function pod(namespace = 'research', name = 'analyst', uid = 'u1'): WorkloadIdentity {
  return provenIdentity({
    ...common,
    kind: 'kubernetes',
    subject: `system:serviceaccount:${namespace}:${name}`,
    namespace,
    serviceAccount: { name, uid },
    pod: undefined,
    node: undefined,
  })
}

function aws(resource: string, uniqueId?: string, account = ACCOUNT): WorkloadIdentity {
  const subject = `arn:aws:iam::${account}:${resource}`
  return provenIdentity({ ...common, kind: 'aws', subject, partition: 'aws', account, uniqueId })
}

function gcp(subject: string, email?: string): WorkloadIdentity {
  return provenIdentity({ ...common, kind: 'gcp', subject, email })
}

function azure(subject: string, tenantId = TENANT): WorkloadIdentity {
  return provenIdentity({ ...common, kind: 'azure', subject, tenantId })
}

function oidc(subject: string, claims: Readonly<Record<string, string>> = {}): WorkloadIdentity {
  return provenIdentity({
    ...common,
    kind: 'oidc',
    subject,
    claims: new Map(Object.entries(claims)),
  })
}

const arn = (resource: string, more: Rule = {}): Rule => ({
  arn: `arn:aws:iam::${ACCOUNT}:${resource}`,
  ...more,
})
const repo = (rest: string, claims?: Readonly<Record<string, string>>): Rule => ({
  sub: `repo:octo-org/octo-repo:${rest}`,
  ...(claims && { claims }),
})
const job = (rest: string, claims?: Readonly<Record<string, string>>) =>
  oidc(`repo:octo-org/octo-repo:${rest}`, claims)
const main = 'ref:refs/heads/main'

type Case = readonly [name: string, rule: Rule, who: WorkloadIdentity, fits: boolean]

const kubernetes: readonly Case[] = [
  ['the account', { namespace: 'research', serviceAccount: 'analyst' }, pod(), true],
  ['a pattern in the account', { namespace: 'research', serviceAccount: 'ana*' }, pod(), true],
  ['a pattern in the namespace', { namespace: 'res*', serviceAccount: 'analyst' }, pod(), true],
  [
    'a namespace that begins alike',
    { namespace: 'research', serviceAccount: 'analyst' },
    pod('research-2'),
    false,
  ],
  ['the uid', { namespace: 'research', serviceAccount: 'analyst', uid: 'u1' }, pod(), true],
  [
    'the account made again',
    { namespace: 'research', serviceAccount: 'analyst', uid: 'u1' },
    pod('research', 'analyst', 'u2'),
    false,
  ],
  ['a rule of AWS', arn('role/x'), pod(), false],
  ['a rule by sub', { sub: 'system:serviceaccount:research:analyst' }, pod(), false],
]

const principals: readonly Case[] = [
  ['the role', arn('role/payments'), aws('role/payments'), true],
  ['the role in a path', arn('role/payments'), aws('role/team/payments'), false],
  ['a role of the path', arn('role/team/*'), aws('role/team/payments'), true],
  ['a star that would cross a path', arn('role/team/*'), aws('role/team/a/payments'), false],
  ['two stars that cross paths', arn('role/team/**'), aws('role/team/a/payments'), true],
  ['two stars and nothing behind', arn('role/team/**'), aws('role/team'), false],
  ['a path whose name begins alike', arn('role/team/**'), aws('role/team-evil/payments'), false],
  ['a pattern in the name', arn('role/pay-*'), aws('role/pay-ments'), true],
  [
    'the same name in another account',
    arn('role/payments'),
    aws('role/payments', undefined, '444455556666'),
    false,
  ],
  ['a user where a role is meant', arn('role/payments'), aws('user/payments'), false],
  [
    'the unique id',
    arn('role/payments', { uniqueId: ROLE_ID }),
    aws('role/payments', ROLE_ID),
    true,
  ],
  [
    'the role made again',
    arn('role/payments', { uniqueId: ROLE_ID }),
    aws('role/payments', 'AROAZZZZZZZZZZZZZZZZ'),
    false,
  ],
  [
    'a unique id that the proof does not tell',
    arn('role/payments', { uniqueId: ROLE_ID }),
    aws('role/payments'),
    false,
  ],
  [
    'the unique id of another role',
    arn('role/other', { uniqueId: ROLE_ID }),
    aws('role/payments', ROLE_ID),
    false,
  ],
]

const google: readonly Case[] = [
  ['the number', { sub: '104857600123456789012' }, gcp('104857600123456789012'), true],
  ['another number', { sub: '104857600123456789012' }, gcp('104857600123456789013'), false],
  [
    'the number and its address',
    { sub: '10485', email: 'a@b.example' },
    gcp('10485', 'a@b.example'),
    true,
  ],
  ['another address', { sub: '10485', email: 'a@b.example' }, gcp('10485', 'c@b.example'), false],
  ['an address that is not verified', { sub: '10485', email: 'a@b.example' }, gcp('10485'), false],
  [
    'the address of another number',
    { sub: '10486', email: 'a@b.example' },
    gcp('10485', 'a@b.example'),
    false,
  ],
]

const entra: readonly Case[] = [
  ['tenant and object', { tid: TENANT, oid: OBJECT }, azure(OBJECT), true],
  ['another object', { tid: TENANT, oid: OBJECT }, azure(OTHER), false],
  ['the object in another tenant', { tid: TENANT, oid: OBJECT }, azure(OBJECT, OTHER), false],
  ['a rule by sub', { sub: OBJECT }, azure(OBJECT), false],
]

const subjects: readonly Case[] = [
  ['the subject', repo(main), job(main), true],
  ['another branch', repo(main), job('ref:refs/heads/main2'), false],
  ['a pull request', repo(main), job('pull_request'), false],
  ['any branch', repo('ref:refs/heads/*'), job(main), true],
  ['a branch in a folder', repo('ref:refs/heads/*'), job('ref:refs/heads/a/b'), false],
  ['any branch, folders too', repo('ref:refs/heads/**'), job('ref:refs/heads/a/b'), true],
  ['a tag where branches are meant', repo('ref:refs/heads/**'), job('ref:refs/tags/v1'), false],
  ['anything of the repository', repo('**'), job('environment:production'), true],
  [
    'a repository that begins alike',
    repo('**'),
    oidc(`repo:octo-org/octo-repo-evil:${main}`),
    false,
  ],
  ['an environment', repo('environment:production'), job('environment:production'), true],
  ['another environment', repo('environment:production'), job('environment:production-2'), false],
  ['an environment with a colon in its name', repo('environment:*'), job('environment:a:b'), false],
  ['any repository of the organization', { sub: `repo:octo-org/*:${main}` }, job(main), true],
  [
    'an organization that begins alike',
    { sub: `repo:octo-org/*:${main}` },
    oidc(`repo:octo-org-evil/x:${main}`),
    false,
  ],
  [
    'a claim',
    repo('**', { environment: 'production' }),
    job(main, { environment: 'production' }),
    true,
  ],
  [
    'another value of the claim',
    repo('**', { environment: 'production' }),
    job(main, { environment: 'test' }),
    false,
  ],
  ['a claim that is missing', repo('**', { environment: '**' }), job(main), false],
  [
    'a pattern in a claim',
    repo('**', { workflow: 'release-*' }),
    job(main, { workflow: 'release-1' }),
    true,
  ],
  ['one of two claims', repo('**', { a: '1', b: '2' }), job(main, { a: '1', b: '3' }), false],
  ['a claim that objects inherit', repo('**', { constructor: '**' }), job(main), false],
  ['a claim by a path', repo('**', { 'a.b': '1' }), job(main, { a: '1', b: '1' }), false],
  [
    'a look-alike in a claim',
    repo('**', { actor: 'octocat' }),
    job(main, { actor: '\u043ectocat' }),
    false,
  ],
]

describe.each([
  ['kubernetes', kubernetes],
  ['aws', principals],
  ['gcp', google],
  ['azure', entra],
  ['oidc', subjects],
])('a rule and a workload of %s', (_, cases) => {
  test.each(cases)('%s', (_, rule, who, expected) => {
    const of = (provider: string) => compileRule({ provider, anyNamespace: true, ...rule })
    expect(fits(of('here'), who)).toBe(expected)
    expect(fits(of('elsewhere'), who)).toBe(false)
    expect(new RuleIndex([{ rule: of('here') }]).fitting(who).length).toBe(expected ? 1 : 0)
  })
})

test('a rule that says nothing means nobody', () => {
  const rule = compileRule({ provider: 'here', anyNamespace: true })
  for (const who of [pod(), aws('role/x'), gcp('10485'), azure(OBJECT), job(main)]) {
    expect(fits(rule, who)).toBe(false)
  }
})

test('the index finds what trying every rule finds', () => {
  const all = [...kubernetes, ...principals, ...google, ...entra, ...subjects]
  const entries = all.map(([name, rule]) => ({
    name,
    rule: compileRule({ provider: 'here', anyNamespace: true, ...rule }),
  }))
  const names = (found: readonly { readonly name: string }[]) =>
    found.map(({ name }) => name).toSorted()
  const some = fc.shuffledSubarray(entries)
  fc.assert(
    fc.property(some, fc.constantFrom(...all), (chosen, [, , who]) => {
      const naive = chosen.filter(({ rule }) => fits(rule, who))
      expect(names(new RuleIndex(chosen).fitting(who))).toEqual(names(naive))
    }),
    { numRuns: 1_000 },
  )
})
