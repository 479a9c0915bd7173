import { generateCodeVerifier, OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { docs, files, secret } from '../fakes/running_authority.ts'
import { issuerPlaces, odd, servedAuthority, type ServedAuthority } from './served_authority.ts'

type Settings = ConstructorParameters<typeof OAuth2Client>[0]

const scope = ['openid', 'profile', 'read:documents']
const metadataPath = '/.well-known/oauth-authorization-server'

describe.each(issuerPlaces)('@badgateway/oauth2-client, issuer by %s', (place) => {
  let served: ServedAuthority

  beforeAll(async () => {
    served = await servedAuthority(place)
  })

  afterAll(() => served.stop())

  /** An issuer that is an origin is all that the library needs; one with a path has its metadata where RFC 8414 says. */
  const clientOf = (clientId: string, more: Partial<Settings> = {}): OAuth2Client => {
    const { origin, pathname } = new URL(served.issuer)
    const discovery =
      place === 'path' ? { discoveryEndpoint: `${origin}${metadataPath}${pathname}` } : {}
    return new OAuth2Client({
      server: origin,
      clientId,
      authorizationEndpoint: 'https://pages.example/authorize',
      ...discovery,
      ...more,
    })
  }

  /** From the library's request to the callback that it reads; what is between them is done by hand. */
  const signIn = async (client: OAuth2Client, redirectUri: string) => {
    const codeVerifier = await generateCodeVerifier()
    const wish = { redirectUri, codeVerifier, state: 'a-state' }
    const request = new URL(await client.authorizationCode.getAuthorizeUri({ ...wish, scope }))
    const asked = (name: string): string => request.searchParams.get(name) ?? ''
    const code = await served.code({
      clientId: asked('client_id'),
      redirectUri: asked('redirect_uri'),
      scope: asked('scope'),
      codeChallenge: asked('code_challenge'),
      codeChallengeMethod: asked('code_challenge_method'),
    })
    const answer = new URLSearchParams({ code, state: asked('state') })
    return client.authorizationCode.getTokenFromCodeRedirect(
      `${redirectUri}?${answer.toString()}`,
      wish,
    )
  }

  const methods = [
    'client_secret_basic',
    'client_secret_basic_interop',
    'client_secret_post',
  ] as const

  test.each(methods)('client_credentials by %s', async (authenticationMethod) => {
    const client = clientOf('web', { clientSecret: secret, authenticationMethod })
    const token = await client.clientCredentials({
      scope: ['read:documents'],
      resource: [docs, files],
    })
    expect(token.scope).toEqual(['read:documents'])
    const { aud } = await served.claimsOf(token.accessToken, docs)
    expect(aud).toEqual([docs, files])
  })

  test('a secret of odd characters', async () => {
    const token = await clientOf(odd.id, { clientSecret: odd.secret }).clientCredentials()
    expect(token.accessToken).toBeTypeOf('string')
  })

  test('authorization_code, refresh, introspection and revocation', async () => {
    const client = clientOf('web', { clientSecret: secret })
    const first = await signIn(client, CALLBACK)
    expect(first.scope).toEqual(scope)
    expect(first.idToken).toBeTypeOf('string')
    const second = await client.refreshToken(first)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(await client.introspect(second)).toMatchObject({ active: true, sub: 'user_a' })
    await client.revoke(second)
    expect(await client.introspect(second)).toEqual({ active: false })
    const third = await client.refreshToken(second, { scope: ['read:documents'], resource: docs })
    expect(await served.claimsOf(third.accessToken, docs)).toMatchObject({
      sub: 'user_a',
      scope: 'read:documents',
    })
    await client.revoke(third, 'refresh_token')
    expect(await client.introspect(third)).toEqual({ active: false })
    await expect(client.refreshToken(third)).rejects.toMatchObject({
      httpCode: 400,
      oauth2Code: 'invalid_grant',
    })
  })

  test('a public client: code, refresh and revocation without a secret', async () => {
    const client = clientOf('spa')
    const first = await signIn(client, 'https://spa.example/callback')
    const second = await client.refreshToken(first)
    await client.revoke(second, 'refresh_token')
    await expect(client.refreshToken(second)).rejects.toMatchObject({ oauth2Code: 'invalid_grant' })
  })

  test('its fetch gets a user’s profile with a token of its own making', async () => {
    const client = clientOf('web', { clientSecret: secret })
    const fetcher = new OAuth2Fetch({
      client,
      getNewToken: () => signIn(client, CALLBACK),
      scheduleRefresh: false,
    })
    const response = await fetcher.fetch(`${served.origin}/t/acme-corp/api/v1/oauth/userinfo`)
    expect(await response.json()).toMatchObject({ sub: 'user_a', name: 'Alice Archer' })
  })

  test('a refusal is read as one', async () => {
    await expect(
      clientOf('web', { clientSecret: 'wrong' }).clientCredentials(),
    ).rejects.toMatchObject({ httpCode: 401, oauth2Code: 'invalid_client' })
  })
})
