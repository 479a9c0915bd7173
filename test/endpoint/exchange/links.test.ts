import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AuthorizationRequest } from '../../../src/endpoint/authorize/issue_code.ts'
import { basic, docs, secret } from '../../fakes/running_authority.ts'
import { asDocsApi, claimsOf, exchangeWorld, granted, scopesOf, wide, type World } from './world.ts'

let world: World

beforeAll(async () => {
  world = await exchangeWorld()
  // user_a has allowed these; user_b nobody, so that there it is the other links that decide.
  for (const agent of ['doc-analyst', 'orchestrator', 'specialist']) {
    await world.allow('user_a', agent, wide.split(' '))
  }
})

afterAll(async () => {
  await world.stop()
})

const ofUser = () => world.userToken({ scope: wide })
const ofAgent = (name: string) => () => world.agentToken(name)
const ofDocsApi = () => world.clientToken('docs-api')
const read = ['read:documents']
const reads = ['read:documents', 'read:reports']

/** A chain of agents, each of which acts for the token that the one before it made. */
async function chain(subject: string, ...actors: readonly string[]): Promise<string> {
  let token = subject
  for (const name of actors) {
    const actor = await world.agentToken(name)
    token = granted(await world.ask({ subject_token: token, actor_token: actor }))
  }
  return token
}

interface LinkCase {
  readonly name: string
  readonly sub: string
  readonly request: Partial<AuthorizationRequest>
  readonly actor: () => Promise<string>
  readonly headers?: Readonly<Record<string, string>>
  readonly by: string
  readonly aud?: string
}

const links: readonly LinkCase[] = [
  {
    name: 'the subject token was issued to the client of the actor',
    sub: 'user_b',
    // Confined, so that nothing but its client_id names the actor.
    request: { clientId: 'desk', scope: 'read:documents', resources: [docs] },
    actor: () => world.clientToken('desk'),
    headers: basic('desk', secret),
    by: 'desk',
    aud: docs,
  },
  {
    name: 'the subject token was made for the actor, which asks by its Basic',
    sub: 'user_b',
    request: { scope: 'read:documents', resources: [docs] },
    actor: ofDocsApi,
    headers: asDocsApi,
    by: 'docs-api',
  },
  {
    name: 'the subject token was made for the actor, which shows its token alone',
    sub: 'user_b',
    request: { scope: 'read:documents', resources: [docs] },
    actor: ofDocsApi,
    by: 'docs-api',
  },
  {
    name: 'the subject token says that the actor may',
    sub: 'user_b',
    request: { clientId: 'handing-on', scope: 'read:documents' },
    actor: ofAgent('specialist'),
    by: 'specialist',
  },
  {
    name: 'the user has allowed the actor',
    sub: 'user_a',
    request: { scope: 'read:documents' },
    actor: ofAgent('specialist'),
    by: 'specialist',
  },
]

for (const { name, sub, request, actor, headers, by, aud = by } of links) {
  test(`an actor and a subject belong together where ${name}`, async () => {
    const subject = await world.userToken(request, sub)
    const form = { subject_token: subject, actor_token: await actor() }
    const claims = claimsOf(granted(await world.ask(form, headers)))
    // A token that was made for the actor itself confines it to no place: what it acts with is its own.
    expect(claims).toMatchObject({ sub, client_id: by, aud, scope: 'read:documents' })
    const further = claimsOf(granted(await world.ask({ ...form, audience: docs }, headers)))
    expect(further).toMatchObject({ sub, client_id: by, aud: docs, scope: 'read:documents' })
  })
}

test('what a user allowed bounds what the agent gets of their token', async () => {
  await world.allow('user_b', 'doc-analyst', ['read:reports', 'read:documents'])
  const subject = await world.userToken({ scope: wide }, 'user_b')
  const form = { subject_token: subject, actor_token: await world.agentToken('doc-analyst') }
  expect(scopesOf(claimsOf(granted(await world.ask(form))))).toEqual(reads)
  const there = await world.ask({ ...form, audience: docs })
  expect(scopesOf(claimsOf(granted(there)))).toEqual(read)
  // A later word of the user replaces the one before, and taking it back ends it.
  await world.allow('user_b', 'doc-analyst', ['read:reports'])
  expect(scopesOf(claimsOf(granted(await world.ask(form))))).toEqual(['read:reports'])
  await world.store.removeUserGrant('acme-corp', 'user_b', 'doc-analyst')
  expect((await world.ask(form)).json).toMatchObject({ code: 'consent_required' })
})

const MINUTE = 60_000
const ends = [
  {
    name: 'the subject, of a client with short-lived tokens',
    subject: () => world.userToken({ clientId: 'desk', scope: 'read:documents' }),
    between: 0,
    actor: ofAgent('doc-analyst'),
    first: 'subject',
  },
  {
    name: 'the subject, which is older',
    subject: ofUser,
    between: 20 * MINUTE,
    actor: ofAgent('doc-analyst'),
    first: 'subject',
  },
  {
    name: 'the actor, which is older',
    subject: ofUser,
    between: -20 * MINUTE,
    actor: ofAgent('doc-analyst'),
    first: 'actor',
  },
] as const

for (const { name, subject, between, actor, first } of ends) {
  test(`a delegated token ends with the earlier of the two: ${name}`, async () => {
    const of = await subject()
    world.clock.jump(between)
    const by = await actor()
    world.clock.jump(MINUTE + Math.max(0, -between))
    const answer = await world.ask({ subject_token: of, actor_token: by })
    const { exp } = claimsOf(granted(answer))
    const [subjectEnd, actorEnd] = [claimsOf(of)['exp'], claimsOf(by)['exp']]
    expect(exp).toBe(first === 'subject' ? subjectEnd : actorEnd)
    expect(exp).toBe(Math.min(Number(subjectEnd), Number(actorEnd)))
    expect(answer.json['expires_in']).toBe(Number(exp) - world.clock.now)
  })
}

test('what ends the grant of a user ends what agents made of it', async () => {
  const { access_token: subject, refresh_token: refresh } = await world.signIn({ scope: wide })
  const token = await chain(String(subject), 'orchestrator', 'specialist')
  expect(await world.introspect(token)).toMatchObject({ active: true })
  const revoked = await world.send({
    method: 'POST',
    path: '/t/acme-corp/api/v1/oauth/revoke',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...basic('web', secret),
    },
    body: new URLSearchParams({ token: String(refresh) }).toString(),
  })
  expect(revoked.status).toBe(200)
  expect(await world.introspect(token)).toEqual({ active: false })
})

test('what a user did not allow yet, an agent asks them for by naming it', async () => {
  await world.allow('user_b', 'doc-analyst', ['read:documents'])
  const subject = await world.userToken({ scope: wide }, 'user_b')
  const form = { subject_token: subject, actor_token: await world.agentToken('doc-analyst') }
  const { status, json } = await world.ask({ ...form, scope: 'read:documents read:reports' })
  expect([status, json['code']]).toEqual([403, 'consent_required'])
  const open = await world.store.approvals('acme-corp', 0, 'user_b')
  expect(open.find(({ id }) => id === json['approval'])?.scopes).toEqual([
    'read:documents',
    'read:reports',
  ])
  // What it may have it still gets.
  expect((await world.ask({ ...form, scope: 'read:documents' })).status).toBe(200)
})

test('nobody is asked for nothing', async () => {
  const subject = await world.userToken({ clientId: 'other-web', scope: 'openid' }, 'user_b')
  await world.store.removeUserGrant('acme-corp', 'user_b', 'specialist')
  const before = await world.store.approvals('acme-corp', 0, 'user_b')
  const { status, json } = await world.ask({
    subject_token: subject,
    actor_token: await world.agentToken('specialist'),
  })
  expect([status, json['error']]).toEqual([400, 'invalid_scope'])
  expect(await world.store.approvals('acme-corp', 0, 'user_b')).toEqual(before)
})
