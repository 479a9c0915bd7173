import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { secret } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'
import { addCarol, CAROL, throughPages } from './through_pages.ts'

const insecure = { [oauth.allowInsecureRequests]: true }
const client: oauth.Client = { client_id: 'web' }
const auth = oauth.ClientSecretBasic(secret)

let served: ServedAuthority

beforeAll(async () => {
  served = await servedAuthority()
  await addCarol(served)
})

afterAll(() => served.stop())

/** Once more with the nonce, if that is what was wrong (RFC 9449 section 8). */
async function withNonce<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (oauth.isDPoPNonceError(error)) return ask()
    throw error
  }
}

test('the code flow with PKCE, PAR and DPoP, through the pages', async () => {
  const issuer = new URL(served.issuer)
  const found = await oauth.discoveryRequest(issuer, insecure)
  const as = await oauth.processDiscoveryResponse(issuer, found)
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256', { extractable: false }))
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const parameters = new URLSearchParams({
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid email',
    state,
    nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  })
  const pushed = await withNonce(async () => {
    const options = { DPoP, ...insecure }
    const answer = await oauth.pushedAuthorizationRequest(as, client, auth, parameters, options)
    return oauth.processPushedAuthorizationResponse(as, client, answer)
  })
  const url = new URL(as.authorization_endpoint ?? '')
  url.searchParams.set('client_id', client.client_id)
  url.searchParams.set('request_uri', pushed.request_uri)
  const callback = await throughPages(served, url)
  const validated = oauth.validateAuthResponse(as, client, callback, state)
  const tokens = await withNonce(async () => {
    const options = { DPoP, ...insecure }
    const answer = await oauth.authorizationCodeGrantRequest(
      as,
      client,
      auth,
      validated,
      CALLBACK,
      verifier,
      options,
    )
    const expected = { expectedNonce: nonce, requireIdToken: true }
    return oauth.processAuthorizationCodeResponse(as, client, answer, expected)
  })
  expect(tokens.token_type).toBe('dpop')
  expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).toBe(CAROL)
  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, {
    DPoP,
    ...insecure,
  })
  const claims = await oauth.processUserInfoResponse(as, client, CAROL, userinfo)
  expect(claims.email).toBe('carol@example.com')
})
