import * as openid from 'openid-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CALLBACK, NATIVE_CALLBACK } from '../fakes/peopled_authority.ts'
import { secret } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'
import { addCarol, CAROL, throughPages } from './through_pages.ts'

const scope = 'openid profile email read:documents'

let served: ServedAuthority

beforeAll(async () => {
  served = await servedAuthority()
  await addCarol(served)
})

afterAll(() => served.stop())

function configure(id: string, auth: openid.ClientAuth): Promise<openid.Configuration> {
  return openid.discovery(new URL(served.issuer), id, {}, auth, {
    execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks],
  })
}

/** What the library sends, and what it will check. */
async function prepare(redirectUri: string) {
  const pkceCodeVerifier = openid.randomPKCECodeVerifier()
  const [expectedNonce, expectedState] = [openid.randomNonce(), openid.randomState()]
  const parameters = {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    max_age: '300',
  }
  const checks = { pkceCodeVerifier, expectedNonce, expectedState, idTokenExpected: true }
  return { parameters, checks: { ...checks, maxAge: 300 } }
}

test('a person signs in through the pages, with PKCE', async () => {
  const config = await configure('web', openid.ClientSecretBasic(secret))
  const { parameters, checks } = await prepare(CALLBACK)
  const callback = await throughPages(served, openid.buildAuthorizationUrl(config, parameters))
  const answer = await openid.authorizationCodeGrant(config, callback, checks)
  expect(answer.claims()).toMatchObject({ sub: CAROL, email: 'carol@example.com' })
  expect(await openid.fetchUserInfo(config, answer.access_token, CAROL)).toMatchObject({
    name: 'Carol',
  })
})

test('with PKCE, PAR and DPoP, by a public client', async () => {
  const config = await configure('spa', openid.None())
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const { parameters, checks } = await prepare(NATIVE_CALLBACK)
  const url = await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  expect([...url.searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
  const callback = await throughPages(served, url)
  const answer = await openid.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
  expect(answer.token_type).toBe('dpop')
  const { cnf } = await served.claimsOf(answer.access_token, 'spa')
  expect(cnf).toEqual({ jkt: await DPoP.calculateThumbprint() })
})

test('a code that was bound to a key by PAR is nothing to another key', async () => {
  const config = await configure('spa', openid.None())
  const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  const { parameters, checks } = await prepare(NATIVE_CALLBACK)
  const url = await openid.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
  const callback = await throughPages(served, url)
  const other = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
  await expect(
    openid.authorizationCodeGrant(config, callback, checks, undefined, { DPoP: other }),
  ).rejects.toMatchObject({ error: 'invalid_grant' })
})

test('an answer of another issuer is refused by the library, which knows ours by its name', async () => {
  const config = await configure('web', openid.ClientSecretBasic(secret))
  const { parameters, checks } = await prepare(CALLBACK)
  const callback = await throughPages(served, openid.buildAuthorizationUrl(config, parameters))
  callback.searchParams.set('iss', 'https://evil.example')
  await expect(openid.authorizationCodeGrant(config, callback, checks)).rejects.toThrow(/response/)
})
