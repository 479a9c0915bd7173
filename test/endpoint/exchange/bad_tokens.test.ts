import { rm } from 'node:fs/promises'
import type { JWK } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asWeb, peopledPolicy } from '../../fakes/peopled_authority.ts'
import { refuses } from '../../fakes/refusal_cases.ts'
import {
  ACCESS_TOKEN,
  basic,
  FORM,
  JWT,
  newFolder,
  secret,
  secretHash,
  type Json,
} from '../../fakes/running_authority.ts'
import { forgeriesOf, type Forgery } from './forged_tokens.ts'
import {
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World
let goodSubject: string
let goodActor: string

beforeAll(async () => {
  world = await exchangeWorld()
  await world.allow('user_a', 'doc-analyst', wide.split(' '))
  await world.allow('user_b', 'doc-analyst', wide.split(' '))
  goodSubject = await world.userToken({ scope: wide })
  goodActor = await world.agentToken('doc-analyst')
})

afterAll(async () => {
  await world.stop()
})

/** The ways in which one token can be shown. In each of them, all but that token is good. */
const places = {
  alone: (token: string): Wish => ({ subject_token: token }),
  subject: (token: string): Wish => ({ subject_token: token, actor_token: goodActor }),
  actor: (token: string): Wish => ({ subject_token: goodSubject, actor_token: token }),
}

type Place = keyof typeof places

/** The one body of a token that is not believed; proofs, and what claims to be one, have LumoAuth's code beside it. */
const description = 'The subject_token or the actor_token is not valid for this request.'
const oneBody = { error: 'invalid_request', error_description: description }
const proofBody = { ...oneBody, code: 'workload_identity_failed' }

async function refused(form: Wish, reason: string | undefined, body: Json = oneBody) {
  const http = exchangeHttp(form)
  const answer = await refusesUnchanged(world, {
    name: reason ?? 'refused',
    http,
    status: 400,
    error: 'invalid_request',
    ...(body === proofBody && { code: 'workload_identity_failed' }),
    ...(reason !== undefined && { reason }),
  })
  expect(answer.text).toBe(JSON.stringify(body))
}

test('the tokens that stand beside are good', async () => {
  granted(await world.ask({ subject_token: goodSubject, actor_token: goodActor }))
  granted(await world.ask({ subject_token: goodSubject }))
})

async function forgeries(token: string): Promise<readonly Forgery[]> {
  const { json } = await world.send({ path: '/t/acme-corp/api/v1/.well-known/jwks.json' })
  const [jwk] = json['keys'] as readonly JWK[]
  if (!jwk) throw new Error('no key')
  return forgeriesOf(token, jwk)
}

describe('forged', () => {
  test.each(['alone', 'subject'] as const)('as subject, %s, called an access token', async (at) => {
    for (const { token, fault, saysOurs } of await forgeries(goodSubject)) {
      await refused(places[at](token), saysOurs ? `subject_${fault}` : 'subject_foreign')
    }
  })

  test('as subject, called a JWT, what does not say that it is ours is held to be a proof', async () => {
    for (const { token, fault, saysOurs } of await forgeries(goodSubject)) {
      const form = { ...places.alone(token), subject_token_type: JWT }
      await (saysOurs ? refused(form, `subject_${fault}`) : refused(form, undefined, proofBody))
    }
  })

  test.each([ACCESS_TOKEN, JWT])('as actor, called %s', async (type) => {
    for (const { token, fault } of await forgeries(goodActor)) {
      await refused({ ...places.actor(token), actor_token_type: type }, `actor_${fault}`)
    }
  })
})

const everywhere: readonly Place[] = ['alone', 'subject', 'actor']

interface Foreign {
  readonly name: string
  readonly token: () => Promise<string>
  readonly as: readonly Place[]
  readonly reason: (as: 'subject' | 'actor') => string
}

async function ofGlobex(): Promise<string> {
  const { json } = await world.send({
    method: 'POST',
    path: '/t/globex/api/v1/oauth/token',
    headers: { ...FORM, ...asWeb },
    body: 'grant_type=client_credentials',
  })
  return String(json['access_token'])
}

const signedIn = async (member: string) => {
  const json = await world.signIn({ scope: `openid ${wide}` })
  if (typeof json[member] !== 'string') throw new Error(`no ${member}`)
  return json[member]
}

const foreign: readonly Foreign[] = [
  {
    name: 'a token of another tenant',
    token: ofGlobex,
    as: everywhere,
    reason: (as) => (as === 'subject' ? 'subject_foreign' : 'actor_token_foreign'),
  },
  {
    name: 'an ID token',
    token: () => signedIn('id_token'),
    as: everywhere,
    reason: (as) => `${as}_token_type`,
  },
  {
    name: 'a refresh token',
    token: () => signedIn('refresh_token'),
    as: everywhere,
    reason: (as) => (as === 'subject' ? 'subject_foreign' : 'actor_token_malformed'),
  },
  {
    name: 'an authorization code',
    token: () => world.code(),
    as: everywhere,
    reason: (as) => (as === 'subject' ? 'subject_foreign' : 'actor_token_malformed'),
  },
  {
    name: "a platform's proof as actor",
    token: () => world.proofOf('doc-analyst'),
    as: ['actor'],
    reason: () => 'actor_token_type',
  },
]

for (const { name, token, as, reason } of foreign) {
  for (const place of as) {
    test(`${name} is no token of ours: ${place}`, async () => {
      await refused(places[place](await token()), reason(place === 'actor' ? 'actor' : 'subject'))
    })
  }
}

test('a token of another tenant is no proof either, nor is an ID token', async () => {
  await refused(
    { subject_token: await ofGlobex(), subject_token_type: JWT },
    'issuer_unknown',
    proofBody,
  )
  await refused(
    { subject_token: await signedIn('id_token'), subject_token_type: JWT },
    'subject_token_type',
  )
  const beside = { subject_token: await ofGlobex(), actor_token: goodActor }
  await refused({ ...beside, subject_token_type: JWT }, 'actor_with_proof')
})

async function revoke(token: string, authorization: Readonly<Record<string, string>>) {
  const { status } = await world.send({
    method: 'POST',
    path: '/t/acme-corp/api/v1/oauth/revoke',
    headers: { ...FORM, ...authorization },
    body: new URLSearchParams({ token }).toString(),
  })
  expect(status).toBe(200)
}

test('an expired token, from the second at which it ends', async () => {
  const [user, agent] = [
    await world.userToken({ scope: wide }),
    await world.agentToken('doc-analyst'),
  ]
  world.clock.jump(3_599_000)
  const atLast = await world.ask({ subject_token: user, actor_token: agent })
  granted(atLast)
  expect(atLast.json['expires_in']).toBe(1)
  const [laterUser, laterAgent] = [
    await world.userToken({ scope: wide }),
    await world.agentToken('doc-analyst'),
  ]
  world.clock.jump(1_000)
  await refused({ subject_token: user }, 'subject_token_expired')
  await refused({ subject_token: user, actor_token: laterAgent }, 'subject_token_expired')
  await refused({ subject_token: laterUser, actor_token: agent }, 'actor_token_expired')
  world.clock.jump(-3_600_000)
})

test('a token that was revoked', async () => {
  const user = await world.userToken({ scope: wide })
  const agent = await world.agentToken('doc-analyst')
  granted(await world.ask({ subject_token: user, actor_token: agent }))
  await revoke(user, asWeb)
  await refused(places.alone(user), 'subject_token_revoked')
  await refused(places.subject(user), 'subject_token_revoked')
  await revoke(agent, {})
  await refused(places.alone(agent), 'subject_token_revoked')
  await refused(places.actor(agent), 'actor_token_revoked')
})

test('a token whose grant was ended, and what was made of it before', async () => {
  const { access_token: user, refresh_token: refresh } = await world.signIn({ scope: wide })
  const narrowed = granted(await world.ask({ subject_token: String(user), scope: 'read:reports' }))
  const acted = granted(await world.ask(places.subject(String(user))))
  await revoke(String(refresh), asWeb)
  for (const token of [String(user), narrowed, acted]) {
    await refused(places.alone(token), 'subject_token_revoked')
    await refused(places.subject(token), 'subject_token_revoked')
  }
})

test('a token of a user who was disabled, until they are let in again', async () => {
  const user = await world.userToken({ scope: wide }, 'user_b')
  const acted = granted(await world.ask(places.subject(user)))
  await world.store.setUserDisabled('acme-corp', 'user_b', true)
  for (const token of [user, acted]) {
    await refused(places.alone(token), 'subject_token_orphaned')
    await refused(places.subject(token), 'subject_token_orphaned')
  }
  await world.store.setUserDisabled('acme-corp', 'user_b', false)
  granted(await world.ask(places.subject(user)))
})

test('a token of a client that was removed', async () => {
  const registration = {
    grantTypes: ['client_credentials', 'token_exchange'],
    grants: [{ scopes: ['read:documents'] }],
    delegation: { scopes: ['read:documents'] },
  }
  await world.store.addClient({
    tenant: 'acme-corp',
    id: 'passing',
    registration: JSON.stringify(registration),
    secretHashes: [Buffer.from(secretHash(secret).slice('sha256:'.length), 'base64url')],
    createdAt: world.clock.now,
  })
  await world.allow('user_a', 'passing', ['read:documents'])
  const token = await world.clientToken('passing')
  const acted = granted(await world.ask(places.actor(token)))
  expect(await world.store.removeClient('acme-corp', 'passing')).toBe(true)
  await refused(places.alone(token), 'subject_token_orphaned')
  await refused(places.actor(token), 'actor_token_orphaned')
  await refused(places.alone(acted), 'subject_token_orphaned')
  const http = exchangeHttp(places.actor(token), basic('passing', secret))
  await refuses(world, {
    name: 'its secret',
    http,
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  })
})

test('a token of an agent that the policy no longer has', async () => {
  const folder = await newFolder()
  const before = await exchangeWorld({ folder })
  await before.allow('user_a', 'shallow', wide.split(' '))
  const subject = await before.userToken({ scope: wide })
  const actor = await before.agentToken('shallow')
  const acted = granted(await before.ask({ subject_token: subject, actor_token: actor }))
  await before.stop()
  const policy = peopledPolicy.replaceAll('shallow', 'successor')
  const after = await exchangeWorld({ folder, policy })
  granted(await after.ask({ subject_token: subject }))
  const reasons: readonly (readonly [Wish, string])[] = [
    [{ subject_token: actor }, 'subject_token_orphaned'],
    [{ subject_token: subject, actor_token: actor }, 'actor_token_orphaned'],
    [{ subject_token: acted }, 'subject_token_orphaned'],
  ]
  for (const [form, reason] of reasons) {
    const http = exchangeHttp(form)
    await refuses(after, { name: reason, http, status: 400, error: 'invalid_request', reason })
  }
  await after.stop()
  await rm(folder, { recursive: true })
})
