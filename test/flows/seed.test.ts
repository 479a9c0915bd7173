import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Json } from '../fakes/running_authority.ts'
import {
  CLIENT,
  expectAsShown,
  identity,
  seedAuthority,
  type SeedAuthority,
} from './seed_authority.ts'
import { page } from './seed_page.ts'

let seed: SeedAuthority

beforeAll(async () => {
  seed = await seedAuthority()
})

afterAll(() => seed.stop())

test('authorization_code', async () => {
  const answer = await seed.redeem()
  expectAsShown(answer, page.authorizationCode.response)
  const { access_token: accessToken, id_token: idToken } = answer
  expect(decodeProtectedHeader(String(accessToken))).toMatchObject({ alg: 'RS256' })
  expect(decodeProtectedHeader(String(idToken))).toMatchObject({ alg: 'RS256', typ: 'JWT' })
  expect(decodeJwt(String(idToken))).toMatchObject({ sub: 'user_a', aud: CLIENT })
  expect(decodeJwt(String(accessToken))).toMatchObject({
    iss: seed.origin,
    sub: 'user_a',
    client_id: CLIENT,
    exp: seed.clock.now + 3_600,
  })
})

test('client_credentials', async () => {
  const answer = await seed.run(page.clientCredentials.command)
  expectAsShown(answer, page.clientCredentials.response)
  expect(decodeJwt(String(answer['access_token']))).toMatchObject({ sub: CLIENT })
})

test('client_credentials of the quickstart', async () => {
  expectAsShown(await seed.run(page.quickstart.command), page.quickstart.response)
})

test('a permission of the quickstart, with the token of the step before', async () => {
  const { access_token: token } = await seed.run(page.quickstart.command)
  const filling = { YOUR_ACCESS_TOKEN: String(token) }
  expectAsShown(await seed.run(page.permission.command, filling), page.permission.response)
})

test('refresh_token: a new one is issued, and the old one is invalidated', async () => {
  const { refresh_token: first } = await seed.redeem()
  const answer = await seed.refresh(first)
  expect(answer).toMatchObject({
    token_type: 'Bearer',
    expires_in: 3_600,
    scope: identity.join(' '),
  })
  const second = answer['refresh_token']
  expect(second).not.toBe(first)
  // An answer that was lost on the way: the same successor, and no second line of tokens.
  expect(await seed.refresh(first)).toMatchObject({ refresh_token: second })
  const third = (await seed.refresh(second))['refresh_token']
  expect(await seed.refresh(first)).toMatchObject({ error: 'invalid_grant' })
  expect((await seed.refresh(third))['refresh_token']).toBeTypeOf('string')
})

test('refresh_token: an old one that comes late ends them all', async () => {
  const { refresh_token: first } = await seed.redeem()
  const { refresh_token: second } = await seed.refresh(first)
  seed.clock.advance(10_001)
  expect(await seed.refresh(first)).toMatchObject({ error: 'invalid_grant' })
  expect(await seed.refresh(second)).toMatchObject({ error: 'invalid_grant' })
})

test('token exchange: service_b acts on behalf of user_a', async () => {
  await seed.authority.allow('user_a', 'service_b', ['read:documents'])
  const user = await seed.redeem('openid read:documents')
  const service = await seed.run(page.clientCredentials.command, { CLIENT_ID: 'service_b' })
  const answer = await seed.run(page.delegation.command, {
    CLIENT_ID: 'service_b',
    USER_A_ACCESS_TOKEN: String(user['access_token']),
    SERVICE_B_ACCESS_TOKEN: String(service['access_token']),
  })
  expect(answer).toMatchObject({ token_type: 'Bearer', scope: 'read:documents' })
  const shown = JSON.parse(page.delegation.claims) as Json
  const claims = decodeJwt(String(answer['access_token']))
  expect(claims).toMatchObject({ ...shown, iss: seed.origin, exp: seed.clock.now + 3_600 })
})
