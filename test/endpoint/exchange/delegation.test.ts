import { afterAll, beforeAll, expect, test } from 'vitest'
import { ISSUER } from '../../fakes/peopled_authority.ts'
import { docs, files, JWT, type Json } from '../../fakes/running_authority.ts'
import {
  asServiceB,
  atDocs,
  claimsOf,
  exchangeWorld,
  granted,
  scopesOf,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World

const agents = ['doc-analyst', 'orchestrator', 'specialist', 'shallow', 'loner', 'service_b']

beforeAll(async () => {
  world = await exchangeWorld()
  for (const agent of agents) await world.allow('user_a', agent, wide.split(' '))
})

afterAll(async () => {
  await world.stop()
})

const ofUser = () => world.userToken({ scope: wide })
const ofAgent = (name: string) => () => world.agentToken(name)
const ofServiceB = () => world.clientToken('service_b')

const actOf = (sub: string, clientId: string, act?: Json): Json => ({
  sub,
  iss: ISSUER,
  client_id: clientId,
  ...(act && { act }),
})
const analyst = actOf('agent:doc-analyst', 'doc-analyst')
const serviceB = actOf('service_b', 'service_b')

interface Case {
  readonly name: string
  readonly subject: () => Promise<string>
  readonly actor: () => Promise<string>
  readonly more?: Wish
  readonly headers?: Readonly<Record<string, string>>
  readonly act: Json
  readonly aud?: string | readonly string[]
  readonly scope: readonly string[]
}

const read = ['read:documents']
const reads = ['read:documents', 'read:reports']
const all = ['read:documents', 'read:reports', 'write:documents']
const byAnalyst = { subject: ofUser, actor: ofAgent('doc-analyst'), act: analyst }
const byServiceB = { subject: ofUser, actor: ofServiceB, act: serviceB }

const cases: readonly Case[] = [
  { name: 'a client with its Basic', ...byServiceB, headers: asServiceB, scope: reads },
  { name: 'a client that shows its token alone', ...byServiceB, scope: reads },
  {
    name: 'a client that says its client_id as well',
    ...byServiceB,
    more: { client_id: 'service_b' },
    scope: reads,
  },
  {
    name: 'a client with its Basic and a token of its own that was made for a target',
    ...byServiceB,
    actor: () => world.clientToken('service_b', { audience: docs }),
    headers: asServiceB,
    scope: reads,
  },
  { name: 'an agent', ...byAnalyst, scope: all },
  {
    name: 'an agent whose own token is for less than it may hold for others',
    ...byAnalyst,
    actor: () => world.agentToken('doc-analyst', { scope: 'agent:self' }),
    scope: all,
  },
  {
    name: 'an agent, for less',
    ...byAnalyst,
    more: { scope: 'read:reports' },
    scope: ['read:reports'],
  },
  {
    name: 'an agent, to a target',
    ...byAnalyst,
    more: { audience: docs },
    aud: docs,
    scope: ['read:documents', 'write:documents'],
  },
  {
    name: 'an agent, to a resource where it may do less',
    ...byAnalyst,
    more: { resource: files },
    aud: files,
    scope: read,
  },
  {
    name: 'an agent, to two targets',
    ...byAnalyst,
    more: { audience: docs, resource: files },
    aud: [docs, files],
    scope: read,
  },
  {
    name: 'an agent, for a subject that is confined to a target',
    ...byAnalyst,
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    aud: docs,
    scope: ['read:documents', 'write:documents'],
  },
  {
    name: 'an agent, for a user who agreed to nothing that it may have',
    ...byAnalyst,
    subject: () => world.userToken(),
    scope: [],
  },
  {
    name: 'an agent, both tokens shown as JWTs',
    ...byAnalyst,
    more: { subject_token_type: JWT, actor_token_type: JWT },
    scope: all,
  },
  {
    name: 'an agent for a token of its own, which stays for its target',
    subject: () => world.agentToken('doc-analyst', { audience: docs }),
    actor: ofAgent('doc-analyst'),
    act: analyst,
    aud: docs,
    scope: ['read:documents', 'write:documents'],
  },
]

for (const { name, subject, actor, more, headers, act, aud, scope } of cases) {
  test(`delegation: ${name}`, async () => {
    const [of, by] = [await subject(), await actor()]
    const was = claimsOf(of)
    const answer = await world.ask({ subject_token: of, actor_token: by, ...more }, headers)
    const claims = claimsOf(granted(answer))
    expect(claims).toMatchObject({
      iss: ISSUER,
      sub: was['sub'],
      client_id: act['client_id'],
      grant_id: was['grant_id'],
      aud: aud ?? act['client_id'],
      tenant: 'acme-corp',
    })
    expect(claims['act']).toEqual(act)
    expect(scopesOf(claims)).toEqual(scope)
    expect(answer.json['scope']).toBe(claims['scope'] ?? '')
    expect(claims['auth_time']).toBe(was['auth_time'])
    // Who may act was said of the subject's own token, not of what an actor makes of it.
    expect(claims).not.toHaveProperty('may_act')
  })
}

/** A chain of agents, each of which acts for the token that the one before it made. */
async function chain(subject: string, ...actors: readonly string[]): Promise<string> {
  let token = subject
  for (const name of actors) {
    const actor = await world.agentToken(name)
    token = granted(await world.ask({ subject_token: token, actor_token: actor }))
  }
  return token
}

test('two and three actors nest, the current one outermost, those before it unchanged', async () => {
  const subject = await ofUser()
  const first = claimsOf(await chain(subject, 'orchestrator'))
  const second = claimsOf(await chain(subject, 'orchestrator', 'specialist'))
  const third = claimsOf(await chain(subject, 'orchestrator', 'specialist', 'doc-analyst'))
  const orchestrator = actOf('agent:orchestrator', 'orchestrator')
  const specialist = actOf('agent:specialist', 'specialist', orchestrator)
  expect(first['act']).toEqual(orchestrator)
  expect(second['act']).toEqual(specialist)
  expect(third['act']).toEqual(actOf('agent:doc-analyst', 'doc-analyst', specialist))
  expect(third).toMatchObject({
    sub: 'user_a',
    client_id: 'doc-analyst',
    aud: 'doc-analyst',
    grant_id: claimsOf(subject)['grant_id'],
    // What one of them may not have, none after it gets back.
    scope: 'read:documents',
  })
})

test('a token names what it is derived from, and ends with any of it', async () => {
  const subject = await ofUser()
  const first = await chain(subject, 'orchestrator')
  const second = await chain(first, 'specialist')
  const sibling = await chain(subject, 'doc-analyst')
  expect(claimsOf(second)['derived_from']).toEqual([
    claimsOf(subject)['jti'],
    claimsOf(first)['jti'],
  ])
  const revoked = await world.send({
    method: 'POST',
    path: '/t/acme-corp/api/v1/oauth/revoke',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token: first }).toString(),
  })
  expect(revoked.status).toBe(200)
  const active = async (token: string) => (await world.introspect(token))['active']
  expect(await active(first)).toBe(false)
  expect(await active(second)).toBe(false)
  // What came of it in no way is not touched.
  expect([await active(subject), await active(sibling)]).toEqual([true, true])
})

test('a token is derived from another sixteen times at most', async () => {
  let token = await chain(await ofUser(), 'orchestrator')
  const narrowed = () => world.ask({ subject_token: token })
  for (let times = 2; times <= 16; times += 1) token = granted(await narrowed())
  expect(claimsOf(token)['derived_from']).toHaveLength(16)
  const { status, json } = await narrowed()
  expect([status, json['error']]).toEqual([400, 'invalid_request'])
})

test('introspection tells the chain in the order in which it grew', async () => {
  const token = await chain(await ofUser(), 'orchestrator', 'specialist')
  expect(await world.introspect(token)).toMatchObject({
    active: true,
    sub: 'user_a',
    actor_chain: ['agent:orchestrator', 'agent:specialist'],
  })
})
