import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock, unixSeconds } from '../../src/platform/clock.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { client, runAuthority, secret, type TestAuthority } from '../fakes/running_authority.ts'

const algorithms = ['RS256', 'ES256', 'PS256', 'EdDSA'] as const
const insecure = { [oauth.allowInsecureRequests]: true }
const web = { client_id: 'web' }

let door: FrontDoor
let authority: TestAuthority

/** One tenant for each algorithm. */
beforeAll(async () => {
  door = await frontDoor()
  authority = await runAuthority({
    origin: door.origin,
    clock: systemClock,
    tenants: () =>
      algorithms.map((algorithm) => ({
        slug: algorithm.toLowerCase(),
        algorithm,
        clients: [
          client('web', {
            grantTypes: ['authorization_code'],
            redirectUris: [CALLBACK],
            grants: [{ scopes: ['openid'] }],
          }),
        ],
        users: [{ sub: 'user_a' }],
      })),
  })
  door.leadTo(authority.port)
})

afterAll(async () => {
  await authority.stop()
  await door.close()
})

test.each(algorithms)('an ID token of a tenant with %s: at_hash, nonce, signature', async (alg) => {
  const url = new URL(`${door.origin}/t/${alg.toLowerCase()}/api/v1`)
  const server = await oauth.processDiscoveryResponse(
    url,
    await oauth.discoveryRequest(url, insecure),
  )
  const [verifier, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce()]
  const code = await authority.running.issueCode(
    alg.toLowerCase(),
    {
      clientId: 'web',
      redirectUri: CALLBACK,
      scope: 'openid',
      nonce,
      codeChallenge: await oauth.calculatePKCECodeChallenge(verifier),
      codeChallengeMethod: 'S256',
    },
    { sub: 'user_a', authTime: unixSeconds(systemClock) },
  )
  if (typeof code !== 'string') throw new Error('no code')
  const callback = new URLSearchParams({ code, iss: server.issuer })
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    web,
    oauth.ClientSecretBasic(secret),
    oauth.validateAuthResponse(server, web, callback, oauth.expectNoState),
    CALLBACK,
    verifier,
    insecure,
  )
  const answer = await oauth.processAuthorizationCodeResponse(server, web, response, {
    expectedNonce: nonce,
    requireIdToken: true,
  })
  await oauth.validateApplicationLevelSignature(server, response, insecure)
  expect(oauth.getValidatedIdTokenClaims(answer)).toMatchObject({
    sub: 'user_a',
    at_hash: expect.stringMatching(alg === 'EdDSA' ? /^[\w-]{43}$/ : /^[\w-]{22}$/) as string,
  })
})
