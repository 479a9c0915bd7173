import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ACCESS_TOKEN, docs, JWT, secret, TOKEN_EXCHANGE } from '../fakes/running_authority.ts'
import { issuerPlaces, odd, servedAuthority, type ServedAuthority } from './served_authority.ts'

const methods = {
  ClientSecretBasic: openid.ClientSecretBasic,
  ClientSecretPost: openid.ClientSecretPost,
}

describe.each(issuerPlaces)('openid-client, issuer by %s', (place) => {
  let served: ServedAuthority

  beforeAll(async () => {
    served = await servedAuthority(place)
  })

  afterAll(() => served.stop())

  describe.each(['oidc', 'oauth2'] as const)('discovery as %s', (algorithm) => {
    const configure = (id: string, auth: openid.ClientAuth) =>
      openid.discovery(new URL(served.issuer), id, {}, auth, {
        algorithm,
        execute: [openid.allowInsecureRequests],
      })

    test.each(Object.entries(methods))('client_credentials by %s', async (_, method) => {
      const config = await configure('web', method(secret))
      const answer = await openid.clientCredentialsGrant(config, { scope: 'read:reports' })
      expect(answer).toMatchObject({ scope: 'read:reports', expires_in: 3_600 })
      expect(await served.claimsOf(answer.access_token, 'web')).toMatchObject({ sub: 'web' })
    })

    test.each(Object.entries(methods))('a secret of odd characters by %s', async (_, method) => {
      const config = await configure(odd.id, method(odd.secret))
      const answer = await openid.clientCredentialsGrant(config)
      expect(answer.token_type).toBe('bearer')
    })

    test('client_credentials and introspection by private_key_jwt', async () => {
      const config = await configure('signing', openid.PrivateKeyJwt(served.assertionKey))
      const { access_token: token } = await openid.clientCredentialsGrant(config)
      expect(await openid.tokenIntrospection(config, token)).toMatchObject({
        active: true,
        client_id: 'signing',
        iss: served.issuer,
      })
      await openid.tokenRevocation(config, token)
      expect(await openid.tokenIntrospection(config, token)).toEqual({ active: false })
    })

    test('token exchange by the proof alone', async () => {
      const config = await configure('doc-analyst', openid.None())
      const answer = await openid.genericGrantRequest(config, TOKEN_EXCHANGE, {
        subject_token: await served.proof(),
        subject_token_type: JWT,
        resource: docs,
        scope: 'read:documents',
      })
      expect(answer).toMatchObject({ issued_token_type: ACCESS_TOKEN, scope: 'read:documents' })
      const claims = await served.claimsOf(answer.access_token, docs)
      expect(claims).toMatchObject({ sub: 'agent:doc-analyst', client_id: 'doc-analyst' })
    })

    test('a refusal is read as one', async () => {
      const config = await configure('web', openid.ClientSecretPost(secret))
      await expect(openid.clientCredentialsGrant(config, { scope: 'admin' })).rejects.toMatchObject(
        { error: 'invalid_scope', status: 400 },
      )
    })
  })
})
