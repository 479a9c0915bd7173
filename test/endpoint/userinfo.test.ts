import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  docs,
  FORM,
  secret,
  type Answer,
  type HttpWish,
} from '../fakes/running_authority.ts'
import { pathOf, postTo, tokenOfGlobex, turned } from './beside.ts'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const PATH = pathOf('userinfo')

function ask(token: unknown, more: HttpWish = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${String(token)}`, ...more.headers }
  return world.send({ path: PATH, ...more, headers })
}

const alice = { sub: 'user_a', roles: ['editor'], tenant: 'acme-corp' }
const profile = { name: 'Alice Archer', given_name: 'Alice', family_name: 'Archer' }
const email = { email: 'alice@acme.example', email_verified: true }

const known = [
  { scope: 'openid', sub: 'user_a', claims: alice },
  { scope: 'openid profile', sub: 'user_a', claims: { ...alice, ...profile } },
  { scope: 'openid email', sub: 'user_a', claims: { ...alice, ...email } },
  { scope: 'openid profile email', sub: 'user_a', claims: { ...alice, ...profile, ...email } },
  {
    scope: 'openid profile email',
    sub: 'user_b',
    claims: {
      sub: 'user_b',
      email: 'bob@acme.example',
      email_verified: false,
      roles: [],
      tenant: 'acme-corp',
    },
  },
]

const methods: readonly HttpWish[] = [
  { method: 'GET' },
  { method: 'POST' },
  { method: 'POST', headers: FORM, body: 'a=b' },
  { method: 'POST', headers: { 'content-type': 'application/json' } },
]

describe('a user is known as far as the scope goes:', () => {
  for (const { scope, sub, claims } of known) {
    test(`${scope} of ${sub}, by GET and by POST`, async () => {
      const token = await world.userToken({ scope }, sub)
      for (const wish of methods) {
        const { status, json, headers } = await ask(token, wish)
        expect(status).toBe(200)
        expect(json).toEqual(claims)
        expect(headers['cache-control']).toBe('no-store')
        expect(headers['access-control-allow-origin']).toBe('*')
      }
    })
  }

  test('under either prefix, and whatever the case of the scheme', async () => {
    const token = await world.userToken()
    const path = PATH.replace('/t/', '/orgs/')
    const headers = { authorization: `bEARER ${token}` }
    expect((await ask(token, { path, headers })).json).toMatchObject(alice)
  })

  test('by the token of a refresh, narrowed or not', async () => {
    const { refresh_token: token } = await world.signIn()
    const narrow = (await world.refresh(token, { scope: 'openid' })).json
    expect((await ask(narrow['access_token'])).json).toEqual(alice)
  })
})

test('an agent is known, without any scope', async () => {
  const token = await world.agentToken('doc-analyst')
  const { status, json } = await ask(token)
  expect(status).toBe(200)
  expect(json).toEqual({
    sub: 'agent:doc-analyst',
    name: 'doc-analyst',
    agent_id: expect.any(String) as string,
    identity_type: 'agent',
    capabilities: ['read:documents', 'delegate:on_behalf'],
    workload_identity: 'prod',
    tenant: 'acme-corp',
  })
})

interface Unknown {
  readonly name: string
  readonly token: () => Promise<unknown>
}

const invalid: readonly Unknown[] = [
  { name: 'a token for a resource', token: () => world.userToken({ resources: [docs] }) },
  {
    name: 'a token of an agent for a resource',
    token: () => world.agentToken('doc-analyst', { resource: docs }),
  },
  { name: 'an ID token', token: async () => (await world.signIn())['id_token'] },
  { name: 'a refresh token', token: async () => (await world.signIn())['refresh_token'] },
  { name: 'a code', token: () => world.code() },
  { name: 'a proof of the platform', token: () => world.proofOf('doc-analyst') },
  { name: 'a token of another tenant', token: () => tokenOfGlobex(world) },
  { name: 'a token that was changed', token: async () => turned(await world.userToken(), 120) },
  {
    name: 'an expired token',
    token: async () => {
      const token = await world.userToken()
      clock.advance(3_600_000)
      return token
    },
  },
  {
    name: 'a token of a grant that was revoked',
    token: async () => {
      const { access_token: access, refresh_token: refresh } = await world.signIn()
      await postTo(world, 'revoke', { token: String(refresh) }, basic('web', secret))
      return access
    },
  },
  { name: '12 000 characters', token: () => Promise.resolve('x'.repeat(12_000)) },
]

describe('a token is refused as invalid:', () => {
  for (const { name, token } of invalid) {
    test(name, async () => {
      const text = await token()
      for (const wish of methods) {
        const answer = await ask(text, wish)
        expect(refusalOf(answer)).toEqual({ status: 401, error: 'invalid_token', code: undefined })
        expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
      }
    })
  }

  test('a token of a user who was disabled', async () => {
    const token = await world.userToken({}, 'user_b')
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', true))
    expect(refusalOf(await ask(token))).toMatchObject({ status: 401, error: 'invalid_token' })
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', false))
    expect((await ask(token)).status).toBe(200)
  })
})

describe('a token is too small:', () => {
  const small: readonly Unknown[] = [
    { name: 'of a user without openid', token: () => world.userToken({ scope: 'profile email' }) },
    { name: 'of a client', token: () => world.clientToken('web', { scope: 'read:reports' }) },
  ]
  for (const { name, token } of small) {
    test(name, async () => {
      const answer = await ask(await token())
      expect(refusalOf(answer)).toMatchObject({ status: 403, error: 'insufficient_scope' })
      expect(answer.headers['www-authenticate']).toBe('Bearer error="insufficient_scope"')
    })
  }

  test('a client’s own, though it has openid: it is no user', async () => {
    const answer = await ask(await world.clientToken('web'))
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_token' })
  })
})

describe('no token at all is told what to show:', () => {
  const none: readonly (readonly [name: string, headers: Readonly<Record<string, string>>])[] = [
    ['no header', {}],
    ['an empty one', { authorization: '' }],
    ['Bearer alone', { authorization: 'Bearer' }],
    ['Bearer and a space', { authorization: 'Bearer ' }],
    ['Basic', basic('web', secret)],
    ['two tokens', { authorization: 'Bearer a b' }],
    ['a token without scheme', { authorization: 'e30.e30.AAAA' }],
  ]
  test.each(none)('%s', async (_, headers) => {
    const answer = await world.send({ path: PATH, headers })
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_token' })
    // RFC 6750 section 3: where nothing was shown the challenge names no error.
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer, DPoP algs="[A-Za-z0-9 ]+"$/)
  })

  test('a token in the query string or in the body', async () => {
    const token = await world.userToken()
    const query = await world.send({ path: `${PATH}?access_token=${token}` })
    const body = await world.send({
      method: 'POST',
      path: PATH,
      headers: FORM,
      body: `access_token=${token}`,
    })
    expect([query.status, body.status]).toEqual([401, 401])
  })
})

test('no token is in the log', async () => {
  const token = await world.userToken({ resources: [docs] })
  await ask(token)
  await ask(`${token}x`)
  expect(world.log.text()).not.toContain(token.split('.')[1])
})
