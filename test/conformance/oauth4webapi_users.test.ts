import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { ACCESS_TOKEN, docs, JWT, secret, TOKEN_EXCHANGE } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'

const scope = 'openid profile email read:documents'
const insecure = { [oauth.allowInsecureRequests]: true }
const web = { client_id: 'web' }
const asWeb = oauth.ClientSecretBasic(secret)
const spa: oauth.Client = { client_id: 'spa' }
const spaCallback = 'https://spa.example/callback'

let served: ServedAuthority
let server: oauth.AuthorizationServer

beforeAll(async () => {
  served = await servedAuthority()
  const url = new URL(served.issuer)
  server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
})

afterAll(() => served.stop())

const newHandle = async (client: oauth.Client): Promise<oauth.DPoPHandle> =>
  oauth.DPoP(client, await oauth.generateKeyPair('ES256'))

/** As the library's own documentation has it: the nonce comes with the refusal, and the request is made again. */
async function pastNonce<T>(ask: () => Promise<Response>, read: (_: Response) => Promise<T>) {
  await expect(read(await ask())).rejects.toSatisfy(oauth.isDPoPNonceError)
  return read(await ask())
}

interface Callback {
  readonly parameters: URLSearchParams
  readonly verifier: string
  readonly nonce: string
}

/** What the user's browser brings back. */
async function callbackOf(
  client: oauth.Client,
  redirectUri: string,
  DPoP?: oauth.DPoPHandle,
): Promise<Callback> {
  const [verifier, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce()]
  const state = oauth.generateRandomState()
  const code = await served.code({
    clientId: client.client_id,
    redirectUri,
    scope,
    nonce,
    codeChallenge: await oauth.calculatePKCECodeChallenge(verifier),
    codeChallengeMethod: 'S256',
    ...(DPoP && { dpopJkt: await DPoP.calculateThumbprint() }),
  })
  const answer = new URLSearchParams({ code, state, iss: server.issuer })
  const url = new URL(`${redirectUri}?${answer.toString()}`)
  return { parameters: oauth.validateAuthResponse(server, client, url, state), verifier, nonce }
}

async function signInAtWeb(): Promise<oauth.TokenEndpointResponse> {
  const { parameters, verifier, nonce } = await callbackOf(web, CALLBACK)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    web,
    asWeb,
    parameters,
    CALLBACK,
    verifier,
    insecure,
  )
  return readCodeAnswer(web, response, nonce)
}

async function readCodeAnswer(client: oauth.Client, response: Response, nonce: string) {
  const answer = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce,
    requireIdToken: true,
    maxAge: 300,
  })
  await oauth.validateApplicationLevelSignature(server, response, insecure)
  return answer
}

async function introspect(client: oauth.Client, auth: oauth.ClientAuth, token: string) {
  const response = await oauth.introspectionRequest(server, client, auth, token, insecure)
  return oauth.processIntrospectionResponse(server, client, response)
}

test('a user signs in, and the ID token stands up to every check', async () => {
  const answer = await signInAtWeb()
  expect(answer).toMatchObject({ token_type: 'bearer', scope, expires_in: 3_600 })
  const claims = oauth.getValidatedIdTokenClaims(answer)
  expect(claims).toMatchObject({ iss: served.issuer, sub: 'user_a', email: 'alice@acme.example' })
  expect(claims?.['at_hash']).toBeTypeOf('string')
  const response = await oauth.userInfoRequest(server, web, answer.access_token, insecure)
  expect(await oauth.processUserInfoResponse(server, web, 'user_a', response)).toMatchObject({
    name: 'Alice Archer',
  })
})

test('a refresh token is rotated, introspected and revoked', async () => {
  const { refresh_token: first = '' } = await signInAtWeb()
  const response = await oauth.refreshTokenGrantRequest(server, web, asWeb, first, insecure)
  const answer = await oauth.processRefreshTokenResponse(server, web, response)
  const { refresh_token: second = '', access_token: accessToken } = answer
  expect(second).not.toBe(first)
  expect(await introspect(web, asWeb, second)).toMatchObject({ active: true, sub: 'user_a' })
  const auditor = { client_id: 'auditor' }
  const asAuditor = oauth.ClientSecretPost(secret)
  expect(await introspect(auditor, asAuditor, accessToken)).toMatchObject({
    active: true,
    client_id: 'web',
    username: 'alice@acme.example',
  })
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, web, asWeb, second, insecure),
  )
  expect(await introspect(web, asWeb, second)).toEqual({ active: false })
  expect(await introspect(auditor, asAuditor, accessToken)).toEqual({ active: false })
  const late = await oauth.refreshTokenGrantRequest(server, web, asWeb, second, insecure)
  await expect(oauth.processRefreshTokenResponse(server, web, late)).rejects.toMatchObject({
    code: oauth.RESPONSE_BODY_ERROR,
    error: 'invalid_grant',
  })
})

test('a public client with DPoP: code, refresh and userinfo', async () => {
  const keys = await oauth.generateKeyPair('ES256')
  const DPoP = oauth.DPoP(spa, keys)
  const options = { DPoP, ...insecure }
  const { parameters, verifier, nonce } = await callbackOf(spa, spaCallback, DPoP)
  const answer = await pastNonce(
    () =>
      oauth.authorizationCodeGrantRequest(
        server,
        spa,
        oauth.None(),
        parameters,
        spaCallback,
        verifier,
        options,
      ),
    (response) => readCodeAnswer(spa, response, nonce),
  )
  expect(answer.token_type).toBe('dpop')
  const refreshToken = answer.refresh_token ?? ''
  // The nonce of the last answer is remembered and good here.
  const response = await oauth.refreshTokenGrantRequest(
    server,
    spa,
    oauth.None(),
    refreshToken,
    options,
  )
  const refreshed = await oauth.processRefreshTokenResponse(server, spa, response)
  const read = (info: Response) => oauth.processUserInfoResponse(server, spa, 'user_a', info)
  const askBy = (handle: oauth.DPoPHandle) => () =>
    oauth.userInfoRequest(server, spa, refreshed.access_token, { DPoP: handle, ...insecure })
  // The same key in another process, which knows no nonce yet.
  const elsewhere = oauth.DPoP(spa, keys)
  expect(await pastNonce(askBy(elsewhere), read)).toMatchObject({ sub: 'user_a' })
  const thief = await newHandle(spa)
  await expect(pastNonce(askBy(thief), read)).rejects.toMatchObject({
    code: oauth.WWW_AUTHENTICATE_CHALLENGE,
    status: 401,
    cause: [{ scheme: 'dpop', parameters: { error: 'invalid_token' } }],
  })
})

test('private_key_jwt at each endpoint', async () => {
  const signing = { client_id: 'signing' }
  const auth = oauth.PrivateKeyJwt(served.assertionKey)
  const options = { DPoP: await newHandle(signing), ...insecure }
  const answer = await pastNonce(
    () => oauth.clientCredentialsGrantRequest(server, signing, auth, {}, options),
    (response) => oauth.processClientCredentialsResponse(server, signing, response),
  )
  expect(await introspect(signing, auth, answer.access_token)).toMatchObject({
    active: true,
    token_type: 'DPoP',
    cnf: { jkt: await options.DPoP.calculateThumbprint() },
  })
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, signing, auth, answer.access_token, insecure),
  )
  expect(await introspect(signing, auth, answer.access_token)).toEqual({ active: false })
})

test('token exchange: an agent acts for a user who allowed it, with tokens bound to its key', async () => {
  await served.allow('user_a', 'doc-analyst', ['read:documents'])
  const agent = { client_id: 'doc-analyst' }
  const options = { DPoP: await newHandle(agent), ...insecure }
  const exchange = (form: Readonly<Record<string, string>>) =>
    oauth.genericTokenEndpointRequest(server, agent, oauth.None(), TOKEN_EXCHANGE, form, options)
  const read = (response: Response) =>
    oauth.processGenericTokenEndpointResponse(server, agent, response)
  const proof = await served.proof()
  const actor = await pastNonce(
    () => exchange({ subject_token: proof, subject_token_type: JWT }),
    read,
  )
  const response = await exchange({
    subject_token: (await signInAtWeb()).access_token,
    subject_token_type: ACCESS_TOKEN,
    actor_token: actor.access_token,
    actor_token_type: ACCESS_TOKEN,
    resource: docs,
  })
  const answer = await read(response)
  expect(answer).toMatchObject({ token_type: 'dpop', issued_token_type: ACCESS_TOKEN })
  expect(await served.claimsOf(answer.access_token, docs)).toMatchObject({
    sub: 'user_a',
    act: { sub: 'agent:doc-analyst' },
    cnf: { jkt: await options.DPoP.calculateThumbprint() },
  })
})
