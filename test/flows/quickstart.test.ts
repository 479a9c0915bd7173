import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Passwords } from '../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Browser } from '../endpoint/authorize/browser.ts'
import { CALLBACK } from '../fakes/peopled_authority.ts'
import { CLIENT, expectAsShown, pkce, seedAuthority, type SeedAuthority } from './seed_authority.ts'
import { page } from './seed_page.ts'

let seed: SeedAuthority

beforeAll(async () => {
  seed = await seedAuthority()
})

afterAll(() => seed.stop())

test('the quickstart, step by step', async () => {
  // 1: a tenant, a client and its secret; and somebody who can sign in.
  const password = 'a password of ten words or so'
  const hash = await new Passwords(systemRandom).hash(password)
  await seed.authority.withStore((store) =>
    store.addLocalUser({
      tenant: 'acme-corp',
      sub: 'local:1',
      email: 'a@example.com',
      name: 'A',
      password: hash,
      createdAt: 0,
    }),
  )

  // 2: an access token.
  const answer = await seed.run(page.quickstart.command)
  expectAsShown(answer, page.quickstart.response)

  // 3: a permission.
  const filling = { YOUR_ACCESS_TOKEN: String(answer['access_token']) }
  expectAsShown(await seed.run(page.permission.command, filling), page.permission.response)

  // 4: redirect the user, who logs in and grants permission; a callback with a code; tokens.
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: CLIENT,
    redirect_uri: CALLBACK,
    scope: 'openid profile email',
    state: 'xyz',
    code_challenge: pkce.codeChallenge,
    code_challenge_method: pkce.codeChallengeMethod,
  })
  const browser = new Browser(seed.authority.port, seed.origin)
  const signIn = await browser.get(`/t/acme-corp/api/v1/oauth/authorize?${query.toString()}`)
  const consent = await browser.follow(
    await browser.submit(signIn, { email: 'a@example.com', password }),
  )
  const back = await browser.submit(consent, { decision: 'allow' })
  const callback = new URL(back.headers.location ?? '')
  expect(callback.origin + callback.pathname).toBe(CALLBACK)
  const { code = '', state, iss } = Object.fromEntries(callback.searchParams)
  expect([state, iss]).toEqual(['xyz', seed.origin])
  const tokens = await seed.run(page.authorizationCode.command, { SplxlOBeZQQYbYS6WxSbIA: code })
  expectAsShown(tokens, page.authorizationCode.response)
  expect(decodeJwt(String(tokens['id_token']))).toMatchObject({
    sub: 'local:1',
    email: 'a@example.com',
  })
})
