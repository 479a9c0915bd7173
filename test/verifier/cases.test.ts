import { describe, expect, test } from 'vitest'
import { ProofRefusal } from '../../src/verifier/refusal.ts'
import { ACCOUNT, type Platform } from '../fakes/platforms.ts'
import { outcomeOf } from '../fakes/provider.ts'
import { azure } from './cases/azure.ts'
import { everyKind } from './cases/every_kind.ts'
import { gcp } from './cases/gcp.ts'
import { kubernetes } from './cases/kubernetes.ts'
import { github, gitlab } from './cases/oidc.ts'
import { header, nested, NOW, claims, type Case, type Changes } from './cases/token_case.ts'
import { webIdentity } from './cases/web_identity.ts'
import { World } from './cases/world.ts'

const world = new World()

const tables: readonly (readonly [platform: Platform, own: readonly Case[]])[] = [
  ['kubernetes', kubernetes],
  ['web_identity', webIdentity],
  ['gcp', gcp],
  ['azure', azure],
  ['azure_v2', azure],
  ['github', github],
  ['gitlab', gitlab],
]

describe.each(tables)('a token of %s', (platform, own) => {
  const cases = [...everyKind, ...own]

  test.each(cases)('%s', async (_, changes, outcome) => {
    const token = world.token(platform, changes)
    const result = await world.judge(platform, token, changes)
    expect(outcomeOf(result)).toBe(outcome)
    if (result instanceof ProofRefusal) {
      for (const value of valuesOf(token)) expect(result.detail).not.toContain(value)
    }
  })

  test('no two cases have one name', () => {
    const names = cases.map(([name]) => name)
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
  })
})

/** Every longer text that header and claims of a token have for a value. */
function valuesOf(token: string): readonly string[] {
  const parts = token.split('.', 2).map((text) => Buffer.from(text, 'base64url').toString())
  return [...parts.join(' ').matchAll(/:\s*"([^"]{8,})"/g)].map(([, value = '']) => value)
}

const identities: readonly (readonly [platform: Platform, identity: object])[] = [
  [
    'web_identity',
    {
      kind: 'aws',
      subject: `arn:aws:iam::${ACCOUNT}:role/team/payments`,
      partition: 'aws',
      account: ACCOUNT,
      uniqueId: undefined,
      expiresAt: NOW + 300,
    },
  ],
  [
    'gcp',
    {
      kind: 'gcp',
      subject: '104857600123456789012',
      email: 'analyst@octo-project.iam.gserviceaccount.com',
      expiresAt: NOW + 3_600,
    },
  ],
  ...(['azure', 'azure_v2'] as const).map(
    (platform) =>
      [
        platform,
        {
          kind: 'azure',
          subject: 'cccccccc-4444-4555-8666-dddddddddddd',
          tenantId: '72f988bf-0000-4000-8000-2d7cd011db47',
          expiresAt: NOW + 86_400,
        },
      ] as const,
  ),
]

describe('the identity that a good token yields', () => {
  test.each(identities)('of %s', async (platform, identity) => {
    const result = await world.judge(platform, world.token(platform))
    const { issuer } = world.issuers[platform]
    expect(result).toStrictEqual({ ...identity, provider: platform, issuer })
  })

  test('of a kind whose claims it keeps has all that are texts, and no others', async () => {
    const changes = claims({ long: 'x'.repeat(513), list: ['x'], yes: true, ['__proto__']: 'x' })
    const result = await world.judge('github', world.token('github', changes))
    const kept = 'claims' in result ? result.claims : new Map()
    const texts = Object.entries(world.issuers.github.good()).filter(
      ([, value]) => typeof value === 'string',
    )
    expect(Object.fromEntries(kept)).toStrictEqual(
      Object.fromEntries([...texts, ['__proto__', 'x']]),
    )
  })

  test.each([
    ['no word of it', undefined],
    ['false', false],
    ['a text', 'true'],
    ['a number', 1],
  ])('has no email that is not verified: %s', async (_, verified) => {
    const token = world.token('gcp', claims({ email_verified: verified }))
    expect(await world.judge('gcp', token)).toMatchObject({ kind: 'gcp', email: undefined })
  })
})

test('a refusal names the provider once one was selected', async () => {
  const judge = (changes: Changes) => world.judge('github', world.token('github', changes))
  expect(await judge(claims({ exp: undefined }))).toStrictEqual(
    new ProofRefusal('claim_missing', 'exp is missing', 'github'),
  )
  expect(await judge(claims({ aud: ['x'] }))).toStrictEqual(
    new ProofRefusal('audience_mismatch', 'made for another audience'),
  )
})

test('a refusal repeats no name that was sent', async () => {
  const canary = 'canary-7f3a'
  for (const change of [nested({ [canary]: {} }), header({ [canary]: 1 })]) {
    const token = world.token('kubernetes', change)
    const text = JSON.stringify(await world.judge('kubernetes', token))
    expect(text).toMatch(/"code":"(binding_unknown|header_not_allowed)"/)
    expect(text).not.toContain(canary)
  }
})
