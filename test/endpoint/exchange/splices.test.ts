import { afterAll, beforeAll, test } from 'vitest'
import { basic, docs, files, secret } from '../../fakes/running_authority.ts'
import {
  asDocsApi,
  asServiceB,
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
  // user_a has allowed everybody; user_b has allowed nobody.
  for (const agent of ['doc-analyst', 'orchestrator', 'specialist', 'shallow', 'loner']) {
    await world.allow('user_a', agent, wide.split(' '))
  }
  await world.allow('user_a', 'service_b', ['read:documents'])
  await world.allow('user_a', 'web', wide.split(' '))
})

afterAll(async () => {
  await world.stop()
})

const ofA = () => world.userToken({ scope: wide })
const ofB = () => world.userToken({ scope: wide }, 'user_b')
const ofAgent = (name: string, more?: Readonly<Record<string, string>>) => () =>
  world.agentToken(name, more)
const ofServiceB = () => world.clientToken('service_b')

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

const invalid = { status: 400, error: 'invalid_request' }
const noConsent = {
  status: 403,
  error: 'access_denied',
  code: 'consent_required',
  reason: 'consent_required',
}
const noLink = { status: 403, error: 'access_denied', reason: 'delegation_unlinked' }

/** Good tokens of different flows that nobody joined. */
const splices: readonly Case[] = [
  {
    name: 'a user and an agent that they never allowed',
    subject: ofB,
    actor: ofAgent('doc-analyst'),
    ...noConsent,
  },
  {
    name: 'a user and a client that authenticates',
    subject: ofB,
    actor: ofServiceB,
    headers: asServiceB,
    ...noConsent,
  },
  {
    name: 'a user and an agent that another user allowed',
    subject: ofB,
    actor: ofAgent('orchestrator'),
    ...noConsent,
  },
  {
    name: 'a user whose token is for docs and a client that is not docs',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }, 'user_b'),
    actor: ofServiceB,
    headers: asServiceB,
    ...noConsent,
  },
  {
    name: 'a user whose token is for files and a client that is docs',
    subject: () => world.userToken({ scope: 'read:documents', resources: [files] }, 'user_b'),
    actor: () => world.clientToken('docs-api'),
    headers: asDocsApi,
    ...noConsent,
  },
  {
    name: 'a token that says who may act, and another who acts',
    subject: () => world.userToken({ clientId: 'handing-on', scope: wide }, 'user_b'),
    actor: ofAgent('orchestrator'),
    ...noConsent,
  },
  {
    name: 'a token that one agent made and another agent, which the user did not allow',
    subject: async () => {
      const token = await world.userToken({ clientId: 'handing-on', scope: wide }, 'user_b')
      return actedBy(token, 'specialist')
    },
    actor: ofAgent('orchestrator'),
    ...noConsent,
  },
  {
    name: 'two agents',
    subject: ofAgent('orchestrator', { audience: docs }),
    actor: ofAgent('doc-analyst'),
    ...noLink,
  },
  {
    name: 'two clients',
    subject: () => world.clientToken('web'),
    actor: ofServiceB,
    headers: asServiceB,
    ...noLink,
  },
]

/** Whoever shows an actor token has to be the actor. */
const actors: readonly Case[] = [
  {
    name: 'a resource server that replays a token which it received, alone',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    actor: ofAgent('doc-analyst', { audience: docs }),
    ...invalid,
    reason: 'actor_made_for_another',
  },
  {
    name: 'a resource server that replays a token which it received, with its own Basic',
    subject: () => world.userToken({ scope: atDocs, resources: [docs] }),
    actor: ofAgent('doc-analyst', { audience: docs }),
    headers: asDocsApi,
    ...invalid,
    reason: 'actor_of_another_client',
  },
  {
    name: "a resource server that says the actor's client_id",
    subject: ofA,
    actor: ofAgent('doc-analyst', { audience: docs }),
    more: { client_id: 'doc-analyst' },
    ...invalid,
    reason: 'actor_made_for_another',
  },
  {
    name: 'a token for two targets, which either of them can replay',
    subject: ofA,
    actor: ofAgent('doc-analyst', { audience: docs, resource: files }),
    ...invalid,
    reason: 'actor_made_for_another',
  },
  {
    name: "a client's token for a target, without its client",
    subject: ofA,
    actor: () => world.clientToken('service_b', { audience: docs }),
    ...invalid,
    reason: 'actor_made_for_another',
  },
  {
    name: 'a client that authenticates with the token of another client',
    subject: ofA,
    actor: ofServiceB,
    headers: asDocsApi,
    ...invalid,
    reason: 'actor_of_another_client',
  },
  {
    name: 'a client that authenticates with the token of an agent',
    subject: ofA,
    actor: ofAgent('doc-analyst'),
    headers: asServiceB,
    ...invalid,
    reason: 'actor_of_another_client',
  },
  {
    name: 'another client_id beside the actor token',
    subject: ofA,
    actor: ofServiceB,
    more: { client_id: 'docs-api' },
    ...invalid,
    reason: 'client_mismatch',
  },
  {
    name: "a user's token as actor",
    subject: ofA,
    actor: ofB,
    ...invalid,
    reason: 'actor_is_no_party',
  },
  {
    name: "a user's token as actor, by its client",
    subject: ofA,
    actor: ofB,
    headers: basic('web', secret),
    ...invalid,
    reason: 'actor_is_no_party',
  },
  {
    name: 'the subject token as actor as well',
    subject: ofA,
    actor: ofA,
    ...invalid,
    reason: 'actor_is_no_party',
  },
  {
    name: 'an actor token that acts for another',
    subject: ofA,
    actor: async () => actedBy(await ofA(), 'doc-analyst'),
    ...invalid,
    reason: 'actor_acts_for_another',
  },
  {
    name: 'an actor token that acts for the agent itself',
    subject: ofA,
    actor: async () => actedBy(await world.agentToken('doc-analyst'), 'doc-analyst'),
    ...invalid,
    reason: 'actor_acts_for_another',
  },
  {
    name: 'a wrong secret beside a good actor token',
    subject: ofA,
    actor: ofServiceB,
    headers: basic('service_b', 'wrong'),
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  },
  {
    name: 'a wrong secret by post beside a good actor token',
    subject: ofA,
    actor: ofServiceB,
    more: { client_id: 'service_b', client_secret: 'wrong' },
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  },
  {
    name: 'an agent as client with a secret that it does not have',
    subject: ofA,
    actor: ofAgent('doc-analyst'),
    headers: basic('doc-analyst', secret),
    status: 401,
    error: 'invalid_client',
    reason: 'client_unproven',
  },
  {
    name: 'an actor whose registration has no exchange, without authentication',
    subject: ofA,
    actor: () => world.clientToken('no-exchange'),
    status: 400,
    error: 'unauthorized_client',
    reason: 'grant_not_allowed',
  },
  {
    name: 'an actor whose registration has no exchange, with its Basic',
    subject: ofA,
    actor: () => world.clientToken('no-exchange'),
    headers: basic('no-exchange', secret),
    status: 400,
    error: 'unauthorized_client',
    reason: 'grant_not_allowed',
  },
  {
    name: 'an agent that may not act for others, though the user allowed it',
    subject: ofA,
    actor: ofAgent('loner'),
    status: 403,
    error: 'delegation_not_allowed',
    reason: 'delegation_not_allowed',
  },
  {
    name: 'a client that may not act for others, though the user allowed it',
    subject: ofA,
    actor: () => world.clientToken('web'),
    headers: basic('web', secret),
    status: 403,
    error: 'delegation_not_allowed',
    reason: 'delegation_not_allowed',
  },
]

for (const { name, subject, actor, more, headers, ...wanted } of [...splices, ...actors]) {
  test(`delegation is refused: ${name}; nothing changes`, async () => {
    const form = { subject_token: await subject(), actor_token: await actor(), ...more }
    await refusesUnchanged(world, { name, http: exchangeHttp(form, headers), ...wanted })
  })
}
