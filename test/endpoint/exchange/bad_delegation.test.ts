import { afterAll, beforeAll, expect, test } from 'vitest'
import { docs, files } from '../../fakes/running_authority.ts'
import {
  atDocs,
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  wide,
  type Wish,
  type World,
} from './world.ts'

let world: World

beforeAll(async () => {
  world = await exchangeWorld()
  for (const agent of ['doc-analyst', 'orchestrator', 'specialist', 'shallow']) {
    await world.allow('user_a', agent, wide.split(' '))
  }
  await world.allow('user_a', 'service_b', ['read:documents'])
})

afterAll(async () => {
  await world.stop()
})

const ofA = () => world.userToken({ scope: wide })
const ofAgent = (name: string, more?: Readonly<Record<string, string>>) => () =>
  world.agentToken(name, more)

/** What an agent makes of a subject token. */
async function actedBy(subject: string, name: string): Promise<string> {
  const actor = await world.agentToken(name)
  return granted(await world.ask({ subject_token: subject, actor_token: actor }))
}

interface Case {
  readonly name: string
  readonly subject: () => Promise<string>
  readonly actor: () => Promise<string>
  readonly more?: Wish
  readonly headers?: Readonly<Record<string, string>>
  readonly status: number
  readonly error: string
  readonly code?: string
  readonly reason: string
}

const beyondScope = { status: 400, error: 'invalid_scope', reason: 'scope_not_allowed' }
const beyondTarget = { status: 400, error: 'invalid_target', reason: 'target_not_allowed' }
const reach: readonly Case[] = [
  {
    name: 'scope that the subject does not have',
    subject: () => world.userToken({ scope: 'read:documents' }),
    actor: ofAgent('doc-analyst'),
    more: { scope: 'read:reports' },
    ...beyondScope,
  },
  {
    name: 'scope that the agent may hold for itself only',
    subject: ofA,
    actor: ofAgent('doc-analyst'),
    more: { scope: 'agent:self' },
    ...beyondScope,
  },
  {
    name: 'scope that the agent may not hold for others',
    subject: ofA,
    actor: ofAgent('orchestrator'),
    more: { scope: 'write:documents' },
    ...beyondScope,
  },
  {
    name: 'scope that the target does not have',
    subject: ofA,
    actor: ofAgent('doc-analyst'),
    more: { audience: files, scope: 'write:documents' },
    ...beyondScope,
  },
  {
    name: 'scope that one of two targets does not have',
    subject: ofA,
    actor: ofAgent('doc-analyst'),
    more: { audience: [docs, files], scope: 'read:documents write:documents' },
    ...beyondScope,
  },
  {
    name: 'scope that an actor before it could not have',
    subject: async () => actedBy(await ofA(), 'orchestrator'),
    actor: ofAgent('doc-analyst'),
    more: { scope: 'write:documents' },
    ...beyondScope,
  },
  {
    name: 'a target that the agent does not have',
    subject: ofA,
    actor: ofAgent('orchestrator'),
    more: { audience: files },
    ...beyondTarget,
  },
  {
    name: 'a target that the subject is not for',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    actor: ofAgent('doc-analyst'),
    more: { audience: files },
    ...beyondTarget,
  },
  {
    name: 'no target, where the agent does not have the one that the subject is for',
    subject: () => world.userToken({ scope: 'read:documents', resources: [files] }),
    actor: ofAgent('orchestrator'),
    ...beyondTarget,
  },
  {
    name: 'more targets than the agent may have',
    subject: ofA,
    actor: ofAgent('orchestrator'),
    more: { audience: [docs, files] },
    status: 400,
    error: 'invalid_target',
    reason: 'targets_too_many',
  },
]

for (const { name, subject, actor, more, headers, ...wanted } of reach) {
  test(`delegation is refused: ${name}; nothing changes`, async () => {
    const form = { subject_token: await subject(), actor_token: await actor(), ...more }
    await refusesUnchanged(world, { name, http: exchangeHttp(form, headers), ...wanted })
  })
}

const depths = [
  {
    name: 'the tenant',
    before: ['orchestrator', 'specialist', 'doc-analyst'],
    next: 'orchestrator',
    max: 3,
  },
  { name: 'the agent', before: ['orchestrator'], next: 'shallow', max: 1 },
  { name: 'the agent, which acted before', before: ['shallow'], next: 'shallow', max: 1 },
]

for (const { name, before, next, max } of depths) {
  test(`a chain ends where ${name} sets its end: ${before.join(', ')}, ${next}`, async () => {
    let subject = await ofA()
    for (const each of before) subject = await actedBy(subject, each)
    const http = exchangeHttp({ subject_token: subject, actor_token: await world.agentToken(next) })
    const answer = await refusesUnchanged(world, {
      name,
      http,
      status: 403,
      error: 'delegation_depth_exceeded',
      reason: 'delegation_too_deep',
    })
    expect(answer.json['max_depth']).toBe(max)
    // It is the chain that is too long, and not the token that is bad.
    expect(await world.introspect(subject)).toMatchObject({ active: true })
  })
}

test('a tenant can allow chains shorter than any agent does', async () => {
  const strict = await exchangeWorld({ tenant: { maxDelegationDepth: 2 } })
  for (const agent of ['orchestrator', 'specialist']) {
    await strict.allow('user_a', agent, wide.split(' '))
  }
  let subject = await strict.userToken({ scope: wide })
  for (const name of ['orchestrator', 'specialist']) {
    const actor = await strict.agentToken(name)
    subject = granted(await strict.ask({ subject_token: subject, actor_token: actor }))
  }
  const actor = await strict.agentToken('orchestrator')
  const { status, json } = await strict.ask({ subject_token: subject, actor_token: actor })
  expect([status, json['error'], json['max_depth']]).toEqual([403, 'delegation_depth_exceeded', 2])
  await strict.stop()
})
