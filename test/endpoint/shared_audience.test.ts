import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ISSUER, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { basic, docs, files, secret } from '../fakes/running_authority.ts'
import { postTo } from './beside.ts'

let world: Peopled
/** Made for our issuer, and for a resource server besides: which then holds it too. */
let shared: string

beforeAll(async () => {
  world = await peopledAuthority()
  const form = new URLSearchParams([
    ['grant_type', 'client_credentials'],
    ['audience', docs],
    ['audience', ISSUER],
  ])
  const { json } = await world.send({
    method: 'POST',
    path: '/t/acme-corp/api/v1/oauth/token',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...basic('wide', secret),
    },
    body: form.toString(),
  })
  shared = String(json['access_token'])
})

afterAll(() => world.stop())

describe('a token for our issuer and for a resource server besides', () => {
  test('goes nowhere else by narrowing', async () => {
    const { status, json } = await world.exchange({ subject_token: shared, audience: files })
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: 'invalid_target' })
  })

  test('is no actor token of whoever shows it without being the client', async () => {
    const { status, json } = await world.exchange({
      subject_token: await world.userToken({ scope: 'read:documents' }),
      actor_token: shared,
    })
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: 'invalid_request' })
    expect(world.log.lines.at(-1)).toMatchObject({ fields: { reason: 'actor_made_for_another' } })
  })

  test('does not speak for its client at introspection', async () => {
    const bearer = { authorization: `Bearer ${shared}` }
    const { status } = await postTo(world, 'introspect', { token: shared }, bearer)
    expect(status).toBe(401)
  })

  test('shows nothing at userinfo', async () => {
    const { status } = await postTo(world, 'userinfo', {}, { authorization: `Bearer ${shared}` })
    expect(status).toBe(401)
  })
})

describe('a refresh token that has ended', () => {
  test('is ended once, and recorded once, however often that is asked for', async () => {
    const { refresh_token: token } = await world.signIn()
    const revoke = () =>
      postTo(world, 'revoke', { token: String(token), client_id: 'web', client_secret: secret }, {})
    const rows = () =>
      world.withStore(async (store) => (await store.auditTail(undefined, 10_000)).length)
    expect((await revoke()).status).toBe(200)
    const before = await rows()
    for (let again = 0; again < 5; again++) expect((await revoke()).status).toBe(200)
    expect(await rows()).toBe(before)
  })
})

test('the id of an old refresh token with another secret is nothing, and ends nothing', async () => {
  const { refresh_token: first } = await world.signIn()
  const { json: second } = await world.refresh(first)
  const { json: third } = await world.refresh(second['refresh_token'])
  const [id = ''] = String(first).split('.')
  const forged = `${id}.${'A'.repeat(43)}`
  const { json } = await world.refresh(forged)
  expect(json).toMatchObject({ error: 'invalid_grant' })
  expect(world.log.lines.at(-1)).toMatchObject({ fields: { reason: 'refresh_unknown' } })
  expect((await world.refresh(third['refresh_token'])).status).toBe(200)
})
