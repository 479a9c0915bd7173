import { describe, expect, test } from 'vitest'
import {
  proofRuleFaults,
  type ProofRuleEntry,
  type ProvenKind,
} from '../../src/config/proof_rule.ts'

type Rule = Partial<ProofRuleEntry>

const TENANT = '72f988bf-0000-4000-8000-2d7cd011db47'
const pod = { namespace: 'research', serviceAccount: 'analyst' }
const arn = 'arn:aws:iam::111122223333:role/payments'
const entra = { tid: TENANT, oid: TENANT }
const sub = 'repo:octo-org/octo-repo:ref:refs/heads/main'

const OWNER =
  'sub: a * in the first three parts reaches into what others own and needs anyNamespace: true'
const NAMESPACE = 'namespace: a * reaches into other namespaces and needs anyNamespace: true'
const LAST = '** may stand at the very end only'
const must = (member: string, kind: string) =>
  `${member}: must be given for a provider of kind ${kind}`
const nothing = (member: string, kind: string) =>
  `${member}: means nothing for a provider of kind ${kind}`

type Case = readonly [
  name: string,
  kind: ProvenKind | undefined,
  rule: Rule,
  ...faults: readonly string[],
]

const cases: readonly Case[] = [
  ['a pod', 'kubernetes', pod],
  [
    'a pod without namespace',
    'kubernetes',
    { serviceAccount: 'a' },
    must('namespace', 'kubernetes'),
  ],
  ['a pod without account', 'kubernetes', { namespace: 'n' }, must('serviceAccount', 'kubernetes')],
  ['a pod by ARN', 'kubernetes', { ...pod, arn }, nothing('arn', 'kubernetes')],
  ['any namespace, not said', 'kubernetes', { ...pod, namespace: 'a*' }, NAMESPACE],
  ['any namespace, said', 'kubernetes', { ...pod, namespace: '*', anyNamespace: true }],
  ['a role', 'aws', { arn }],
  ['a role with its id', 'aws', { arn, uniqueId: 'AROAABCDEFGHIJKLMNOP' }],
  ['a role by its id alone', 'aws', { uniqueId: 'AROAABCDEFGHIJKLMNOP' }, must('arn', 'aws')],
  ['a role of any namespace', 'aws', { arn, anyNamespace: true }, nothing('anyNamespace', 'aws')],
  ['a role in any path', 'aws', { arn: 'arn:aws:iam::111122223333:role/**' }],
  [
    'a role with two stars inside',
    'aws',
    { arn: 'arn:aws:iam::111122223333:role/**/x' },
    `arn: ${LAST}`,
  ],
  ['a Google account', 'gcp', { sub: '104857600123456789012' }],
  ['a Google account by its address alone', 'gcp', { email: 'a@b.example' }, must('sub', 'gcp')],
  [
    'any Google account',
    'gcp',
    { sub: '*' },
    'sub: must be the number itself: any Google account has one',
  ],
  [
    'any Google account, said',
    'gcp',
    { sub: '1*', anyNamespace: true },
    nothing('anyNamespace', 'gcp'),
    'sub: must be the number itself: any Google account has one',
  ],
  [
    'a Google account with claims',
    'gcp',
    { sub: '10485', claims: { a: 'b' } },
    nothing('claims', 'gcp'),
  ],
  ['a managed identity', 'azure', entra],
  ['a managed identity without tenant', 'azure', { oid: TENANT }, must('tid', 'azure')],
  ['a managed identity without object', 'azure', { tid: TENANT }, must('oid', 'azure')],
  ['a managed identity by sub', 'azure', { ...entra, sub }, nothing('sub', 'azure')],
  ['a subject', 'oidc', { sub }],
  ['a subject with claims', 'oidc', { sub, claims: { environment: 'production' } }],
  ['claims alone', 'oidc', { claims: { a: 'b' } }, must('sub', 'oidc')],
  ['any branch', 'oidc', { sub: 'repo:octo-org/octo-repo:ref:refs/heads/*' }],
  ['any repository, not said', 'oidc', { sub: 'repo:octo-org/*:ref:refs/heads/main' }, OWNER],
  [
    'any repository, said',
    'oidc',
    { sub: 'repo:octo-org/*:ref:refs/heads/main', anyNamespace: true },
  ],
  ['repositories that begin alike', 'oidc', { sub: 'repo:octo-org/octo-*:x' }, OWNER],
  ['any organization', 'oidc', { sub: 'repo:*/octo-repo:x' }, OWNER],
  ['any host of a URL', 'oidc', { sub: 'https://*/x' }, OWNER],
  ['any trust domain', 'oidc', { sub: 'spiffe://*/ns/prod/**' }, OWNER],
  ['anything of one host', 'oidc', { sub: 'https://host.example/**' }, OWNER],
  ['anything at all', 'oidc', { sub: '**' }, OWNER],
  ['anything that begins alike', 'oidc', { sub: 'repo:octo-org**' }, OWNER],
  [
    'a star beside two',
    'oidc',
    { sub: 'repo:a/b:c:d*e**' },
    'sub: the part that ends in ** must have no other star',
  ],
  ['two stars inside a claim', 'oidc', { sub, claims: { a: 'b**c' } }, `claims.a: ${LAST}`],
  ['a provider that nobody knows', undefined, { ...pod, arn }],
  ['a star of a provider that nobody knows', undefined, { sub: 'repo:*' }, OWNER],
]

describe('the rule of a provider', () => {
  for (const [name, kind, rule, ...faults] of cases) {
    test(name, () => {
      const entry = { provider: 'here', anyNamespace: false, ...rule }
      const found = proofRuleFaults(entry, kind, 'proof')
      expect(
        found.map(({ path, message }) => `${path.slice('proof.'.length)}: ${message}`),
      ).toEqual(faults)
    })
  }
})
