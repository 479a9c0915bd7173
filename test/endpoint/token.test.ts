import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import {
  ACCESS_TOKEN,
  basic,
  client,
  credentials,
  exchangeOf,
  FORM,
  JSON_BODY,
  JWT,
  runAuthority,
  secret,
  secretHash,
  standardTenants,
  TOKEN_PATH,
  type Answer,
  type HttpWish,
  type Json,
  type TestAuthority,
  type TenantNeeds,
} from '../fakes/running_authority.ts'

const ORGS_PATH = '/orgs/acme-corp/api/v1/oauth/token'
const ISSUER = 'https://auth.example/t/acme-corp/api/v1'
const aUuid: unknown = expect.stringMatching(
  /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
)
const aJws: unknown = expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/)
const oddSecret = 'p:a%s s+wörd&='

const clock = new FakeClock()
let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority({ clock, tenants })
})

afterAll(async () => {
  await authority.stop()
})

async function tenants(needs: TenantNeeds): Promise<readonly Json[]> {
  const [acme = {}, globex = {}] = await standardTenants(needs)
  const more = [
    { id: 'odd', secretHashes: [secretHash(oddSecret), secretHash('its-next-secret')] },
    client('short-lived', { lifetime: 60, grants: [{ scopes: ['read:reports'] }] }),
  ]
  return [{ ...acme, clients: [...(acme['clients'] as Json[]), ...more] }, globex]
}

const cc = { grant_type: 'client_credentials' }
const form = (fields: Readonly<Record<string, string>>) => new URLSearchParams(fields).toString()
const byBasic = basic('reporter', secret)

function post(body: string, headers: Readonly<Record<string, string>>, path = TOKEN_PATH) {
  return { method: 'POST', path, headers, body }
}

/** What `jose` makes of an access token, by the keys that discovery names. */
async function verified(answer: Answer, audience: string | string[], tenant = 'acme-corp') {
  const issuer = `https://auth.example/t/${tenant}/api/v1`
  const at = new URL(`${issuer}/.well-known/openid-configuration`).pathname
  const { json: metadata } = await authority.send({ path: at })
  const keys = await authority.send({ path: new URL(String(metadata['jwks_uri'])).pathname })
  return jwtVerify(
    String(answer.json['access_token']),
    createLocalJWKSet(keys.json as unknown as JSONWebKeySet),
    { issuer, audience, typ: 'at+jwt', currentDate: new Date(clock.wall()) },
  )
}

const shown: readonly (HttpWish & { readonly name: string })[] = [TOKEN_PATH, ORGS_PATH].flatMap(
  (path) => [
    { name: `Basic and a form at ${path}`, ...post(form(cc), { ...FORM, ...byBasic }, path) },
    {
      name: `Basic and JSON at ${path}`,
      ...post(JSON.stringify(cc), { ...JSON_BODY, ...byBasic }, path),
    },
    { name: `post and a form at ${path}`, ...post(form(credentials()), FORM, path) },
    { name: `post and JSON at ${path}`, ...post(JSON.stringify(credentials()), JSON_BODY, path) },
  ],
)

const spelled: readonly (HttpWish & { readonly name: string })[] = [
  {
    name: 'a scheme in small letters',
    ...post(form(cc), { ...FORM, authorization: byBasic.authorization.replace('Basic', 'bAsIc') }),
  },
  {
    name: 'Basic and an equal client_id',
    ...post(form({ ...cc, client_id: 'reporter' }), { ...FORM, ...byBasic }),
  },
  {
    name: 'empty parameters',
    ...post(
      form({ ...cc, scope: '', audience: '', resource: '', client_secret: '', code: '', x: '' }),
      { ...FORM, ...byBasic },
    ),
  },
  {
    name: 'empty members of JSON, and empty lists',
    ...post(
      JSON.stringify({ ...credentials(), scope: '', audience: [], resource: [''] }),
      JSON_BODY,
    ),
  },
  { name: 'unknown parameters', ...post(form(credentials({ foo: 'bar', 'a.b[c]': '' })), FORM) },
  { name: 'an empty query', ...post(form(credentials()), FORM, `${TOKEN_PATH}?`) },
  {
    name: 'a tenant in percent signs',
    ...post(form(credentials()), FORM, TOKEN_PATH.replace('-', '%2D')),
  },
  ...[
    'application/x-www-form-urlencoded; charset=utf-8',
    'Application/X-WWW-Form-URLEncoded;charset="UTF-8"',
    'application/x-www-form-urlencoded ; charset=UTF-8',
    'application/x-www-form-urlencoded;',
  ].map((type) => ({
    name: `type ${type}`,
    ...post(form(credentials()), { 'content-type': type }),
  })),
]

for (const { name, ...wish } of [...shown, ...spelled]) {
  test(`client_credentials: ${name}`, async () => {
    const answer = await authority.send(wish)
    expect(answer.json).toEqual({
      access_token: aJws,
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'read:reports write:data',
    })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json(; charset=utf-8)?$/)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers.pragma).toBe('no-cache')
  })
}

const secrets = [
  { name: 'form-encoded', password: encodeURIComponent(oddSecret).replaceAll('%20', '+') },
  { name: 'with %20 for a space', password: encodeURIComponent(oddSecret) },
  { name: 'the next one, while it is replaced', password: 'its-next-secret' },
]

for (const { name, password } of secrets) {
  test(`a secret by Basic: ${name}`, async () => {
    expect((await authority.post(cc, basic('odd', password))).status).toBe(200)
  })
}

test('a secret with every odd character, by post', async () => {
  const answer = await authority.post({ ...cc, client_id: 'odd', client_secret: oddSecret })
  expect(answer.json).toMatchObject({ token_type: 'Bearer', scope: '' })
})

test('a token of a client has exactly these claims', async () => {
  const { payload, protectedHeader } = await verified(
    await authority.post(credentials()),
    'reporter',
  )
  expect(payload).toEqual({
    iss: ISSUER,
    sub: 'reporter',
    aud: 'reporter',
    client_id: 'reporter',
    iat: clock.now,
    exp: clock.now + 3_600,
    jti: aUuid,
    grant_id: aUuid,
    tenant: 'acme-corp',
    scope: 'read:reports write:data',
  })
  const { json } = await authority.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  const [key] = json['keys'] as readonly Json[]
  expect(protectedHeader).toEqual({ alg: 'RS256', typ: 'at+jwt', kid: key?.['kid'] })
})

test('a token of an agent has exactly these claims', async () => {
  const answer = await authority.post(exchangeOf(await authority.cluster.token()))
  expect(answer.json).toEqual({
    access_token: aJws,
    token_type: 'Bearer',
    expires_in: 1800,
    scope: 'agent:self',
    issued_token_type: ACCESS_TOKEN,
  })
  const { payload } = await verified(answer, 'doc-analyst')
  expect(payload).toEqual({
    iss: ISSUER,
    sub: 'agent:doc-analyst',
    aud: 'doc-analyst',
    client_id: 'doc-analyst',
    iat: clock.now,
    exp: clock.now + 1_800,
    jti: aUuid,
    grant_id: aUuid,
    tenant: 'acme-corp',
    scope: 'agent:self',
    identity_type: 'agent',
    agent_id: expect.stringMatching(/^agt_[0-9a-f]{24}$/) as unknown,
    agent_name: 'doc-analyst',
  })
})

const exchanges = [
  { name: 'without more', more: {}, type: ACCESS_TOKEN },
  { name: 'for an access token', more: { requested_token_type: ACCESS_TOKEN }, type: ACCESS_TOKEN },
  { name: 'for a JWT', more: { requested_token_type: JWT }, type: JWT },
  {
    name: 'with the client_id of the agent',
    more: { client_id: 'doc-analyst' },
    type: ACCESS_TOKEN,
  },
  ...['kubernetes', 'prod', 'https://cluster.example'].map((issuer) => ({
    name: `with subject_issuer ${issuer}`,
    more: { subject_issuer: issuer },
    type: ACCESS_TOKEN,
  })),
]

for (const { name, more, type } of exchanges) {
  for (const path of [TOKEN_PATH, ORGS_PATH]) {
    test(`exchange ${name}, as a form and as JSON, at ${path}`, async () => {
      const wish = exchangeOf(await authority.cluster.token(), more)
      for (const sent of [
        post(form(wish), FORM, path),
        post(JSON.stringify(wish), JSON_BODY, path),
      ]) {
        const answer = await authority.send(sent)
        expect(answer.json['issued_token_type']).toBe(type)
        expect((await verified(answer, 'doc-analyst')).payload.sub).toBe('agent:doc-analyst')
        expect(answer.headers['cache-control']).toBe('no-store')
      }
    })
  }
}

for (const agent of ['first-of-two', 'second-of-two']) {
  test(`client_id tells which of two agents is meant: ${agent}`, async () => {
    const proof = await authority.cluster.token({
      claims: { sub: 'system:serviceaccount:research:shared' },
      bound: { serviceaccount: { name: 'shared', uid: '44444444-4444-4444-4444-444444444444' } },
    })
    const answer = await authority.post(exchangeOf(proof, { client_id: agent }))
    expect((await verified(answer, agent)).payload.sub).toBe(`agent:${agent}`)
    expect(answer.json['scope']).toBe('')
  })
}

const { now } = clock
const lives = [
  { name: 'ten minutes', claims: { exp: now + 600 } },
  { name: 'one second', claims: { iat: now - 600, nbf: now - 600, exp: now + 1 } },
  { name: 'less than nothing, within the leeway', claims: { iat: now - 600, exp: now - 29 } },
  { name: 'a day', claims: { exp: now + 86_400 } },
]

for (const { name, claims } of lives) {
  test(`a token lives as long as its rule says when its proof has left ${name}`, async () => {
    const answer = await authority.post(exchangeOf(await authority.cluster.token({ claims })))
    expect(answer.json['expires_in']).toBe(1_800)
    expect((await verified(answer, 'doc-analyst')).payload.exp).toBe(now + 1_800)
  })
}

test('a client has the lifetime that is its own', async () => {
  const answer = await authority.post(credentials({ client_id: 'short-lived' }))
  expect(answer.json['expires_in']).toBe(60)
  expect((await verified(answer, 'short-lived')).payload.exp).toBe(now + 60)
})

test('no two tokens share a jti or a grant_id', async () => {
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => authority.post(credentials({ scope: 'read:reports' }))),
  )
  const ids = await Promise.all(
    answers.map(async (answer) => {
      const { payload } = await verified(answer, 'reporter')
      return [payload.jti, payload['grant_id']]
    }),
  )
  expect(new Set(ids.flat()).size).toBe(80)
})

test('tenants share neither issuer nor keys', async () => {
  const answer = await authority.send(
    post(form(credentials({ client_id: 'globex-reporter' })), FORM, '/t/globex/api/v1/oauth/token'),
  )
  const { payload, protectedHeader } = await verified(answer, 'globex-reporter', 'globex')
  expect(payload).toMatchObject({ iss: 'https://auth.example/t/globex/api/v1', tenant: 'globex' })
  expect(protectedHeader.alg).toBe('ES256')
  await expect(verified(answer, 'globex-reporter')).rejects.toMatchObject({
    code: 'ERR_JWKS_NO_MATCHING_KEY',
  })
})
