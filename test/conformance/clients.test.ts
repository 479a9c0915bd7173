import { createRemoteJWKSet, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { frontDoor, type FrontDoor } from '../fakes/front_door.ts'
import {
  ACCESS_TOKEN,
  docs,
  files,
  JWT,
  runAuthority,
  secret,
  standardTenants,
  TOKEN_EXCHANGE,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let front: FrontDoor
let atOrigin: FrontDoor
let byPath: TestAuthority
let byOrigin: TestAuthority

/** One authority whose issuer has a path, and one whose issuer is the bare origin. */
beforeAll(async () => {
  front = await frontDoor()
  byPath = await runAuthority({ origin: front.origin, clock: systemClock })
  front.leadTo(byPath.port)
  atOrigin = await frontDoor()
  byOrigin = await runAuthority({
    origin: atOrigin.origin,
    clock: systemClock,
    tenants: async (needs) => {
      const [acme = {}, ...others] = await standardTenants(needs)
      return [{ ...acme, issuer: 'origin' }, ...others]
    },
  })
  atOrigin.leadTo(byOrigin.port)
})

afterAll(async () => {
  await front.close()
  await atOrigin.close()
  await byPath.stop()
  await byOrigin.stop()
})

const places = [
  {
    name: 'an issuer with a path',
    issuer: () => `${front.origin}/t/acme-corp/api/v1`,
    authority: () => byPath,
  },
  {
    name: 'an issuer that is the origin',
    issuer: () => atOrigin.origin,
    authority: () => byOrigin,
  },
]

const PROFILES = ['oidc', 'oauth2'] as const
const insecure = { [oauth.allowInsecureRequests]: true }

async function verified(
  token: string,
  metadata: { issuer: string; jwks_uri?: string },
  audience: string | string[],
) {
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri ?? ''))
  const { issuer } = metadata
  return (await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' })).payload
}

function proofFor(authority: TestAuthority, issuer: string): Promise<string> {
  return authority.cluster.token({ claims: { aud: [issuer] } })
}

const openidAuth = {
  ClientSecretBasic: openid.ClientSecretBasic(secret),
  ClientSecretPost: openid.ClientSecretPost(secret),
}
const oauthAuth = {
  ClientSecretBasic: oauth.ClientSecretBasic(secret),
  ClientSecretPost: oauth.ClientSecretPost(secret),
}

for (const { name, issuer, authority } of places) {
  for (const algorithm of PROFILES) {
    describe(`openid-client, by ${algorithm}, ${name}`, () => {
      const configure = (id: string, auth: openid.ClientAuth) =>
        openid.discovery(new URL(issuer()), id, {}, auth, {
          algorithm,
          execute: [openid.allowInsecureRequests],
        })

      for (const [method, auth] of Object.entries(openidAuth)) {
        test(`client_credentials by ${method}`, async () => {
          const config = await configure('reporter', auth)
          const answer = await openid.clientCredentialsGrant(config, { scope: 'read:reports' })
          expect(answer.scope).toBe('read:reports')
          expect(answer.expires_in).toBe(3_600)
          const claims = await verified(answer.access_token, config.serverMetadata(), 'reporter')
          expect(claims.sub).toBe('reporter')
        })
      }

      test('token exchange by the proof alone', async () => {
        const config = await configure('doc-analyst', openid.None())
        const answer = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, {
          subject_token: await proofFor(authority(), issuer()),
          subject_token_type: JWT,
          resource: docs,
          scope: 'read:documents',
        })
        expect(answer['issued_token_type']).toBe(ACCESS_TOKEN)
        expect(answer.scope).toBe('read:documents')
        const claims = await verified(answer.access_token, config.serverMetadata(), docs)
        expect(claims).toMatchObject({ sub: 'agent:doc-analyst', client_id: 'doc-analyst' })
      })

      test('a refusal is read as one', async () => {
        const config = await configure('reporter', openid.ClientSecretPost(secret))
        await expect(
          openid.clientCredentialsGrant(config, { scope: 'admin' }),
        ).rejects.toMatchObject({ error: 'invalid_scope', status: 400 })
      })
    })

    describe(`oauth4webapi, by ${algorithm}, ${name}`, () => {
      const discover = async (): Promise<oauth.AuthorizationServer> => {
        const url = new URL(issuer())
        const response = await oauth.discoveryRequest(url, { algorithm, ...insecure })
        return oauth.processDiscoveryResponse(url, response)
      }

      for (const [method, auth] of Object.entries(oauthAuth)) {
        test(`client_credentials by ${method}`, async () => {
          const server = await discover()
          const client = { client_id: 'reporter' }
          const response = await oauth.clientCredentialsGrantRequest(
            server,
            client,
            auth,
            new URLSearchParams([
              ['resource', docs],
              ['resource', files],
            ]),
            insecure,
          )
          const answer = await oauth.processClientCredentialsResponse(server, client, response)
          expect(answer).toMatchObject({ token_type: 'bearer', scope: 'read:documents' })
          const claims = await verified(answer.access_token, server, docs)
          expect(claims.aud).toEqual([docs, files])
        })
      }

      test('token exchange by the proof alone', async () => {
        const server = await discover()
        const client = { client_id: 'doc-analyst' }
        const response = await oauth.genericTokenEndpointRequest(
          server,
          client,
          oauth.None(),
          TOKEN_EXCHANGE,
          {
            subject_token: await proofFor(authority(), issuer()),
            subject_token_type: JWT,
            requested_token_type: JWT,
          },
          insecure,
        )
        const answer = await oauth.processGenericTokenEndpointResponse(server, client, response)
        expect(answer).toMatchObject({
          token_type: 'bearer',
          issued_token_type: JWT,
          expires_in: 1_800,
          scope: 'agent:self',
        })
        const claims = await verified(answer.access_token, server, 'doc-analyst')
        expect(claims.sub).toBe('agent:doc-analyst')
      })

      test('a wrong secret by Basic is read as a challenge', async () => {
        const server = await discover()
        const client = { client_id: 'reporter' }
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
    })
  }
}

test('resource servers accept the token as RFC 9068 has it', async () => {
  const url = new URL(`${front.origin}/t/acme-corp/api/v1`)
  const server = await oauth
    .discoveryRequest(url, { algorithm: 'oauth2', ...insecure })
    .then((response) => oauth.processDiscoveryResponse(url, response))
  const config = await openid.discovery(url, 'reporter', {}, openid.ClientSecretBasic(secret), {
    execute: [openid.allowInsecureRequests],
  })
  const { access_token: token } = await openid.clientCredentialsGrant(config, { resource: docs })
  const request = new Request(docs, { headers: { authorization: `Bearer ${token}` } })
  const claims = await oauth.validateJwtAccessToken(server, request, docs, insecure)
  expect(claims).toMatchObject({ sub: 'reporter', client_id: 'reporter', aud: docs })
})
