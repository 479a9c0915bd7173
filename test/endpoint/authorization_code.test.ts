import { createHash, randomBytes } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuthorizationRequest } from '../../src/endpoint/authorize/issue_code.ts'
import { FakeClock } from '../fakes/clock.ts'
import {
  CALLBACK,
  ISSUER,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { client, docs, files, type Json } from '../fakes/running_authority.ts'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  const without = client('without-refresh', {
    grantTypes: ['authorization_code'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: ['openid'] }],
  })
  const clients = [...peopledClients(await newClientKey()), without]
  world = await peopledAuthority({ clock, tenant: { clients } })
})

afterAll(() => world.stop())

const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')
const aText: unknown = expect.any(String)

/** The claims of an ID token, once jose takes it as one for this client. */
async function verifiedIdToken(answer: Json, clientId: string): Promise<Json> {
  const { json: keys } = await world.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  const { payload } = await jwtVerify(
    String(answer['id_token']),
    createLocalJWKSet(keys as unknown as JSONWebKeySet),
    { issuer: ISSUER, audience: clientId, typ: 'JWT', currentDate: new Date(clock.wall()) },
  )
  return payload
}

const aboutAlice = { name: 'Alice Archer', given_name: 'Alice', family_name: 'Archer' }
const mailOfAlice = { email: 'alice@acme.example', email_verified: true }

const identities = [
  { scope: 'openid', sub: 'user_a', claims: {} },
  { scope: 'openid profile', sub: 'user_a', claims: aboutAlice },
  { scope: 'openid email', sub: 'user_a', claims: mailOfAlice },
  { scope: 'openid profile email', sub: 'user_a', claims: { ...aboutAlice, ...mailOfAlice } },
  {
    scope: 'openid profile email',
    sub: 'user_b',
    claims: { email: 'bob@acme.example', email_verified: false },
  },
]

describe('a code brings', () => {
  for (const { scope, sub, claims } of identities) {
    test(`an ID token of ${sub} that says no more than ${scope}`, async () => {
      const nonce = randomBytes(8).toString('hex')
      const answer = await world.signIn({ scope, nonce }, sub)
      expect(answer).toEqual({
        access_token: aText,
        token_type: 'Bearer',
        expires_in: 3_600,
        scope,
        refresh_token: aText,
        id_token: aText,
      })
      const digest = createHash('sha256').update(String(answer['access_token'])).digest()
      expect(await verifiedIdToken(answer, 'web')).toEqual({
        iss: ISSUER,
        sub,
        aud: 'web',
        iat: clock.now,
        exp: clock.now + 3_600,
        auth_time: clock.now - 30,
        nonce,
        at_hash: digest.subarray(0, 16).toString('base64url'),
        ...claims,
      })
    })
  }

  test('an access token of the user for the client itself', async () => {
    const token = await world.userToken({ scope: 'openid read:reports' })
    expect(decodeJwt(token)).toEqual({
      iss: ISSUER,
      sub: 'user_a',
      aud: 'web',
      client_id: 'web',
      iat: clock.now,
      exp: clock.now + 3_600,
      jti: aText,
      grant_id: aText,
      tenant: 'acme-corp',
      scope: 'openid read:reports',
      auth_time: clock.now - 30,
    })
  })

  test('no nonce where none was given, and no ID token without openid', async () => {
    const answer = await world.signIn({ scope: 'openid' })
    expect(await verifiedIdToken(answer, 'web')).not.toHaveProperty('nonce')
    const plain = await world.signIn({ scope: 'profile email read:reports' })
    expect(Object.keys(plain).toSorted()).toEqual(
      ['access_token', 'expires_in', 'refresh_token', 'scope', 'token_type'].toSorted(),
    )
  })

  test('no refresh token to a client without that grant', async () => {
    const answer = await world.signIn({ clientId: 'without-refresh', scope: 'openid' })
    expect(answer).toHaveProperty('id_token')
    expect(answer).not.toHaveProperty('refresh_token')
  })

  test('may_act where the registration of the client names an actor', async () => {
    const token = await world.userToken({ clientId: 'handing-on' })
    expect(decodeJwt(token)['may_act']).toEqual({ sub: 'agent:specialist', iss: ISSUER })
  })

  test('a narrower scope where the token request asks for it', async () => {
    const code = await world.code({ scope: 'read:documents read:reports' })
    const { json } = await world.redeem(code, { scope: 'read:reports' })
    expect(json['scope']).toBe('read:reports')
  })

  test('its tokens until the second before its end', async () => {
    const code = await world.code()
    clock.advance(599_000)
    expect((await world.redeem(code)).status).toBe(200)
  })
})

describe('a public client', () => {
  const verifier = 'v'.repeat(43)
  const request: Partial<AuthorizationRequest> = {
    clientId: 'spa',
    codeChallenge: s256(verifier),
    codeChallengeMethod: 'S256',
  }
  const native = (port: string) => `http://127.0.0.1${port}/callback`

  for (const redirectUri of ['https://spa.example/callback', native(''), native(':50123')]) {
    test(`has its tokens by the verifier, at ${redirectUri}`, async () => {
      const code = await world.code({ ...request, redirectUri })
      const form = { client_id: 'spa', redirect_uri: redirectUri, code_verifier: verifier }
      const { status, json } = await world.redeem(code, form, {})
      expect(status).toBe(200)
      expect(await verifiedIdToken(json, 'spa')).toMatchObject({ sub: 'user_a' })
      expect(json).toHaveProperty('refresh_token')
    })
  }

  test('has any verifier of 43 to 128 unreserved characters', async () => {
    for (const one of ['-._~'.repeat(11), 'Z9'.repeat(64)]) {
      const redirectUri = native(':1')
      const code = await world.code({ ...request, redirectUri, codeChallenge: s256(one) })
      const form = { client_id: 'spa', redirect_uri: redirectUri, code_verifier: one }
      expect((await world.redeem(code, form, {})).status).toBe(200)
    }
  })

  test('is not alone with PKCE: a client with a secret may use it too', async () => {
    const challenge = { codeChallenge: s256(verifier), codeChallengeMethod: 'S256' }
    const code = await world.code(challenge)
    expect((await world.redeem(code, { code_verifier: verifier })).status).toBe(200)
  })
})

interface ResourceCase {
  readonly name: string
  readonly request: Partial<AuthorizationRequest>
  readonly form: Readonly<Record<string, string>>
  readonly aud: string | readonly string[]
  readonly scope: string
}

const both = { resources: [docs, files], scope: 'openid read:documents' }

const resources: readonly ResourceCase[] = [
  {
    name: 'both resources of the code',
    request: both,
    form: {},
    aud: [docs, files],
    scope: 'read:documents',
  },
  {
    name: 'one resource of the two',
    request: both,
    form: { resource: files },
    aud: files,
    scope: 'read:documents',
  },
  {
    name: 'the one resource of the code, with all that was agreed to there',
    request: { resources: [docs], scope: 'openid write:documents read:documents' },
    form: {},
    aud: docs,
    scope: 'read:documents write:documents',
  },
  {
    name: 'a resource that the code leaves open',
    request: { scope: 'openid read:documents' },
    form: { resource: docs },
    aud: docs,
    scope: 'read:documents',
  },
  {
    name: 'an audience, which is the same',
    request: { scope: 'openid read:documents' },
    form: { audience: docs },
    aud: docs,
    scope: 'read:documents',
  },
]

describe('a token of a code is for', () => {
  for (const { name, request, form, aud, scope } of resources) {
    test(name, async () => {
      const { status, json } = await world.redeem(await world.code(request), form)
      expect({ status, scope: json['scope'] }).toEqual({ status: 200, scope })
      expect(decodeJwt(String(json['access_token']))).toMatchObject({ aud, scope })
      // What is about the user reaches the ID token, whatever the access token is for.
      expect(await verifiedIdToken(json, 'web')).toMatchObject({ sub: 'user_a' })
    })
  }
})
