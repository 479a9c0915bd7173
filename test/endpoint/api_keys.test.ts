import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newApiKey } from '../../src/endpoint/authz/api_key.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { FakeClock } from '../fakes/clock.ts'
import {
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { FORM, type Answer, type HttpWish, type Json } from '../fakes/running_authority.ts'
import { pathOf, turned } from './beside.ts'

const roles = `
roles:
  - { name: viewer, permissions: [document.view], clients: [service_b, docs-api] }
  - { name: reader, permissions: [report.read], users: [user_a] }
`

const clock = new FakeClock()
let world: Peopled
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-api-keys-'))
  const file = join(folder, 'roles.yaml')
  await writeFile(file, roles)
  const clients = peopledClients(await newClientKey()).map((client) =>
    client['id'] === 'service_b' ? { ...client, mayCheckUsers: true } : client,
  )
  world = await peopledAuthority({ clock, tenant: { roles: file, clients } })
})

afterAll(async () => {
  await world.stop()
  await rm(folder, { recursive: true })
})

interface KeyWish {
  readonly at?: Peopled
  readonly tenant?: string
  readonly clientId?: string
  /** Unix seconds. */
  readonly expiresAt?: number
  readonly createdAt?: number
}

/** A key that lies in the store, as the command puts it there. */
async function keyOf({
  at = world,
  tenant = 'acme-corp',
  clientId = 'service_b',
  expiresAt,
  createdAt = clock.now,
}: KeyWish = {}): Promise<string> {
  const { id, text, hash } = newApiKey(tenant, systemRandom)
  await at.withStore((store) =>
    store.addApiKey({ tenant, id, clientId, hash, name: 'a test', createdAt, expiresAt }),
  )
  return text
}

const ROOT = '/api/v1/authz/'
const UNDER = '/t/acme-corp/api/v1/authz/'
const permission = 'document.view'
const permissions = ['document.view', 'report.read']
const inHeader = (key: string) => ({ 'x-api-key': key })
const asBearer = (key: string) => ({ authorization: `Bearer ${key}` })

function ask(
  call: string,
  headers: HttpWish['headers'],
  body: Json = { permission },
  more: HttpWish = {},
): Promise<Answer> {
  return world.send({
    method: 'POST',
    path: ROOT + call,
    body: JSON.stringify(body),
    ...more,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

describe('an API key', () => {
  test.each([
    ['in its header', inHeader],
    ['as a bearer token', asBearer],
    ['under the scheme in small letters', (key: string) => ({ authorization: `bearer ${key}` })],
  ])('is taken %s, at the root and under both prefixes', async (_name, shown) => {
    const key = await keyOf()
    for (const path of [ROOT, UNDER, UNDER.replace('/t/', '/orgs/')]) {
      const answer = await ask('check', shown(key), { permission }, { path: `${path}check` })
      expect([answer.status, answer.json]).toEqual([200, { allowed: true, permission }])
    }
  })

  test.each([
    ['check', { permission }],
    ['check', { permission: 'report.read' }],
    ['check', { permission, user_id: 'user_a' }],
    ['check', { permission, user_id: 'service_b' }],
    ['check-bulk', { permissions }],
    ['check-any', { permissions, context: { at: 1 } }],
    ['check-all', { permissions, user_id: 'user_a' }],
    ['check', {}],
    ['check-any', { permissions: [] }],
  ])('asks as a token of its client does: %s %j', async (call, body) => {
    const byToken = await ask(call, asBearer(await world.clientToken('service_b')), body)
    const byKey = await ask(call, inHeader(await keyOf()), body)
    expect([byKey.status, byKey.json]).toEqual([byToken.status, byToken.json])
  })

  test('lists what its client may do', async () => {
    const more = { method: 'GET', path: `${ROOT}permissions`, body: '' }
    const { json } = await ask('permissions', inHeader(await keyOf()), {}, more)
    expect(json).toEqual({
      permissions: [{ slug: permission, description: '', source: 'role:viewer' }],
      count: 1,
    })
  })

  test('asks about users only where its client may', async () => {
    const about = { permission: 'report.read', user_id: 'user_a' }
    const allowed = await ask('check', inHeader(await keyOf()), about)
    expect(allowed.json).toEqual({ allowed: true, ...about })
    const other = await ask('check', inHeader(await keyOf({ clientId: 'docs-api' })), about)
    expect([other.status, other.json['code']]).toEqual([403, 'access_denied'])
  })

  test('is good until it expires', async () => {
    const key = await keyOf({ expiresAt: clock.now + 10 })
    clock.advance(9_000)
    expect((await ask('check', inHeader(key))).status).toBe(200)
    clock.advance(1_000)
    expect((await ask('check', inHeader(key))).status).toBe(401)
  })

  test('that was removed is refused at once, and another of the same client is not', async () => {
    const [old, next] = [await keyOf(), await keyOf()]
    await world.withStore((store) => store.removeApiKey('acme-corp', old.split('.')[1] ?? ''))
    expect((await ask('check', inHeader(old))).status).toBe(401)
    expect((await ask('check', inHeader(next))).status).toBe(200)
  })
})

/** The one answer to whatever is wrong with a key. */
const refusedKey = {
  error: 'invalid_token',
  error_description: 'The API key is invalid, expired or removed.',
  code: 'invalid_token',
  message: 'The API key is invalid, expired or removed.',
  status: 401,
}

const registration = JSON.stringify({ methods: ['client_secret_basic'] })

async function register(id: string): Promise<void> {
  await world.withStore((store) =>
    store.addClient({
      tenant: 'acme-corp',
      id,
      registration,
      secretHashes: [],
      createdAt: clock.now,
    }),
  )
}

async function keyOfRemovedClient(id: string): Promise<string> {
  await register(id)
  const key = await keyOf({ clientId: id })
  expect((await ask('check', inHeader(key))).status).toBe(200)
  await world.withStore((store) => store.removeClient('acme-corp', id))
  return key
}

const globex = () => keyOf({ tenant: 'globex', clientId: 'web' })

describe('is refused like every other bad key:', () => {
  const bad: readonly (readonly [name: string, key: () => string | Promise<string>])[] = [
    ['nothing', () => ''],
    ['its prefix alone', () => 'lmk_'],
    ['another prefix', async () => (await keyOf()).replace('lmk_', 'lk_')],
    ['a prefix in capitals', async () => (await keyOf()).replace('lmk_', 'LMK_')],
    ['an access token', () => world.clientToken('service_b')],
    ['a key that was cut', async () => (await keyOf()).slice(0, -1)],
    ['a key that is too long', async () => `${await keyOf()}A`],
    ['a key without secret', async () => (await keyOf()).replace(/[^.]+$/, '')],
    ['a wrong secret', async () => turned(await keyOf(), (await keyOf()).length - 20)],
    ['an id of nobody', () => newApiKey('acme-corp', systemRandom).text],
    ['the secret of another key', async () => swapped(await keyOf(), await keyOf())],
    ['a tenant that is not there', async () => (await keyOf()).replace('acme-corp', 'nobody')],
    ['another tenant in its text', async () => (await keyOf()).replace('acme-corp', 'globex')],
    ['a tenant that every object has', async () => (await keyOf()).replace('acme', 'constructor')],
    ['a path for a tenant', async () => (await keyOf()).replace('acme-corp', '../acme-corp')],
    ['letters beyond ASCII', () => 'lmk_acme-corp.ÿé.ß'],
    ['UTF-8', () => Buffer.from('lmk_acme-corp.ключ.😀').toString('latin1')],
    ['12 000 characters', () => `lmk_${'x'.repeat(12_000)}`],
    ['a key of a client that was removed', () => keyOfRemovedClient('leaving')],
    ['a key of nobody', () => keyOf({ clientId: 'nobody' })],
    ['a key of an agent', () => keyOf({ clientId: 'specialist' })],
    ['a key of a user', () => keyOf({ clientId: 'user_a' })],
    ['a key of a client without tokens of its own', () => keyOf({ clientId: 'other-web' })],
    ['a key of a client whose tokens are bound to a key', () => keyOf({ clientId: 'bound' })],
    ['a key that has expired', () => keyOf({ expiresAt: clock.now })],
    [
      'a key of a client whose id was given to another',
      async () => {
        const key = await keyOfRemovedClient('returning')
        clock.advance(1_000)
        await register('returning')
        return key
      },
    ],
  ]

  test.each(bad)('%s', async (_name, make) => {
    const key = await make()
    for (const path of [ROOT, UNDER]) {
      const answer = await ask('check', inHeader(key), { permission }, { path: `${path}check` })
      expect([answer.status, answer.json]).toEqual([401, refusedKey])
      expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
    }
  })

  test('a good key of another tenant, under the prefix of this one', async () => {
    const key = await globex()
    expect((await ask('check', inHeader(key))).status).toBe(200)
    for (const shown of [inHeader(key), asBearer(key)]) {
      const answer = await ask('check', shown, { permission }, { path: `${UNDER}check` })
      expect([answer.status, answer.json]).toEqual([401, refusedKey])
    }
  })

  test('a bad key as a bearer token', async () => {
    const { status, json } = await ask('check', asBearer(turned(await keyOf(), 40)))
    expect([status, json]).toEqual([401, refusedKey])
  })
})

function swapped(one: string, other: string): string {
  return one.replace(/[^.]+$/, other.replace(/^.*\./, ''))
}

describe('what cannot be told apart is refused:', () => {
  const twice: readonly (readonly [name: string, headers: () => Promise<HttpWish['headers']>])[] = [
    [
      'a key and a token',
      async () => ({
        ...inHeader(await keyOf()),
        ...asBearer(await world.clientToken('docs-api')),
      }),
    ],
    [
      'a key in both headers',
      async () => {
        const key = await keyOf()
        return { ...inHeader(key), ...asBearer(key) }
      },
    ],
    ['a key and an empty header', async () => ({ ...inHeader(await keyOf()), authorization: '' })],
    ['two keys', async () => ({ 'x-api-key': [await keyOf(), await keyOf()] })],
    ['one key twice', async () => ({ 'x-api-key': Array<string>(2).fill(await keyOf()) })],
  ]

  test.each(twice)('%s', async (_name, headers) => {
    const { status, json } = await ask('check', await headers())
    expect([status, json['code'], json['status']]).toEqual([400, 'invalid_request', 400])
  })
})

test.each([
  ['20 000', 20_000],
  ['100 000', 100_000],
])('a header of %s characters is not read to its end', async (_name, length) => {
  // Node ends the connection while the rest is still being sent, which may come before its answer.
  const status = await ask('check', inHeader(`lmk_${'x'.repeat(length)}`)).then(
    (answer) => answer.status,
    (error: NodeJS.ErrnoException) => error.code,
  )
  expect([431, 'ECONNRESET', 'EPIPE']).toContain(status)
  expect((await ask('check', inHeader(await keyOf()))).status).toBe(200)
})

describe('nothing else takes a key:', () => {
  const post = { method: 'POST', headers: FORM }
  const grant = 'grant_type=client_credentials'
  const elsewhere: readonly (readonly [name: string, clientId: string, wish: HttpWish])[] = [
    ['userinfo', 'service_b', { path: pathOf('userinfo') }],
    ['introspection', 'auditor', { ...post, path: pathOf('introspect'), body: 'token=x' }],
    ['the token endpoint', 'service_b', { ...post, path: pathOf('token'), body: grant }],
  ]
  const ways = [
    ['in its header', inHeader],
    ['as a bearer token', asBearer],
  ] as const
  const cases = elsewhere.flatMap(([place, clientId, wish]) =>
    ways.map(([way, shown]) => ({ name: `${place}, ${way}`, clientId, wish, shown })),
  )

  test.each(cases)('$name', async ({ clientId, wish, shown }) => {
    const headers = { ...wish.headers, ...shown(await keyOf({ clientId })) }
    expect((await world.send({ ...wish, headers })).status).toBe(401)
  })

  test.each(ways)('revocation, %s', async (_name, shown) => {
    const token = await world.clientToken('service_b')
    const body = `token=${token}`
    const headers = { ...FORM, ...shown(await keyOf()) }
    await world.send({ ...post, path: pathOf('revoke'), headers, body })
    expect(await world.introspect(token)).toMatchObject({ active: true })
  })
})

test.each([
  ['of the tenant', 'acme-corp'],
  ['of a tenant that is not there', 'nobody'],
])('an address that shows too many bad keys %s is told to wait', async (_name, tenant) => {
  const strict = await peopledAuthority({ clock, limits: { failuresPerMinute: 2 } })
  try {
    const statuses: number[] = []
    for (const key of Array.from({ length: 3 }, () => newApiKey(tenant, systemRandom).text)) {
      const headers = { 'content-type': 'application/json', ...inHeader(key) }
      const body = JSON.stringify({ permission })
      const answer = await strict.send({ method: 'POST', path: `${ROOT}check`, headers, body })
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([401, 401, 429])
  } finally {
    await strict.stop()
  }
})

describe('the log says what is wrong with a key, and never the key:', () => {
  const wrong: readonly (readonly [reason: string, key: () => string | Promise<string>])[] = [
    ['api_key_malformed', async () => `${await keyOf()}A`],
    ['api_key_foreign', globex],
    ['api_key_unknown', () => newApiKey('acme-corp', systemRandom).text],
    ['api_key_unknown', async () => swapped(await keyOf(), await keyOf())],
    ['api_key_expired', () => keyOf({ expiresAt: clock.now })],
    ['api_key_orphaned', () => keyOf({ clientId: 'nobody' })],
  ]

  test.each(wrong)('%s', async (reason, make) => {
    const key = await make()
    const [, id = '', hidden = ''] = key.split('.')
    await ask('check', asBearer(key), { permission }, { path: `${UNDER}check` })
    const { fields } = world.log.lines.at(-1) ?? {}
    // Of a key that is not proven its id is a text of whoever sent it.
    const proven = ['api_key_expired', 'api_key_orphaned'].includes(reason)
    const detail = proven ? `API key ${id}` : undefined
    expect(fields).toEqual({ tenant: 'acme-corp', reason, detail })
    expect(world.log.text()).not.toContain(hidden)
  })
})
