import { afterAll, beforeAll, expect, test } from 'vitest'
import { ISSUER } from '../../fakes/peopled_authority.ts'
import { ACCESS_TOKEN, basic, docs, files, JWT, secret } from '../../fakes/running_authority.ts'
import {
  asServiceB,
  asSupport,
  atDocs,
  claimsOf,
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  scopesOf,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World

beforeAll(async () => {
  world = await exchangeWorld()
  // Whatever users allow agents, it is no leave to take their place, and no way around the end of the road.
  for (const agent of ['doc-analyst', 'service_b', 'support', 'bystander']) {
    await world.allow('user_a', agent, wide.split(' '))
    await world.allow('user_b', agent, wide.split(' '))
  }
})

afterAll(async () => {
  await world.stop()
})

const ofUser = () => world.userToken({ scope: wide })

interface Case {
  readonly name: string
  readonly subject?: () => Promise<string>
  readonly more: Wish
  readonly headers?: Readonly<Record<string, string>>
  readonly aud: string
  readonly scope: readonly string[]
  readonly type?: string
}

const all = ['read:documents', 'read:reports', 'write:documents']
const rw = ['read:documents', 'write:documents']
const cases: readonly Case[] = [
  { name: 'without more', more: {}, aud: 'support', scope: all },
  {
    name: 'by post',
    more: { client_id: 'support', client_secret: secret },
    headers: {},
    aud: 'support',
    scope: all,
  },
  { name: 'to a target', more: { audience: docs }, aud: docs, scope: rw },
  { name: 'for less', more: { scope: 'read:reports' }, aud: 'support', scope: ['read:reports'] },
  {
    name: 'as a JWT',
    more: { subject_token_type: JWT, requested_token_type: JWT },
    aud: 'support',
    scope: all,
    type: JWT,
  },
  {
    name: 'by a token that is confined to a target',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    more: {},
    aud: docs,
    scope: rw,
  },
]

for (const { name, subject = ofUser, more, headers = asSupport, aud, scope, type } of cases) {
  test(`impersonation: ${name}`, async () => {
    const token = await subject()
    const was = claimsOf(token)
    const answer = await world.ask({ subject_token: token, ...more }, headers)
    const claims = claimsOf(granted(answer))
    expect(claims).toEqual({
      iss: ISSUER,
      sub: 'user_a',
      aud,
      client_id: 'support',
      iat: world.clock.now,
      exp: world.clock.now + 300,
      jti: expect.any(String) as unknown,
      grant_id: was['grant_id'],
      derived_from: [was['jti']],
      tenant: 'acme-corp',
      scope: answer.json['scope'],
      auth_time: was['auth_time'],
      not_exchangeable: true,
    })
    expect(scopesOf(claims)).toEqual(scope)
    expect(answer.json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 300,
      issued_token_type: type ?? ACCESS_TOKEN,
    })
  })
}

test('it ends with the token that it was made of', async () => {
  const token = await ofUser()
  world.clock.jump(3_500_000)
  const answer = await world.ask({ subject_token: token }, asSupport)
  expect(claimsOf(granted(answer))['exp']).toBe(claimsOf(token)['exp'])
  expect(answer.json['expires_in']).toBe(100)
})

const impersonated = async () =>
  granted(await world.ask({ subject_token: await ofUser() }, asSupport))
const delegated = async () => {
  const actor = await world.agentToken('doc-analyst')
  return granted(await world.ask({ subject_token: await ofUser(), actor_token: actor }))
}

interface Bad {
  readonly name: string
  readonly form: () => Promise<Wish>
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
  readonly error: string
  readonly reason: string
}

const unexchangeable = {
  status: 400,
  error: 'invalid_request',
  reason: 'subject_not_exchangeable',
}
const notAllowed = { status: 403, error: 'access_denied', reason: 'impersonation_not_allowed' }
const refused: readonly Bad[] = [
  {
    name: 'its result, as subject beside an actor',
    form: async () => ({
      subject_token: await impersonated(),
      actor_token: await world.agentToken('doc-analyst'),
    }),
    ...unexchangeable,
  },
  {
    name: 'its result, narrowed by its own client',
    form: async () => ({ subject_token: await impersonated(), audience: docs }),
    headers: asSupport,
    ...unexchangeable,
  },
  {
    name: 'its result, narrowed without a client',
    form: async () => ({ subject_token: await impersonated(), scope: 'read:documents' }),
    ...unexchangeable,
  },
  {
    name: 'its result, as a proof of being the user',
    form: async () => ({ subject_token: await impersonated(), subject_token_type: JWT }),
    ...unexchangeable,
  },
  {
    name: 'its result, as actor',
    form: async () => ({ subject_token: await ofUser(), actor_token: await impersonated() }),
    status: 400,
    error: 'invalid_request',
    reason: 'actor_not_exchangeable',
  },
  {
    name: 'its result, as actor by its own client',
    form: async () => ({ subject_token: await ofUser(), actor_token: await impersonated() }),
    headers: asSupport,
    status: 400,
    error: 'invalid_request',
    reason: 'actor_not_exchangeable',
  },
  {
    name: 'a user whom the registration does not name',
    form: async () => ({ subject_token: await world.userToken({ scope: wide }, 'user_b') }),
    headers: asSupport,
    ...notAllowed,
  },
  {
    name: 'a client that may act for the user, and not take their place',
    form: async () => ({ subject_token: await ofUser() }),
    headers: asServiceB,
    ...notAllowed,
  },
  {
    name: 'a client to which the user allowed everything',
    form: async () => ({ subject_token: await ofUser() }),
    headers: basic('bystander', secret),
    ...notAllowed,
  },
  {
    name: 'an agent, which is no user',
    form: async () => ({ subject_token: await world.agentToken('doc-analyst') }),
    headers: asSupport,
    ...notAllowed,
  },
  {
    name: 'another client, which is no user',
    form: async () => ({ subject_token: await world.clientToken('service_b') }),
    headers: asSupport,
    ...notAllowed,
  },
  {
    name: 'a token that somebody else acts with',
    form: async () => ({ subject_token: await delegated() }),
    headers: asSupport,
    status: 400,
    error: 'invalid_request',
    reason: 'subject_delegated',
  },
  {
    name: 'a client that does no more than say its name',
    form: async () => ({ subject_token: await ofUser(), client_id: 'support' }),
    status: 400,
    error: 'invalid_request',
    reason: 'client_mismatch',
  },
  {
    name: 'a client with a wrong secret',
    form: async () => ({ subject_token: await ofUser() }),
    headers: basic('support', 'wrong'),
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  },
  {
    name: 'more scope than the token has',
    form: async () => ({
      subject_token: await world.userToken({ scope: 'read:documents' }),
      scope: 'read:reports',
    }),
    headers: asSupport,
    status: 400,
    error: 'invalid_scope',
    reason: 'scope_not_allowed',
  },
  {
    name: 'another target than the one that the token is for',
    form: async () => ({
      subject_token: await world.userToken({ scope: atDocs, resources: [docs] }),
      audience: files,
    }),
    headers: asSupport,
    status: 400,
    error: 'invalid_target',
    reason: 'target_not_allowed',
  },
]

for (const { name, form, headers, status, error, reason } of refused) {
  test(`impersonation is refused: ${name}; nothing changes`, async () => {
    const http = exchangeHttp(await form(), headers)
    await refusesUnchanged(world, { name, http, status, error, reason })
  })
}
