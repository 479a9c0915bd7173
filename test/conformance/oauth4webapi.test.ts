import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { docs, files, JWT, secret, TOKEN_EXCHANGE } from '../fakes/running_authority.ts'
import { issuerPlaces, odd, servedAuthority, type ServedAuthority } from './served_authority.ts'

const methods = {
  ClientSecretBasic: oauth.ClientSecretBasic,
  ClientSecretPost: oauth.ClientSecretPost,
}
const insecure = { [oauth.allowInsecureRequests]: true }
const profiles = ['oidc', 'oauth2'] as const

describe.each(issuerPlaces)('oauth4webapi, issuer by %s', (place) => {
  let served: ServedAuthority

  beforeAll(async () => {
    served = await servedAuthority(place)
  })

  afterAll(() => served.stop())

  const discover = async (
    algorithm: (typeof profiles)[number] = 'oauth2',
  ): Promise<oauth.AuthorizationServer> => {
    const url = new URL(served.issuer)
    const response = await oauth.discoveryRequest(url, { algorithm, ...insecure })
    return oauth.processDiscoveryResponse(url, response)
  }

  describe.each(profiles)('discovery as %s', (profile) => {
    test.each(Object.entries(methods))('client_credentials by %s', async (_, method) => {
      const server = await discover(profile)
      const client = { client_id: 'web' }
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        method(secret),
        new URLSearchParams([
          ['resource', docs],
          ['resource', files],
        ]),
        insecure,
      )
      const answer = await oauth.processClientCredentialsResponse(server, client, response)
      expect(answer).toMatchObject({ token_type: 'bearer', scope: 'read:documents' })
      const claims = await served.claimsOf(answer.access_token, docs)
      expect(claims.aud).toEqual([docs, files])
    })

    test.each(Object.entries(methods))('a secret of odd characters by %s', async (_, method) => {
      const server = await discover(profile)
      const client = { client_id: odd.id }
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        method(odd.secret),
        {},
        insecure,
      )
      const answer = await oauth.processClientCredentialsResponse(server, client, response)
      expect(answer.token_type).toBe('bearer')
    })

    test('token exchange by the proof alone', async () => {
      const server = await discover(profile)
      const client = { client_id: 'doc-analyst' }
      const response = await oauth.genericTokenEndpointRequest(
        server,
        client,
        oauth.None(),
        TOKEN_EXCHANGE,
        {
          subject_token: await served.proof(),
          subject_token_type: JWT,
          requested_token_type: JWT,
        },
        insecure,
      )
      const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
      expect(answer).toMatchObject({
        token_type: 'bearer',
        issued_token_type: JWT,
        expires_in: 3_600,
        scope: 'agent:self',
      })
      const claims = await served.claimsOf(answer.access_token, 'doc-analyst')
      expect(claims.sub).toBe('agent:doc-analyst')
    })
  })

  test('a wrong secret by Basic is read as a challenge', async () => {
    const server = await discover()
    const client = { client_id: 'web' }
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic('wrong'),
      {},
      insecure,
    )
    await expect(
      oauth.processClientCredentialsResponse(server, client, response),
    ).rejects.toMatchObject({
      code: oauth.WWW_AUTHENTICATE_CHALLENGE,
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: 'token', charset: 'UTF-8' } }],
    })
  })

  test('a refused proof is read as a refusal', async () => {
    const server = await discover()
    const client = { client_id: 'doc-analyst' }
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      oauth.None(),
      TOKEN_EXCHANGE,
      { subject_token: 'e30.e30.e30', subject_token_type: JWT },
      insecure,
    )
    await expect(
      oauth.processGenericTokenEndpointResponse(server, client, response),
    ).rejects.toMatchObject({
      code: oauth.RESPONSE_BODY_ERROR,
      status: 400,
      error: 'invalid_request',
      cause: { code: 'workload_identity_failed' },
    })
  })

  test('resource servers accept the token as RFC 9068 has it', async () => {
    const server = await discover()
    const token = await served.clientToken('web', { resource: docs })
    const request = new Request(docs, { headers: { authorization: `Bearer ${token}` } })
    const claims = await oauth.validateJwtAccessToken(server, request, docs, insecure)
    expect(claims).toMatchObject({ sub: 'web', client_id: 'web', aud: docs })
  })
})
