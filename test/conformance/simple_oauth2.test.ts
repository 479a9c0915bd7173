import { createHash, randomBytes } from 'node:crypto'
import { AuthorizationCode, ClientCredentials, type ModuleOptions } from 'simple-oauth2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { docs, files, secret } from '../fakes/running_authority.ts'
import { odd, servedAuthority, type ServedAuthority } from './served_authority.ts'

const scope = 'openid profile read:documents'

let served: ServedAuthority

beforeAll(async () => {
  served = await servedAuthority()
})

afterAll(() => served.stop())

const options = (
  client: ModuleOptions['client'],
  more: ModuleOptions['options'] = {},
): ModuleOptions => {
  const path = `${new URL(served.issuer).pathname}/oauth`
  return {
    client,
    auth: {
      tokenHost: served.origin,
      tokenPath: `${path}/token`,
      revokePath: `${path}/revoke`,
    },
    options: more,
  }
}

const web = { id: 'web', secret }

/** The library leaves PKCE to who uses it (RFC 7636 sections 4.1 and 4.2). */
function pkcePair() {
  const verifier = randomBytes(32).toString('base64url')
  const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
  return { verifier, challenge: { codeChallenge, codeChallengeMethod: 'S256' } }
}

const ways: readonly (readonly [string, NonNullable<ModuleOptions['options']>])[] = [
  ['in the header', { authorizationMethod: 'header' }],
  ['in the header, not encoded', { credentialsEncodingMode: 'loose' }],
  ['in a form', { authorizationMethod: 'body' }],
  ['in JSON', { authorizationMethod: 'body', bodyFormat: 'json' }],
]

describe.each(ways)('simple-oauth2, credentials %s', (_, way) => {
  test('client_credentials', async () => {
    const client = new ClientCredentials(options(web, way))
    const answer = await client.getToken({ scope: ['read:documents', 'read:reports'] })
    expect(answer.expired()).toBe(false)
    expect(answer.token).toMatchObject({
      token_type: 'Bearer',
      scope: 'read:documents read:reports',
    })
    const token = String(answer.token['access_token'])
    expect(await served.claimsOf(token, 'web')).toMatchObject({ sub: 'web' })
  })

  test('client_credentials for two resources', async () => {
    const client = new ClientCredentials(options(web, way))
    const { token } = await client.getToken({ resource: [docs, files] })
    const { aud } = await served.claimsOf(String(token['access_token']), docs)
    expect(aud).toEqual([docs, files])
  })

  test('authorization_code, refresh and revocation', async () => {
    const client = new AuthorizationCode(options(web, way))
    const { verifier, challenge } = pkcePair()
    const code = await served.code({ scope, ...challenge })
    const request = { code, redirect_uri: CALLBACK, code_verifier: verifier }
    const first = await client.getToken(request)
    expect(first.token).toMatchObject({ token_type: 'Bearer', scope })
    expect(first.token['id_token']).toBeTypeOf('string')
    const second = await first.refresh()
    expect(second.token['refresh_token']).not.toBe(first.token['refresh_token'])
    const third = await second.refresh({ scope: ['read:documents'] })
    expect(third.token).toMatchObject({ scope: 'read:documents' })
    await third.revokeAll()
    for (const { token } of [first, second, third]) {
      expect(await served.introspect(token['access_token'], 'web')).toEqual({ active: false })
    }
    await expect(third.refresh()).rejects.toMatchObject({
      output: { statusCode: 400 },
      data: { payload: { error: 'invalid_grant' } },
    })
  })
})

test('simple-oauth2 encodes a secret of odd characters, and it is read', async () => {
  const client = new ClientCredentials(options({ id: odd.id, secret: odd.secret }))
  expect((await client.getToken({})).token).toMatchObject({ token_type: 'Bearer' })
})

test('simple-oauth2 reads a refusal', async () => {
  const client = new ClientCredentials(options({ id: 'web', secret: 'wrong' }))
  await expect(client.getToken({})).rejects.toMatchObject({
    output: { statusCode: 401 },
    data: { payload: { error: 'invalid_client' } },
  })
})
