import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import {
  allInOne,
  authorityOnly,
  clientWith,
  providerWith,
  remote,
  remoteWith,
  sidecar,
  tenantsOf,
} from '../fakes/config_documents.ts'

test('what an authority gets without asking', () => {
  const config = resolveConfig(authorityOnly(), {})
  expect(config).toMatchObject({
    log: { level: 'info', format: 'auto' },
    operations: { listen: { host: '::', port: 9190 } },
    authority: {
      listen: { host: '127.0.0.1', port: 9170 },
      origin: 'https://auth.example',
      tls: undefined,
      storeFile: '/var/lib/lumo/authority.sqlite',
      keyEncryption: { in: 'file', file: '/etc/lumo/key-encryption' },
      clockOffsetMs: 0,
      tenants: [
        {
          slug: 'acme-corp',
          issuer: 'https://auth.example/t/acme-corp/api/v1',
          atOrigin: false,
          algorithm: 'RS256',
          policy: undefined,
          providers: [],
          clients: [],
        },
      ],
    },
    broker: undefined,
  })
})

test('what a sidecar gets without asking', () => {
  const config = resolveConfig(sidecar(), {})
  expect(config.authority).toBe(undefined)
  expect(config.broker).toMatchObject({
    listen: [
      { host: '127.0.0.1', port: 9180, optional: false },
      { host: '::1', port: 9180, optional: true },
    ],
    hosts: [],
    tenant: 'acme-corp',
    remote: { caFile: undefined, connectTimeoutMs: 2_000, totalTimeoutMs: 5_000 },
    proof: { from: 'file', file: '/var/run/secrets/lumoauth.dev/proof/token' },
    proofAudience: 'https://auth.example/t/acme-corp/api/v1',
    rateLimit: { perSecond: 1_000, burst: 2_000 },
    maxEntries: 10_000,
  })
  expect(config.broker?.remote?.tokenUrl.href).toBe(
    'https://auth.example/t/acme-corp/api/v1/oauth/token',
  )
})

test('what a client gets without asking', () => {
  const config = resolveConfig(clientWith({ secretHashes: [`sha256:${'_'.repeat(42)}8`] }), {})
  expect(config.authority?.tenants[0]?.clients).toEqual([
    {
      id: 'reporter',
      secretHashes: [Buffer.alloc(32, 0xff)],
      methods: ['client_secret_basic', 'client_secret_post'],
      grantTypes: ['client_credentials'],
      grants: [],
      maxTargets: 1,
      lifetimeSeconds: 3_600,
      refreshLifetimeSeconds: 2_592_000,
      refreshIdleSeconds: undefined,
      jwks: undefined,
      proof: undefined,
      redirectUris: [],
      postLogoutRedirectUris: [],
      audiences: [],
      mayIntrospect: false,
      mayCheckUsers: false,
      delegation: undefined,
      impersonation: undefined,
      mayAct: undefined,
      dpopBound: false,
    },
  ])
})

const inCluster = {
  hosts: [],
  from: 'jwksUrl',
  url: new URL('https://kubernetes.default.svc/openid/v1/jwks'),
  caFile: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt',
  bearerTokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token',
}
const files = { hosts: [], caFile: undefined, bearerTokenFile: undefined }

const sources: readonly (readonly [name: string, keys: unknown, expected: object])[] = [
  ['none: the API server of the own cluster', undefined, inCluster],
  ['a file', { file: '/keys.json' }, { from: 'file', file: '/keys.json' }],
  ['inline', { inline: { keys: [] } }, { from: 'inline', jwks: { keys: [] } }],
  ['discovery', { discovery: true, hosts: ['k'] }, { from: 'discovery', ...files, hosts: ['k'] }],
  [
    'a file with discovery turned off',
    { file: '/keys.json', discovery: false },
    { from: 'file', file: '/keys.json' },
  ],
  [
    'a URL with its CA and token',
    { jwksUrl: 'https://k/keys', caFile: '/ca', bearerTokenFile: '/t' },
    {
      from: 'jwksUrl',
      url: new URL('https://k/keys'),
      hosts: [],
      caFile: '/ca',
      bearerTokenFile: '/t',
    },
  ],
  [
    'a URL on the loopback',
    { jwksUrl: 'http://localhost:1/keys' },
    { from: 'jwksUrl', url: new URL('http://localhost:1/keys'), ...files },
  ],
]

for (const [name, keys, expected] of sources) {
  test(`a provider and its keys: ${name}`, () => {
    const config = resolveConfig(providerWith(keys === undefined ? {} : { keys }), {})
    expect(config.authority?.tenants[0]?.providers).toEqual([
      {
        name: 'prod',
        kind: 'kubernetes',
        issuers: ['https://cluster.example'],
        audiences: ['https://auth.example/t/acme-corp/api/v1'],
        algorithms: ['RS256', 'ES256', 'ES384', 'ES512'],
        requirePod: true,
        requiredClaims: [],
        claims: {},
        keyStalenessMs: 86_400_000,
        keys: expected,
      },
    ])
  })
}

const origins = [
  { origin: 'https://auth.example/', issuer: 'https://auth.example/t/acme-corp/api/v1' },
  { origin: 'https://auth.example:8443', issuer: 'https://auth.example:8443/t/acme-corp/api/v1' },
  { origin: 'http://localhost:9170', issuer: 'http://localhost:9170/t/acme-corp/api/v1' },
  { origin: 'http://127.0.0.1:9170', issuer: 'http://127.0.0.1:9170/t/acme-corp/api/v1' },
  { origin: 'http://[::1]:9170', issuer: 'http://[::1]:9170/t/acme-corp/api/v1' },
]

for (const { origin, issuer } of origins) {
  test(`of the origin ${origin} the issuer is made`, () => {
    const { authority } = resolveConfig(authorityOnly({ origin }), {})
    expect(authority?.origin).toBe(origin.replace(/\/$/, ''))
    expect(authority?.tenants[0]?.issuer).toBe(issuer)
  })
}

test('one tenant may have the bare origin, and its proofs are made for that', () => {
  const atOrigin = { slug: 'a', issuer: 'origin', providers: [] }
  const { authority } = resolveConfig(tenantsOf(atOrigin, { slug: 'b' }), {})
  expect(authority?.tenants.map(({ issuer }) => issuer)).toEqual([
    'https://auth.example',
    'https://auth.example/t/b/api/v1',
  ])
  const { broker } = resolveConfig(
    allInOne({ authority: { tenant: 'a' } }, { tenants: [atOrigin] }),
    {},
  )
  expect(broker?.proofAudience).toBe('https://auth.example')
})

const urls = [
  { changes: {}, tokenUrl: 'https://auth.example/t/acme-corp/api/v1/oauth/token' },
  {
    changes: { pathStyle: 'orgs' },
    tokenUrl: 'https://auth.example/orgs/acme-corp/api/v1/oauth/token',
  },
  {
    changes: { url: 'https://eu.example/' },
    tokenUrl: 'https://eu.example/t/acme-corp/api/v1/oauth/token',
  },
  {
    changes: { url: 'http://127.0.0.1:1' },
    tokenUrl: 'http://127.0.0.1:1/t/acme-corp/api/v1/oauth/token',
  },
]

for (const { changes, tokenUrl } of urls) {
  test(`the token endpoint is ${tokenUrl}`, () => {
    const { broker } = resolveConfig(remoteWith(changes), {})
    expect(broker?.remote?.tokenUrl.href).toBe(tokenUrl)
    expect(broker?.proofAudience).toBe(
      `${String({ ...remote, ...changes }.url).replace(/\/$/, '')}/t/acme-corp/api/v1`,
    )
  })
}

test('an audience that is set is the one that the proof must have', () => {
  const { broker } = resolveConfig(
    sidecar({ proof: { audience: 'https://auth.example#prod' } }),
    {},
  )
  expect(broker?.proofAudience).toBe('https://auth.example#prod')
})

/** Everything in a value that could be changed; bytes and URLs cannot be frozen. */
function unfrozen(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if (value instanceof Uint8Array || value instanceof URL) return []
  const inside = Object.entries(value).flatMap(([name, one]) => unfrozen(one, `${path}.${name}`))
  return Object.isFrozen(value) ? inside : [path, ...inside]
}

test('the result is frozen, all the way down', () => {
  const both = [resolveConfig(sidecar(), {}), resolveConfig(clientWith({}), {})]
  expect(both.flatMap((config) => unfrozen(config, 'config'))).toEqual([])
})

test('the document that it is made of stays as it was', () => {
  const document = allInOne()
  const before = JSON.stringify(document)
  resolveConfig(document, { LUMO_LOG_LEVEL: 'debug' })
  expect(JSON.stringify(document)).toBe(before)
})

test('the same document gives the same result again', () => {
  expect(resolveConfig(sidecar(), {})).toEqual(resolveConfig(sidecar(), {}))
})
