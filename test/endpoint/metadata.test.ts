import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  client,
  credentials,
  exchangeOf,
  runAuthority,
  standardTenants,
  type Json,
  type TenantNeeds,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority
/** With acme-corp as the tenant whose issuer is the bare origin, and a tenant for each algorithm. */
let designated: TestAuthority

beforeAll(async () => {
  authority = await runAuthority()
  designated = await runAuthority({ tenants: atOrigin })
})

afterAll(async () => {
  await authority.stop()
  await designated.stop()
})

async function atOrigin(needs: TenantNeeds): Promise<readonly Json[]> {
  const [acme = {}] = await standardTenants(needs)
  const others = ['RS256', 'ES256', 'PS256', 'EdDSA'].map((algorithm) => ({
    slug: algorithm.toLowerCase(),
    algorithm,
    clients: [client('reporter')],
  }))
  return [{ ...acme, issuer: 'origin' }, ...others]
}

const documents = ['openid-configuration', 'oauth-authorization-server']
const prefixesOf = (slug: string) => [`/t/${slug}/api/v1`, `/orgs/${slug}/api/v1`]

/** Where clients compute the place of a tenant's metadata: under its path, and inserted before it. */
const placesOf = (slug: string) =>
  prefixesOf(slug).flatMap((prefix) =>
    documents.flatMap((name) => [`${prefix}/.well-known/${name}`, `/.well-known/${name}${prefix}`]),
  )
const keyPlacesOf = (slug: string) =>
  prefixesOf(slug).map((prefix) => `${prefix}/.well-known/jwks.json`)
const rootPlaces = documents.map((name) => `/.well-known/${name}`)

const confidential = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
const assertionAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
]

function metadataOf(slug: string, issuer: string, algorithm: string): Json {
  const base = `https://auth.example/t/${slug}/api/v1`
  return {
    issuer,
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    userinfo_endpoint: `${base}/oauth/userinfo`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    pushed_authorization_request_endpoint: `${base}/oauth/par`,
    require_pushed_authorization_requests: false,
    request_uri_parameter_supported: false,
    end_session_endpoint: `${base}/oauth/logout`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [algorithm],
    grant_types_supported: [
      'authorization_code',
      'client_credentials',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:token-exchange',
    ],
    token_endpoint_auth_methods_supported: [...confidential, 'none'],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    introspection_endpoint_auth_methods_supported: confidential,
    introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    revocation_endpoint_auth_methods_supported: [...confidential, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: ['ES256', 'PS256', 'RS256', 'EdDSA'],
    claims_supported: expect.arrayContaining(['sub', 'nonce', 'at_hash', 'email']) as unknown,
    resource_indicators_supported: true,
  }
}

async function expectPublished(from: TestAuthority, path: string, document: Json): Promise<void> {
  const { status, headers, json } = await from.send({ path })
  expect(json).toEqual(document)
  expect(status).toBe(200)
  expect(headers['content-type']).toMatch(/^application\/json\b/)
  expect(headers['cache-control']).toBe('public, max-age=300')
  expect(headers['access-control-allow-origin']).toBe('*')
}

async function expectNoTenant(from: TestAuthority, path: string): Promise<void> {
  const { status, headers, json } = await from.send({ path })
  expect({ status, json }).toEqual({
    status: 404,
    json: { error: 'invalid_tenant', error_description: 'There is no such tenant.' },
  })
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(headers['cache-control']).not.toBe('public, max-age=300')
}

describe('metadata', () => {
  for (const [slug, algorithm] of [
    ['acme-corp', 'RS256'],
    ['globex', 'ES256'],
  ] as const) {
    for (const path of placesOf(slug)) {
      test(`${path} is that of the tenant`, async () => {
        const issuer = `https://auth.example/t/${slug}/api/v1`
        await expectPublished(authority, path, metadataOf(slug, issuer, algorithm))
      })
    }
  }

  for (const path of [...rootPlaces, ...placesOf('acme-corp')]) {
    test(`${path} is that of the tenant whose issuer is the origin`, async () => {
      const document = metadataOf('acme-corp', 'https://auth.example', 'RS256')
      await expectPublished(designated, path, document)
    })
  }

  for (const path of [
    ...rootPlaces,
    '/.well-known/jwks.json',
    ...placesOf('nobody'),
    ...keyPlacesOf('nobody'),
    ...placesOf('__proto__'),
    ...keyPlacesOf('Acme-Corp'),
  ]) {
    test(`${path} has no tenant`, async () => {
      await expectNoTenant(authority, path)
    })
  }

  test('HEAD has the headers of GET and no body', async () => {
    const path = placesOf('acme-corp')[0] ?? ''
    const { status, headers, text } = await authority.send({ method: 'HEAD', path })
    expect({ status, cache: headers['cache-control'], text }).toEqual({
      status: 200,
      cache: 'public, max-age=300',
      text: '',
    })
  })
})

/** RFC 7517, RFC 7518 section 6, RFC 8037 section 2: what a public key has, and nothing of a private one. */
const publicMembers: Readonly<Record<string, readonly string[]>> = {
  rs256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  ps256: ['alg', 'e', 'kid', 'kty', 'n', 'use'],
  es256: ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
  eddsa: ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
}

describe('key sets', () => {
  for (const [slug, members] of Object.entries(publicMembers)) {
    for (const path of keyPlacesOf(slug)) {
      test(`${path} has one public key and no private member`, async () => {
        const { json } = await designated.send({ path })
        const keys = json['keys'] as readonly Json[]
        expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([members])
        await expectPublished(designated, path, json)
      })
    }
  }

  test('every place of a tenant has the same keys, and another tenant has others', async () => {
    const [mine, alias, root, other] = await Promise.all(
      [
        ...keyPlacesOf('acme-corp'),
        '/.well-known/jwks.json',
        '/t/rs256/api/v1/.well-known/jwks.json',
      ].map(async (path) => (await designated.send({ path })).text),
    )
    expect([alias, root]).toEqual([mine, mine])
    expect(other).not.toBe(mine)
  })
})

describe('the tenant whose issuer is the origin', () => {
  const proof = (aud: string) => designated.cluster.token({ claims: { aud: [aud] } })
  const claimsOf = ({ json }: { json: Json }): Json => {
    const payload = String(json['access_token']).split('.')[1] ?? ''
    return JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as Json
  }

  test('its tokens name the origin, and its proofs are made for it', async () => {
    const answer = await designated.post(exchangeOf(await proof('https://auth.example')))
    expect(claimsOf(answer)).toMatchObject({ iss: 'https://auth.example', tenant: 'acme-corp' })
  })

  test('a proof for its path is refused', async () => {
    const made = await proof('https://auth.example/t/acme-corp/api/v1')
    expect((await designated.post(exchangeOf(made))).json['code']).toBe('workload_identity_failed')
  })

  test('other tenants beside it keep their path', async () => {
    const answer = await designated.send({
      method: 'POST',
      path: '/orgs/es256/api/v1/oauth/token',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(credentials()),
    })
    expect(claimsOf(answer)['iss']).toBe('https://auth.example/t/es256/api/v1')
  })
})
