import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { kindProven } from '../../src/config/provider/config.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { unreachableOf } from '../../src/policy/unreachable.ts'
import { tenantWith } from '../fakes/config_documents.ts'

const entra = '11111111-2222-3333-4444-555555555555'
const providers = [
  { name: 'prod', kind: 'kubernetes', preset: 'kind' },
  {
    name: 'account',
    kind: 'aws',
    form: 'web-identity',
    accounts: ['123456789012'],
    issuers: ['https://a.tokens.sts.global.api.aws'],
  },
  {
    name: 'signed',
    kind: 'aws',
    form: 'signed-request',
    accounts: ['123456789012', '210987654321'],
    regions: ['eu-west-1'],
  },
  { name: 'entra', kind: 'azure', tenantId: entra, audiences: ['api://lumo'] },
  { name: 'google', kind: 'gcp' },
  {
    name: 'github',
    kind: 'oidc',
    issuers: ['https://token.actions.githubusercontent.com'],
    claims: { repository_owner: 'octo-org' },
  },
]
const tenant = resolveConfig(tenantWith({ providers }), {}).authority?.tenants[0]
const resolved = tenant?.providers ?? []

function findings(proof: object): readonly string[] {
  const text = JSON.stringify({ agents: [{ name: 'a', proof }] })
  const { policy } = compilePolicy([{ path: 'p.yaml', text }], {
    providers: new Map(resolved.map((provider) => [provider.name, kindProven(provider)])),
    takenIds: [],
  })
  return unreachableOf(policy.agents, resolved).map(({ message }) => message)
}

const oid = '99999999-2222-3333-4444-555555555555'
const sub = 'repo:octo-org/octo-repo:ref:refs/heads/main'
const never = (why: string) => [`its rule can never match: ${why}`]
const cases: readonly (readonly [name: string, proof: object, expected: readonly string[]])[] = [
  ['a pod', { provider: 'prod', namespace: 'n', serviceAccount: 's' }, []],
  ['a role', { provider: 'account', arn: 'arn:aws:iam::123456789012:role/team/ci' }, []],
  [
    'a role of another account',
    { provider: 'account', arn: 'arn:aws:iam::210987654321:role/ci' },
    never('its account is none of its provider'),
  ],
  [
    'a unique id that no token tells',
    {
      provider: 'account',
      arn: 'arn:aws:iam::123456789012:role/ci',
      uniqueId: 'AROAAAAAAAAAAAAA',
    },
    never('a token of GetWebIdentityToken does not tell a uniqueId'),
  ],
  [
    'a unique id of a signed request',
    { provider: 'signed', arn: 'arn:aws:iam::210987654321:role/ci', uniqueId: 'AROAAAAAAAAAAAAA' },
    [],
  ],
  [
    'a role of another partition',
    { provider: 'signed', arn: 'arn:aws-cn:iam::210987654321:role/ci' },
    never('its partition is not that of its provider'),
  ],
  [
    'a role with its path, which a signed request does not tell',
    { provider: 'signed', arn: 'arn:aws:iam::210987654321:role/team/ci' },
    never('a signed request tells the name of a role without its path'),
  ],
  ['a user with a path', { provider: 'signed', arn: 'arn:aws:iam::210987654321:user/team/ci' }, []],
  ['an identity', { provider: 'entra', tid: entra, oid }, []],
  [
    'an identity of another tenant',
    { provider: 'entra', tid: oid, oid },
    never('tid is not the tenantId of its provider'),
  ],
  ['a Google account', { provider: 'google', sub: '123456789012345678901' }, []],
  ['a repository', { provider: 'github', sub, claims: { repository_owner: 'octo-org' } }, []],
  [
    'a claim that the provider demands otherwise',
    { provider: 'github', sub, claims: { repository_owner: 'evil-org' } },
    never('its provider demands another claims.repository_owner'),
  ],
]

describe('a rule for', () => {
  test.each(cases)('%s', (_, proof, expected) => {
    expect(findings(proof)).toEqual(expected)
  })
})
