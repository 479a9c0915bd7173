import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { ISSUER, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { basic, docs, files, secret, type Answer, type Json } from '../fakes/running_authority.ts'
import { delegatedTokens, postTo, tokenOfGlobex, turned } from './beside.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const INACTIVE = { active: false }
const asAuditor = basic('auditor', secret)

const ask = (form: Form, headers: Form = asAuditor): Promise<Answer> =>
  postTo(world, 'introspect', form, headers)

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
/** A token of a user for the client `docs-api`, made for the client `web`. */
const userToken = () => world.userToken({ resources: [docs], scope: 'openid read:documents' })

describe('a live token is described:', () => {
  test('of a user', async () => {
    const token = await userToken()
    const { iat, exp, jti, grant_id: grantId, auth_time: authTime } = decodeJwt(token)
    const { status, json, headers } = await ask({ token })
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    expect(json).toEqual({
      active: true,
      token_type: 'Bearer',
      scope: 'read:documents',
      client_id: 'web',
      sub: 'user_a',
      username: 'alice@acme.example',
      iss: ISSUER,
      aud: docs,
      iat,
      nbf: iat,
      exp,
      jti,
      grant_id: grantId,
      tenant: 'acme-corp',
      auth_time: authTime,
    })
  })

  test('of an agent', async () => {
    const token = await world.agentToken('doc-analyst')
    expect(await world.introspect(token)).toMatchObject({
      active: true,
      client_id: 'doc-analyst',
      sub: 'agent:doc-analyst',
      aud: 'doc-analyst',
      identity_type: 'agent',
    })
  })

  test('of a client, for several targets', async () => {
    const token = await world.clientToken('web', {
      resource: docs,
      audience: files,
    })
    const described = await world.introspect(token)
    expect(described).toMatchObject({ sub: 'web', aud: [files, docs] })
    expect(described).not.toHaveProperty('username')
    expect(described).not.toHaveProperty('identity_type')
  })

  test('of a chain of actors, the first of them first', async () => {
    const [one, two] = await delegatedTokens(world)
    expect(await world.introspect(one)).toMatchObject({
      sub: 'user_a',
      act: { sub: 'agent:orchestrator', iss: ISSUER, client_id: 'orchestrator' },
      actor_chain: ['agent:orchestrator'],
    })
    expect(await world.introspect(two)).toMatchObject({
      sub: 'user_a',
      client_id: 'specialist',
      act: { sub: 'agent:specialist', act: { sub: 'agent:orchestrator' } },
      actor_chain: ['agent:orchestrator', 'agent:specialist'],
    })
  })

  test('with may_act, where its client names one', async () => {
    const token = await world.userToken({ clientId: 'handing-on' })
    expect(await world.introspect(token)).toMatchObject({
      may_act: { sub: 'agent:specialist', iss: ISSUER },
    })
  })

  test('a refresh token, as a refresh token', async () => {
    const { refresh_token: token, access_token: access } = await world.signIn({ scope: 'openid' })
    const { iat, grant_id: grantId } = decodeJwt(String(access))
    expect(await world.introspect(token, 'web')).toEqual({
      active: true,
      token_type: 'refresh_token',
      scope: 'openid',
      client_id: 'web',
      sub: 'user_a',
      iss: ISSUER,
      iat,
      exp: clock.now + 30 * 86_400,
      grant_id: grantId,
      tenant: 'acme-corp',
    })
  })
})

describe('who sees a token:', () => {
  const callers: readonly (readonly [string, boolean])[] = [
    ['web', true],
    ['docs-api', true],
    ['auditor', true],
    ['other-web', false],
    ['service_b', false],
    ['bystander', false],
  ]
  test.each(callers)('%s: %s', async (id, sees) => {
    const token = await userToken()
    const { status, text } = await ask({ token }, basic(id, secret))
    expect(status).toBe(200)
    if (sees) expect(JSON.parse(text)).toMatchObject({ active: true, sub: 'user_a' })
    else expect(text).toBe('{"active":false}')
  })

  test('an agent, by a token of its own, sees what was issued to it and nothing else', async () => {
    const own = await world.agentToken('specialist')
    const [first, second] = await delegatedTokens(world)
    const asAgent = bearer(own)
    expect((await ask({ token: own }, asAgent)).json).toMatchObject({ active: true })
    expect((await ask({ token: second }, asAgent)).json).toMatchObject({
      actor_chain: ['agent:orchestrator', 'agent:specialist'],
    })
    expect((await ask({ token: first }, asAgent)).json).toEqual(INACTIVE)
    expect((await ask({ token: await userToken() }, asAgent)).json).toEqual(INACTIVE)
  })

  test('of a refresh token, its client alone', async () => {
    const { refresh_token: token } = await world.signIn()
    for (const id of ['auditor', 'other-web', 'docs-api', 'bystander']) {
      expect(await world.introspect(token, id)).toEqual(INACTIVE)
    }
  })
})

interface Dead {
  readonly name: string
  readonly token: () => Promise<unknown>
}

async function revoked(member: string): Promise<unknown> {
  const tokens = await world.signIn()
  await postTo(world, 'revoke', { token: String(tokens[member]) }, basic('web', secret))
  return tokens[member]
}

const dead: readonly Dead[] = [
  {
    name: 'an expired token',
    token: async () => {
      const token = await userToken()
      clock.advance(3_600_000)
      return token
    },
  },
  { name: 'a revoked access token', token: () => revoked('access_token') },
  { name: 'a revoked refresh token', token: () => revoked('refresh_token') },
  {
    name: 'a refresh token that was rotated',
    token: async () => {
      const { refresh_token: token } = await world.signIn()
      await world.refresh(token)
      return token
    },
  },
  { name: 'a token of another tenant', token: () => tokenOfGlobex(world) },
  { name: 'an ID token', token: async () => (await world.signIn())['id_token'] },
  { name: 'a proof of the platform', token: () => world.proofOf('doc-analyst') },
  { name: 'an assertion of a client', token: () => world.assertion() },
  { name: 'a token with another payload', token: async () => turned(await userToken(), 120) },
  { name: 'a token without its end', token: async () => (await userToken()).slice(0, -1) },
  {
    name: 'a token without signature',
    token: async () => `${(await userToken()).split('.', 2).join('.')}.`,
  },
  { name: 'an authorization code', token: () => world.code() },
  { name: 'a client secret', token: () => Promise.resolve(secret) },
  { name: '20 000 characters', token: () => Promise.resolve('x'.repeat(20_000)) },
  { name: 'a NUL', token: () => Promise.resolve('\0') },
]

describe('nobody learns more than that it is not active of', () => {
  for (const { name, token } of dead) {
    test(name, async () => {
      const form = { token: String(await token()) }
      for (const id of ['auditor', 'web']) {
        const { status, text } = await ask(form, basic(id, secret))
        expect({ status, text }).toEqual({ status: 200, text: '{"active":false}' })
      }
    })
  }

  test('a token of a user who was disabled', async () => {
    const { access_token: access, refresh_token: refresh } = await world.signIn({}, 'user_b')
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', true))
    expect(await world.introspect(access)).toEqual(INACTIVE)
    expect(await world.introspect(refresh, 'web')).toEqual(INACTIVE)
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', false))
    expect(await world.introspect(access)).toMatchObject({ active: true })
  })

  test('a delegated token, whose actor was revoked', async () => {
    const [first, second] = await delegatedTokens(world)
    const record = { tenant: 'acme-corp', kind: 'subject', value: 'agent:orchestrator' } as const
    const times = { notBefore: clock.now, expiresAt: clock.now + 86_400 }
    await world.withStore((store) => store.revoke([{ ...record, ...times }]))
    expect(await world.introspect(first)).toEqual(INACTIVE)
    expect(await world.introspect(second)).toEqual(INACTIVE)
    clock.advance(1_000)
  })
})

test('no token is in the log', async () => {
  const token = await userToken()
  await ask({ token }, basic('auditor', 'wrong'))
  await ask({ token: `${token}x` })
  const wrong: Json = (await ask({ token }, {})).json
  expect(wrong['error']).toBe('invalid_client')
  expect(world.log.text()).not.toContain(token.split('.')[1])
})
