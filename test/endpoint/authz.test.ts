import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  peopledAuthority,
  peopledClients,
  newClientKey,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { docs, type Answer, type HttpWish, type Json } from '../fakes/running_authority.ts'
import { delegatedTokens, tokenOfGlobex, turned } from './beside.ts'

const roles = `
permissions:
  - { slug: document.view, description: See documents. }
roles:
  - name: editor
    permissions: [document.view, document.edit]
    agents: [orchestrator]
  - name: viewer
    permissions: [document.view]
    users: [user_b]
    agents: [specialist]
    clients: [service_b]
  - name: reader
    permissions: [document.view, report.read]
    users: [user_a]
`

let world: Peopled
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-roles-'))
  const file = join(folder, 'roles.yaml')
  await writeFile(file, roles)
  const key = await newClientKey()
  const clients = peopledClients(key).map((client) =>
    client['id'] === 'service_b' ? { ...client, mayCheckUsers: true } : client,
  )
  world = await peopledAuthority({ tenant: { roles: file, clients } })
})

afterAll(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

const ROOT = '/api/v1/authz/'
const UNDER = '/t/acme-corp/api/v1/authz/'

function ask(
  call: string,
  token: unknown,
  body: Json | string | undefined,
  more: HttpWish = {},
): Promise<Answer> {
  return world.send({
    method: 'POST',
    path: ROOT + call,
    body: typeof body === 'object' ? JSON.stringify(body) : (body ?? ''),
    ...more,
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${String(token)}`,
      ...more.headers,
    },
  })
}

const permission = 'document.view'
const permissions = ['document.view', 'document.edit', 'document.delete']

describe('a check', () => {
  test.each([
    ['of a user by a role of its own', 'user_a', 'document.edit', true],
    ['of a user by a role that names it', 'user_a', 'report.read', true],
    ['of a user without it', 'user_b', 'document.edit', false],
    ['of what nobody has', 'user_a', 'document.delete', false],
    ['of a name that every object has', 'user_a', 'constructor', false],
  ])('%s', async (_name, sub, wanted, allowed) => {
    const answer = await ask('check', await world.userToken({}, sub), { permission: wanted })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ allowed, permission: wanted, user_id: sub })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('of a client is answered as the quickstart shows it', async () => {
    const { json } = await ask('check', await world.clientToken('service_b'), { permission })
    expect(json).toEqual({ allowed: true, permission })
  })

  test('of an agent goes by its name in the trust policy', async () => {
    const token = await world.agentToken('specialist')
    const { json } = await ask('check-bulk', token, { permissions })
    expect(json).toEqual({
      results: { 'document.view': true, 'document.edit': false, 'document.delete': false },
    })
  })

  test('with a token for an API is answered: it is how that API asks', async () => {
    const token = await world.userToken({ resources: [docs], scope: 'openid read:documents' })
    expect((await ask('check', token, { permission })).json['allowed']).toBe(true)
  })

  test('gives a context back', async () => {
    const context = { resource: { id: 7 }, at: null }
    const token = await world.clientToken('service_b')
    const { json } = await ask('check', token, { permission, context })
    expect(json).toEqual({ allowed: true, permission, context })
  })

  test.each([
    ['check-any', permissions, true],
    ['check-any', ['document.delete'], false],
    ['check-all', permissions, false],
    ['check-all', ['document.view', 'document.edit'], true],
  ])('%s %j', async (call, wanted, allowed) => {
    const { json } = await ask(call, await world.userToken(), { permissions: wanted })
    expect(json).toEqual({ allowed, permissions: wanted, user_id: 'user_a' })
  })

  test('under either prefix of the tenant, and not under that of another', async () => {
    const token = await world.userToken()
    for (const path of [UNDER, UNDER.replace('/t/', '/orgs/')]) {
      expect((await ask('check', token, { permission }, { path: `${path}check` })).status).toBe(200)
    }
    const path = `${UNDER.replace('acme-corp', 'globex')}check`
    expect((await ask('check', token, { permission }, { path })).status).toBe(401)
  })

  test('at the root goes to the tenant of its token', async () => {
    const { json } = await ask('check', await tokenOfGlobex(world), { permission })
    expect(json).toEqual({ allowed: false, permission })
  })
})

test('where somebody acts for a user, all of them need the permission', async () => {
  const [first, second] = await delegatedTokens(world)
  const results = async (token: string) =>
    (await ask('check-bulk', token, { permissions: ['document.view', 'document.edit'] })).json[
      'results'
    ]
  expect(await results(first)).toEqual({ 'document.view': true, 'document.edit': true })
  expect(await results(second)).toEqual({ 'document.view': true, 'document.edit': false })
})

describe('of another user', () => {
  const about = (user: string | number) => ({ permission, user_id: user })

  test('a client that is registered for it may ask', async () => {
    const token = await world.clientToken('service_b')
    expect((await ask('check', token, about('user_a'))).json).toEqual({
      allowed: true,
      permission,
      user_id: 'user_a',
    })
    expect((await ask('check', token, about(7))).json['allowed']).toBe(false)
  })

  test('one who is kept out may nothing, whatever the roles say', async () => {
    const token = await world.clientToken('service_b')
    const keep = (isOut: boolean) =>
      world.withStore((store) => store.setUserDisabled('acme-corp', 'user_a', isOut))
    await keep(true)
    const { status, json } = await ask('check', token, about('user_a'))
    await keep(false)
    expect([status, json['allowed']]).toEqual([200, false])
  })

  test('nobody else may', async () => {
    const others = [
      await world.userToken(),
      await world.clientToken('docs-api'),
      await world.agentToken('specialist'),
    ]
    for (const token of others) {
      const { status, json } = await ask('check', token, about('user_b'))
      expect([status, json['error']]).toEqual([403, 'access_denied'])
    }
  })

  test('but a user may name itself', async () => {
    const answer = await ask('check', await world.userToken(), about('user_a'))
    expect(answer.json['allowed']).toBe(true)
  })
})

describe('all permissions', () => {
  const list = (token: string, more: HttpWish = {}) =>
    ask('permissions', token, undefined, { method: 'GET', ...more })

  test('of a user are listed, each once, with what gives it', async () => {
    const { json } = await list(await world.userToken())
    expect(json).toEqual({
      user_id: 'user_a',
      permissions: [
        { slug: 'document.edit', description: '', source: 'role:editor' },
        { slug: 'document.view', description: 'See documents.', source: 'role:reader' },
        { slug: 'report.read', description: '', source: 'role:reader' },
      ],
      count: 3,
    })
  })

  test('of whom nobody gave any are none', async () => {
    const { json } = await list(await world.clientToken('docs-api'))
    expect(json).toEqual({ permissions: [], count: 0 })
  })

  test('of a chain are those that all have', async () => {
    const [, second] = await delegatedTokens(world)
    const slugs = ((await list(second)).json['permissions'] as readonly Json[]).map(
      ({ slug }) => slug,
    )
    expect(slugs).toEqual(['document.view'])
  })

  test('are not for the API that a token was made for', async () => {
    const token = await world.userToken({ resources: [docs] })
    expect((await list(token)).status).toBe(401)
  })
})

interface Bad {
  readonly name: string
  readonly call?: string
  readonly body?: Json | string
  readonly more?: HttpWish
  readonly status: number
  readonly code: string
}

const bad: readonly Bad[] = [
  { name: 'nothing', status: 400, code: 'MISSING_PERMISSION' },
  { name: 'a number', body: { permission: 7 }, status: 400, code: 'MISSING_PERMISSION' },
  { name: 'an empty text', body: { permission: '' }, status: 400, code: 'MISSING_PERMISSION' },
  {
    name: 'no list',
    call: 'check-bulk',
    body: { permissions: 'a' },
    status: 400,
    code: 'INVALID_PERMISSIONS',
  },
  {
    name: 'an empty list',
    call: 'check-any',
    body: { permissions: [] },
    status: 400,
    code: 'INVALID_PERMISSIONS',
  },
  {
    name: 'a list too long',
    call: 'check-all',
    body: { permissions: Array.from({ length: 101 }, () => 'a') },
    status: 400,
    code: 'INVALID_PERMISSIONS',
  },
  { name: 'no JSON', body: '{', status: 400, code: 'invalid_request' },
  { name: 'a list as the body', body: '[]', status: 400, code: 'invalid_request' },
  {
    name: 'a member twice',
    body: '{"permission":"a","permission":"b"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a context that is a text',
    body: { permission, context: 'x' },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a user that is a list',
    body: { permission, user_id: [] },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a form',
    body: 'permission=a',
    more: { headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a query',
    body: { permission },
    more: { path: `${ROOT}check?permission=b` },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a body of 70 000 characters',
    body: { permission: 'x'.repeat(70_000) },
    status: 413,
    code: 'invalid_request',
  },
  {
    name: 'an API key beside the token',
    body: { permission },
    more: { headers: { 'x-api-key': 'lmk_x' } },
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'no token',
    body: { permission },
    more: { headers: { authorization: '' } },
    status: 401,
    code: 'invalid_token',
  },
]

describe('is refused with a body that every SDK can read:', () => {
  for (const { name, call = 'check', body, more, status, code } of bad) {
    test(name, async () => {
      const answer = await ask(call, await world.userToken(), body, more)
      expect([answer.status, answer.json['error']]).toEqual([status, code])
      if (status === 413) return
      expect(answer.json).toMatchObject({
        code,
        status,
        message: answer.json['error_description'],
        error_description: expect.any(String) as string,
      })
    })
  }

  test.each([
    ['a token that was changed', async () => turned(await world.userToken(), 120)],
    ['a proof of the platform', () => world.proofOf('specialist')],
    ['a refresh token', async () => (await world.signIn())['refresh_token']],
    ['12 000 characters', () => Promise.resolve('x'.repeat(12_000))],
  ])('%s', async (_name, token) => {
    const { status, json, headers } = await ask('check', await token(), { permission })
    expect([status, json['error']]).toEqual([401, 'invalid_token'])
    expect(headers['www-authenticate']).toContain('Bearer')
  })
})
