import { OAuth2Client } from '@badgateway/oauth2-client'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { ClientCredentials } from 'simple-oauth2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardValue } from '../fakes/drop_in.ts'
import { runBroker, type ComposedBroker } from '../fakes/running_broker.ts'
import { ACCESS_TOKEN, docs, files, TOKEN_EXCHANGE } from '../fakes/running_authority.ts'
import { servedAuthority, type ServedAuthority } from './served_authority.ts'

/**
 * Client libraries as they are, with the token endpoint set by hand to the broker's address and the guard value as their
 * secret. Issuer and keys are those of the authority, which each token is verified by.
 */
let served: ServedAuthority
let broker: ComposedBroker
let base: string

beforeAll(async () => {
  served = await servedAuthority()
  await served.allow('user_a', 'doc-analyst', ['read:documents'])
  broker = await runBroker(served, 'doc-analyst', { issuer: served.issuer })
  base = `http://${broker.host}/t/acme-corp/api/v1/oauth`
})

afterAll(async () => {
  await broker.stop()
  await served.stop()
})

const agent = { sub: 'agent:doc-analyst', client_id: 'doc-analyst' }
const onBehalf = { sub: 'user_a', client_id: 'doc-analyst', act: { sub: 'agent:doc-analyst' } }
const userToken = () => served.userToken({ scope: 'read:documents' })
const ids = ['self', 'doc-analyst'] as const

describe.each(ids)('as client %s', (client_id) => {
  describe.each([
    ['oauth4webapi', 'ClientSecretBasic', oauth.ClientSecretBasic],
    ['oauth4webapi', 'ClientSecretPost', oauth.ClientSecretPost],
  ])('%s by %s', (_library, _name, method) => {
    const insecure = { [oauth.allowInsecureRequests]: true }
    const server = () => ({
      issuer: served.issuer,
      token_endpoint: `${base}/token`,
      revocation_endpoint: `${base}/revoke`,
    })
    const client = { client_id }

    test('client_credentials for two resources', async () => {
      const response = await oauth.clientCredentialsGrantRequest(
        server(),
        client,
        method(guardValue),
        new URLSearchParams([
          ['resource', docs],
          ['resource', files],
        ]),
        insecure,
      )
      const answer = await oauth.processClientCredentialsResponse(server(), client, response)
      expect((await served.claimsOf(answer.access_token, docs)).aud).toEqual([docs, files])
    })

    test('token exchange on behalf of a user, and revocation of what came', async () => {
      const response = await oauth.genericTokenEndpointRequest(
        server(),
        client,
        method(guardValue),
        TOKEN_EXCHANGE,
        { subject_token: await userToken(), subject_token_type: ACCESS_TOKEN, audience: docs },
        insecure,
      )
      const answer = await oauth.processGenericTokenEndpointResponse(server(), client, response)
      expect(answer).toMatchObject({ token_type: 'bearer', issued_token_type: ACCESS_TOKEN })
      expect(await served.claimsOf(answer.access_token, docs)).toMatchObject(onBehalf)
      const revoked = await oauth.revocationRequest(
        server(),
        client,
        method(guardValue),
        answer.access_token,
        insecure,
      )
      await oauth.processRevocationResponse(revoked)
      expect(await served.introspect(answer.access_token)).toEqual({ active: false })
    })
  })

  test('openid-client', async () => {
    const metadata = { issuer: served.issuer, token_endpoint: `${base}/token` }
    const config = new openid.Configuration(metadata, client_id, guardValue)
    openid.allowInsecureRequests(config)
    const own = await openid.clientCredentialsGrant(config, {
      resource: docs,
      scope: 'read:documents',
    })
    expect(await served.claimsOf(own.access_token, docs)).toMatchObject(agent)
    const exchanged = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, {
      subject_token: await userToken(),
      subject_token_type: ACCESS_TOKEN,
      resource: docs,
    })
    expect(await served.claimsOf(exchanged.access_token, docs)).toMatchObject(onBehalf)
  })

  test.each([
    ['in the header', { authorizationMethod: 'header' }],
    ['in the header, not encoded', { credentialsEncodingMode: 'loose' }],
    ['in a form', { authorizationMethod: 'body' }],
    ['in JSON', { authorizationMethod: 'body', bodyFormat: 'json' }],
  ] as const)('simple-oauth2, credentials %s', async (_name, options) => {
    const path = '/t/acme-corp/api/v1/oauth'
    const client = new ClientCredentials({
      client: { id: client_id, secret: guardValue },
      auth: {
        tokenHost: `http://${broker.host}`,
        tokenPath: `${path}/token`,
        revokePath: `${path}/revoke`,
      },
      options,
    })
    const answer = await client.getToken({ resource: [docs, files], scope: ['read:documents'] })
    const token = String(answer.token['access_token'])
    expect(await served.claimsOf(token, docs)).toMatchObject(agent)
  })

  test.each(['client_secret_basic', 'client_secret_basic_interop', 'client_secret_post'] as const)(
    '@badgateway/oauth2-client by %s',
    async (authenticationMethod) => {
      const client = new OAuth2Client({
        clientId: client_id,
        clientSecret: guardValue,
        tokenEndpoint: `${base}/token`,
        authenticationMethod,
      })
      const { accessToken } = await client.clientCredentials({
        scope: ['read:documents'],
        resource: docs,
      })
      expect(await served.claimsOf(accessToken, docs)).toMatchObject(agent)
    },
  )
})

describe('a wrong secret', () => {
  test('is read by openid-client as a challenge', async () => {
    const metadata = { issuer: served.issuer, token_endpoint: `${base}/token` }
    const config = new openid.Configuration(metadata, 'self', {}, openid.ClientSecretBasic('wrong'))
    openid.allowInsecureRequests(config)
    await expect(openid.clientCredentialsGrant(config)).rejects.toMatchObject({
      code: 'OAUTH_WWW_AUTHENTICATE_CHALLENGE',
      status: 401,
      cause: [{ scheme: 'basic', parameters: { realm: 'lumo-broker' } }],
    })
  })

  test('is read by @badgateway/oauth2-client as a refusal', async () => {
    const client = new OAuth2Client({
      clientId: 'self',
      clientSecret: 'wrong',
      tokenEndpoint: `${base}/token`,
      authenticationMethod: 'client_secret_post',
    })
    await expect(client.clientCredentials()).rejects.toMatchObject({
      httpCode: 401,
      oauth2Code: 'invalid_client',
    })
  })
})

test('discovery at the broker is told to go elsewhere, and openid-client says that it failed', async () => {
  const issuer = new URL(`http://${broker.host}/t/acme-corp/api/v1`)
  const options = { execute: [openid.allowInsecureRequests] }
  await expect(
    openid.discovery(issuer, 'self', guardValue, undefined, options),
  ).rejects.toMatchObject({
    code: 'OAUTH_RESPONSE_IS_NOT_CONFORM',
  })
})
