import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { keysSchema } from '../../src/config/provider/keys.ts'
import { providerSchema } from '../../src/config/provider/schema.ts'
import { chartFolder, template } from './chart.ts'

interface Cluster {
  readonly issuer?: string
  readonly keys?: object
}

interface Given {
  readonly what: string
  readonly providers?: readonly object[]
  readonly cluster?: Cluster
  readonly proofAudience?: string
}

const tenantIssuer = 'https://lumo-broker-authority.lumo-system.svc:9170/t/acme-corp/api/v1'

/** Whether the authority starts with them, as the chart writes them into its configuration. */
function isTakenByProgram({ providers = [], cluster = {}, proofAudience }: Given): boolean {
  const { issuer = 'https://kubernetes.default.svc.cluster.local', keys } = cluster
  const own = {
    name: 'this-cluster',
    kind: 'kubernetes',
    issuers: [issuer],
    audiences: [proofAudience ?? `${tenantIssuer}#this-cluster`],
    ...(keys && { keys }),
  }
  const authority = {
    origin: new URL(tenantIssuer).origin,
    store: { file: '/var/lib/lumo/authority.sqlite' },
    keyEncryptionFile: '/etc/lumo/key',
    tenants: [{ slug: 'acme-corp', providers: [own, ...providers] }],
  }
  try {
    loadConfig(JSON.stringify({ roles: ['authority'], authority }), {})
    return true
  } catch {
    return false
  }
}

const installed = ({ providers, cluster, proofAudience }: Given) =>
  template({
    ...(cluster && { cluster }),
    ...(proofAudience !== undefined && { proofAudience }),
    ...(providers && { authority: { extraProviders: providers } }),
  })

const oidc = { name: 'ci', kind: 'oidc', issuers: ['https://ci.example.com'] }
const aws = { name: 'aws', kind: 'aws', form: 'web-identity', accounts: ['123456789012'] }
const signed = { ...aws, form: 'signed-request', regions: ['eu-central-1'] }
const azure = {
  name: 'azure',
  kind: 'azure',
  tenantId: '11111111-2222-3333-4444-555555555555',
  audiences: ['api://lumo'],
}
const at = (one: object): Pick<Given, 'providers'> => ({ providers: [one] })

const faulty: readonly (Given & { readonly says: string })[] = [
  {
    what: 'an issuer without https',
    ...at({ ...oidc, issuers: ['http://ci.example.com'] }),
    says: 'the issuer http://ci.example.com must be an https URL',
  },
  { what: 'no kind', ...at({ name: 'ci' }), says: "missing property 'kind'" },
  { what: 'a kind that is none', ...at({ ...oidc, kind: 'saml' }), says: 'extraProviders/0/kind' },
  {
    what: 'a setting that is none',
    ...at({ ...oidc, issuer: 'https://ci.example.com' }),
    says: "additional properties 'issuer' not allowed",
  },
  {
    what: 'one issuer as text',
    ...at({ ...oidc, issuers: 'a' }),
    says: 'extraProviders/0/issuers',
  },
  {
    what: 'an account without quotes',
    ...at({ ...aws, accounts: [123456789012] }),
    says: 'extraProviders/0/accounts/0',
  },
  { what: 'two of one name', providers: [oidc, oidc], says: 'ci of authority.extraProviders has' },
  {
    what: 'the name of the cluster',
    ...at({ ...oidc, name: 'this-cluster' }),
    says: 'has the name of another, or clusterName (this-cluster)',
  },
  {
    what: 'a setting of another kind',
    ...at({ ...oidc, preset: 'eks' }),
    says: 'for the kind oidc',
  },
  { what: 'no issuer', ...at({ name: 'ci', kind: 'oidc' }), says: 'issuers must be given' },
  {
    what: 'a cluster without issuer',
    ...at({ name: 'b', kind: 'kubernetes' }),
    says: 'issuers must',
  },
  { what: 'AWS without a form', ...at({ ...aws, form: undefined }), says: 'form must be given' },
  {
    what: 'AWS without accounts',
    ...at({ ...signed, accounts: undefined }),
    says: 'accounts must',
  },
  { what: 'no region', ...at({ ...signed, regions: undefined }), says: 'regions must be given' },
  {
    what: 'no tenant of Entra',
    ...at({ ...azure, tenantId: undefined }),
    says: 'tenantId must be',
  },
  { what: 'no audience', ...at({ ...azure, audiences: undefined }), says: 'audiences must be' },
  {
    what: 'two places of keys',
    ...at({ ...oidc, keys: { discovery: true, file: '/keys' } }),
    says: 'the provider ci of authority.extraProviders: keys must have exactly one of',
  },
  {
    what: 'no place of keys',
    cluster: { keys: { hosts: ['a'] } },
    says: 'cluster: keys must have',
  },
  {
    what: 'a misspelt place of keys',
    cluster: { keys: { jwksUri: 'https://keys.example.com' } },
    says: "at '/cluster/keys': additional properties 'jwksUri' not allowed",
  },
  {
    what: 'keys in clear',
    cluster: { keys: { jwksUrl: 'http://keys.example.com' } },
    says: 'cluster: keys.jwksUrl is http://keys.example.com: give an https URL',
  },
  ...[
    'https://kubernetes.default.svc',
    'https://kubernetes.default.svc.cluster.local/',
    'sts.amazonaws.com',
  ].map((proofAudience) => ({
    what: `the audience ${proofAudience}`,
    proofAudience,
    says: `proofAudience is ${proofAudience}, and tokens for it are credentials elsewhere`,
  })),
  {
    what: 'the issuer of the cluster as the audience',
    cluster: { issuer: 'https://oidc.example.com/' },
    proofAudience: 'https://oidc.example.com',
    says: 'tokens for it are credentials elsewhere',
  },
]

const sound: readonly Given[] = [
  { what: 'an issuer', ...at(oidc) },
  { what: 'a role of AWS', ...at({ ...aws, issuers: ['https://sts.example.com'] }) },
  { what: 'a signed request', ...at(signed) },
  { what: 'a pod of EKS', ...at({ name: 'b', kind: 'aws', form: 'irsa', issuers: ['https://a'] }) },
  { what: 'Entra', ...at(azure) },
  { what: 'Google', ...at({ name: 'gcp', kind: 'gcp' }) },
  { what: 'another cluster', ...at({ name: 'b', kind: 'kubernetes', preset: 'k3s' }) },
  { what: 'discovery', cluster: { issuer: 'https://oidc.example.com', keys: { discovery: true } } },
  { what: 'keys as text', cluster: { keys: { inline: { keys: [{ kty: 'EC' }] } } } },
  { what: 'an audience of its own', proofAudience: 'lumo' },
]

/** The program takes it, and there is nothing of it in the pod. */
test('keys of a file, which no volume of the chart holds, are refused', () => {
  for (const given of [
    { what: 'of a provider', ...at({ ...oidc, keys: { file: '/keys', hosts: [] } }) },
    { what: 'of the cluster', cluster: { keys: { file: '/keys' } } },
  ]) {
    expect(isTakenByProgram(given)).toBe(true)
    expect(installed(given).text).toContain('put the keys into keys.inline')
  }
})

describe('providers with which the authority would not start are refused before:', () => {
  test.each(faulty)('$what', ({ says, ...given }) => {
    const { ok, text } = installed(given)
    expect({ program: isTakenByProgram(given), helm: ok }).toEqual({ program: false, helm: false })
    expect(text).toContain(says)
  })
})

describe('providers that the authority takes are installed:', () => {
  test.each(sound)('$what', (given) => {
    const { ok, text } = installed(given)
    expect({ program: isTakenByProgram(given), helm: ok }, text.slice(0, 500)).toEqual({
      program: true,
      helm: true,
    })
  })
})

test('providers and keys have the settings of the program', () => {
  const text = readFileSync(`${chartFolder}values.schema.json`, 'utf8')
  const { $defs } = JSON.parse(text) as {
    readonly $defs: Readonly<Record<string, { readonly properties?: object }>>
  }
  const named = (name: string) => Object.keys($defs[name]?.properties ?? {})
  expect(named('provider')).toEqual(Object.keys(providerSchema.properties))
  expect(named('keys')).toEqual(Object.keys(keysSchema.properties))
})
