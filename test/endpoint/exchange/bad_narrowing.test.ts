import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { peopledPolicy } from '../../fakes/peopled_authority.ts'
import { basic, docs, files, newFolder, secret } from '../../fakes/running_authority.ts'
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
  await world.allow('user_a', 'doc-analyst', wide.split(' '))
})

afterAll(async () => {
  await world.stop()
})

async function delegated(): Promise<string> {
  const subject = await world.userToken({ scope: wide })
  const actor = await world.agentToken('doc-analyst')
  return granted(await world.ask({ subject_token: subject, actor_token: actor }))
}

const ofUser = () => world.userToken({ scope: wide })

interface Bad {
  readonly name: string
  readonly subject: () => Promise<string>
  readonly more?: Wish
  readonly headers?: Readonly<Record<string, string>>
  readonly status?: number
  readonly error: string
  readonly reason: string
}

const beyondScope = { error: 'invalid_scope', reason: 'scope_not_allowed' }
const beyondTarget = { error: 'invalid_target', reason: 'target_not_allowed' }
const refused: readonly Bad[] = [
  {
    name: 'to scope that the subject does not have',
    subject: () => world.userToken({ scope: 'read:documents' }),
    more: { scope: 'read:documents read:reports' },
    ...beyondScope,
  },
  {
    name: 'to scope that the subject has, at a target that does not have it',
    subject: ofUser,
    more: { audience: docs, scope: 'read:reports' },
    ...beyondScope,
  },
  {
    name: 'to scope that the target has and the subject does not',
    subject: () => world.userToken({ scope: 'read:documents' }),
    more: { audience: docs, scope: 'write:documents' },
    ...beyondScope,
  },
  {
    name: 'of a delegated token to scope that the agent may hold for itself only',
    subject: delegated,
    more: { scope: 'agent:self' },
    ...beyondScope,
  },
  {
    name: 'to a target that is not its own',
    subject: () => world.agentToken('doc-analyst', { audience: docs }),
    more: { audience: files },
    ...beyondTarget,
  },
  {
    name: 'to its target and another',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    more: { audience: docs, resource: files },
    ...beyondTarget,
  },
  {
    name: 'of what was narrowed already, back to what it was',
    subject: async () =>
      granted(await world.ask({ subject_token: await ofUser(), audience: docs })),
    more: { audience: files },
    ...beyondTarget,
  },
  {
    name: 'to a target that nobody knows',
    subject: ofUser,
    more: { audience: 'x' },
    ...beyondTarget,
  },
  {
    name: 'to its own issuer, which is no target',
    subject: ofUser,
    more: { audience: 'https://auth.example/t/acme-corp/api/v1' },
    ...beyondTarget,
  },
  {
    name: 'to more targets than its client may have',
    subject: () => world.userToken({ clientId: 'other-web', scope: wide }),
    more: { audience: docs, resource: files },
    error: 'invalid_target',
    reason: 'targets_too_many',
  },
  {
    name: 'for another client_id',
    subject: ofUser,
    more: { audience: docs, client_id: 'other-web' },
    error: 'invalid_request',
    reason: 'client_mismatch',
  },
  {
    name: 'by another client',
    subject: ofUser,
    more: { audience: docs },
    headers: basic('other-web', secret),
    status: 403,
    error: 'access_denied',
    reason: 'impersonation_not_allowed',
  },
  {
    name: 'by a client that has nothing to do with it',
    subject: () => world.agentToken('doc-analyst'),
    headers: basic('bystander', secret),
    status: 403,
    error: 'access_denied',
    reason: 'impersonation_not_allowed',
  },
  {
    name: 'by its own client with a wrong secret',
    subject: ofUser,
    more: { audience: docs },
    headers: basic('web', 'wrong'),
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  },
  {
    name: 'of a client that may not exchange, though it does not say who it is',
    subject: () => world.clientToken('no-exchange'),
    error: 'unauthorized_client',
    reason: 'grant_not_allowed',
  },
  {
    name: "of a user's token of a client that may not exchange",
    subject: () => world.userToken({ clientId: 'no-exchange', scope: 'read:documents' }),
    headers: basic('no-exchange', secret),
    error: 'unauthorized_client',
    reason: 'grant_not_allowed',
  },
  {
    name: 'with another subject_issuer',
    subject: ofUser,
    more: { audience: docs, subject_issuer: 'prod' },
    error: 'invalid_request',
    reason: 'subject_issuer_mismatch',
  },
]

for (const { name, subject, more = {}, headers, status = 400, error, reason } of refused) {
  test(`narrowing is refused ${name}, and nothing changes`, async () => {
    const http = exchangeHttp({ subject_token: await subject(), ...more }, headers)
    await refusesUnchanged(world, { name, http, status, error, reason })
  })
}

test('what an agent made for a user is of no use once the policy no longer lets it act for others', async () => {
  const folder = await newFolder()
  const before = await exchangeWorld({ folder })
  await before.allow('user_a', 'specialist', wide.split(' '))
  const subject = await before.userToken({ scope: wide })
  const actor = await before.agentToken('specialist')
  const acted = granted(await before.ask({ subject_token: subject, actor_token: actor }))
  granted(await before.ask({ subject_token: acted }))
  await before.stop()
  const right = '    delegation: { scopes: [read:documents], maxDepth: 3 }\n'
  expect(peopledPolicy).toContain(right)
  const after = await exchangeWorld({ folder, policy: peopledPolicy.replace(right, '') })
  await refusesUnchanged(after, {
    name: 'narrowed',
    http: exchangeHttp({ subject_token: acted }),
    status: 403,
    error: 'delegation_not_allowed',
    reason: 'delegation_not_allowed',
  })
  // What is the agent's own stays as it was.
  granted(await after.ask({ subject_token: actor }))
  await after.stop()
  await rm(folder, { recursive: true })
})
