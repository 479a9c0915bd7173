import { randomInt } from 'node:crypto'
import * as openid from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { ACCESS_TOKEN, docs, JWT, secret, TOKEN_EXCHANGE } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'

const scope = 'openid profile email read:documents'

let served: ServedAuthority

beforeAll(async () => {
  served = await servedAuthority()
})

afterAll(() => served.stop())

/** Signatures of ID tokens are verified too, which the library leaves out where TLS vouches for them. */
function configure(id: string, auth: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(served.issuer), id, {}, auth, {
    execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
  })
}

const asWeb = () => configure('web', openid.ClientSecretBasic(secret))

interface SignIn {
  readonly clientId?: string
  readonly redirectUri?: string
  readonly DPoP?: openid.DPoPHandle
}

/** The code grant with all that the library can check, from the callback on. */
async function signIn(
  config: openid.Configuration,
  { clientId = 'web', redirectUri = CALLBACK, DPoP }: SignIn = {},
) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const [expectedNonce, expectedState] = [openid.randomNonce(), openid.randomState()]
  const code = await served.code({
    clientId,
    redirectUri,
    scope,
    nonce: expectedNonce,
    codeChallenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    codeChallengeMethod: 'S256',
    ...(DPoP && { dpopJkt: await DPoP.calculateThumbprint() }),
  })
  const callback = new URL(redirectUri)
  const { issuer: iss } = config.serverMetadata()
  callback.search = new URLSearchParams({ code, state: expectedState, iss }).toString()
  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }
  return openid.authorizationCodeGrant(
    config,
    callback,
    { ...checks, maxAge: 300 },
    undefined,
    DPoP && { DPoP },
  )
}

test('a user signs in, and the ID token stands up to every check', async () => {
  const config = await asWeb()
  const answer = await signIn(config)
  expect(answer).toMatchObject({ token_type: 'bearer', scope, expires_in: 3_600 })
  expect(answer.claims()).toMatchObject({ sub: 'user_a', name: 'Alice Archer' })
  expect(await openid.fetchUserInfo(config, answer.access_token, 'user_a')).toMatchObject({
    sub: 'user_a',
    email: 'alice@acme.example',
    email_verified: true,
  })
})

test('a refresh token is rotated, can be narrowed, and is the end of its grant when revoked', async () => {
  const config = await asWeb()
  const { refresh_token: first = '' } = await signIn(config)
  const narrow = await openid.refreshTokenGrant(config, first, { scope: 'read:documents' })
  expect(narrow.scope).toBe('read:documents')
  const second = narrow.refresh_token ?? ''
  expect(second).not.toBe(first)
  const whole = await openid.refreshTokenGrant(config, second)
  expect(whole.scope).toBe(scope)
  const last = whole.refresh_token ?? ''
  expect(await openid.tokenIntrospection(config, last)).toMatchObject({ active: true })
  await openid.tokenRevocation(config, last, { token_type_hint: 'refresh_token' })
  for (const token of [last, whole.access_token, narrow.access_token]) {
    expect(await openid.tokenIntrospection(config, token)).toEqual({ active: false })
  }
  await expect(openid.refreshTokenGrant(config, last)).rejects.toMatchObject({
    error: 'invalid_grant',
  })
})

test('a public client with DPoP: code, refresh and userinfo, each past the nonce', async () => {
  const config = await configure('spa', openid.None())
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  // RFC 8252 section 7.3: whatever port the native client got.
  const redirectUri = `http://127.0.0.1:${String(randomInt(49_152, 65_536))}/callback`
  const answer = await signIn(config, { clientId: 'spa', redirectUri, DPoP })
  expect(answer.token_type).toBe('dpop')
  const { cnf } = await served.claimsOf(answer.access_token, 'spa')
  expect(cnf).toEqual({ jkt: await DPoP.calculateThumbprint() })
  expect(await openid.fetchUserInfo(config, answer.access_token, 'user_a', { DPoP })).toMatchObject(
    { sub: 'user_a' },
  )
  const token = answer.refresh_token ?? ''
  await expect(openid.refreshTokenGrant(config, token)).rejects.toMatchObject({
    error: 'invalid_grant',
  })
  const refreshed = await openid.refreshTokenGrant(config, token, {}, { DPoP })
  expect(refreshed.token_type).toBe('dpop')
})

test('private_key_jwt with DPoP: the retry with the nonce has an assertion of its own', async () => {
  const config = await configure('signing', openid.PrivateKeyJwt(served.assertionKey))
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const answer = await openid.clientCredentialsGrant(config, {}, { DPoP })
  expect(answer.token_type).toBe('dpop')
})

test('token exchange: an agent acts for a user who allowed it, with tokens bound to its key', async () => {
  await served.allow('user_a', 'doc-analyst', ['read:documents'])
  const { access_token: subject } = await signIn(await asWeb())
  const config = await configure('doc-analyst', openid.None())
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const exchange = (form: Readonly<Record<string, string>>, handle?: openid.DPoPHandle) =>
    openid.genericGrantRequest(config, TOKEN_EXCHANGE, form, handle && { DPoP: handle })
  const actor = await exchange(
    { subject_token: await served.proof(), subject_token_type: JWT },
    DPoP,
  )
  const form = {
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
    actor_token: actor.access_token,
    actor_token_type: ACCESS_TOKEN,
    resource: docs,
  }
  const answer = await exchange(form, DPoP)
  expect(answer).toMatchObject({ token_type: 'dpop', issued_token_type: ACCESS_TOKEN })
  expect(await served.claimsOf(answer.access_token, docs)).toMatchObject({
    sub: 'user_a',
    scope: 'read:documents',
    act: { sub: 'agent:doc-analyst' },
    cnf: { jkt: await DPoP.calculateThumbprint() },
  })
  // Without the key, the bound actor token is worth nothing.
  await expect(exchange(form)).rejects.toMatchObject({ error: 'invalid_request', status: 400 })
})

test('token exchange: a token is narrowed for a place', async () => {
  const config = await asWeb()
  const { access_token: token } = await signIn(config)
  const answer = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, {
    subject_token: token,
    subject_token_type: ACCESS_TOKEN,
    requested_token_type: ACCESS_TOKEN,
    audience: docs,
  })
  expect(await served.claimsOf(answer.access_token, docs)).toMatchObject({
    sub: 'user_a',
    client_id: 'web',
    scope: 'read:documents',
  })
})
