import { afterAll, beforeAll, expect, test } from 'vitest'
import { JWT_BEARER } from '../../../src/endpoint/client/credentials.ts'
import { ISSUER } from '../../fakes/peopled_authority.ts'
import { refuses, type RefusalCase } from '../../fakes/refusal_cases.ts'
import {
  ACCESS_TOKEN,
  docs,
  exchangeOf,
  files,
  JSON_BODY,
  JWT,
  TOKEN_PATH,
} from '../../fakes/running_authority.ts'
import {
  asServiceB,
  claimsOf,
  exchangeHttp,
  exchangeWorld,
  granted,
  refusesUnchanged,
  scopesOf,
  type Wish,
  type World,
} from './world.ts'

let world: World

beforeAll(async () => {
  world = await exchangeWorld()
})

afterAll(async () => {
  await world.stop()
})

const aText: unknown = expect.any(String)

interface Good {
  readonly name: string
  readonly more: Wish
  readonly aud?: string | readonly string[]
  readonly scope?: string
  readonly type?: string
}

const both = ['read:documents', 'write:documents']
const good: readonly Good[] = [
  { name: 'without more', more: {} },
  { name: 'for a JWT', more: { requested_token_type: JWT }, type: JWT },
  { name: 'for an access token', more: { requested_token_type: ACCESS_TOKEN } },
  { name: 'with the client_id of the agent', more: { client_id: 'doc-analyst' } },
  ...['kubernetes', 'prod', 'https://cluster.example'].map((hint) => ({
    name: `with subject_issuer ${hint}`,
    more: { subject_issuer: hint },
  })),
  ...['audience', 'resource'].map((name) => ({
    name: `for an ${name}`,
    more: { [name]: docs },
    aud: docs,
    scope: both.join(' '),
  })),
  {
    name: 'for less scope',
    more: { audience: docs, scope: 'read:documents' },
    aud: docs,
    scope: 'read:documents',
  },
  {
    name: 'for an audience and the same resource, which are one target',
    more: { audience: docs, resource: docs },
    aud: docs,
    scope: both.join(' '),
  },
  {
    name: 'for two targets, with what may be had at both',
    more: { audience: docs, resource: files },
    aud: [docs, files],
    scope: 'read:documents',
  },
]

for (const { name, more, aud = 'doc-analyst', scope = 'agent:self', type } of good) {
  test(`a proof becomes a token of the agent: ${name}`, async () => {
    const answer = await world.ask(exchangeOf(await world.proofOf('doc-analyst'), {}), {})
    const wished = await world.ask({ ...exchangeOf(await world.proofOf('doc-analyst')), ...more })
    const token = granted(wished)
    expect(wished.json).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3_600,
      issued_token_type: type ?? ACCESS_TOKEN,
    })
    expect(wished.json['scope']).toBe(scope)
    expect(claimsOf(token)).toEqual({
      iss: ISSUER,
      sub: 'agent:doc-analyst',
      aud,
      client_id: 'doc-analyst',
      iat: world.clock.now,
      exp: world.clock.now + 3_600,
      jti: aText,
      grant_id: aText,
      tenant: 'acme-corp',
      scope,
      identity_type: 'agent',
      agent_id: aText,
      agent_name: 'doc-analyst',
    })
    // Each exchange is a grant of its own: ending one must not end another.
    expect(claimsOf(granted(answer))['grant_id']).not.toBe(claimsOf(token)['grant_id'])
  })
}

test('audiences may stand in a list of a JSON body', async () => {
  const body = { ...exchangeOf(await world.proofOf('doc-analyst')), audience: [docs, files] }
  const answer = await world.send({
    method: 'POST',
    path: TOKEN_PATH,
    headers: JSON_BODY,
    body: JSON.stringify(body),
  })
  const claims = claimsOf(granted(answer))
  expect(claims['aud']).toEqual([docs, files])
  expect(scopesOf(claims)).toEqual(['read:documents'])
})

test('an exchange of a proof leaves nothing behind but its line in the audit trail', async () => {
  const before = world.state()
  granted(await world.ask(exchangeOf(await world.proofOf('doc-analyst'))))
  expect(world.state()).toEqual(before)
  const [line] = await world.store.auditTail('acme-corp', 1)
  expect(line).toBeDefined()
})

interface Bad {
  readonly name: string
  readonly more: Wish | (() => Promise<Wish>)
  readonly status?: number
  readonly error?: string
  readonly code?: string
  readonly reason: string
  readonly headers?: Readonly<Record<string, string>>
}

const unproven = { code: 'workload_identity_failed' }
const bad: readonly Bad[] = [
  {
    name: 'with an actor_token',
    more: async () => ({ actor_token: await world.agentToken('orchestrator') }),
    reason: 'actor_with_proof',
  },
  {
    name: 'called an access token',
    more: { subject_token_type: ACCESS_TOKEN },
    reason: 'subject_foreign',
  },
  {
    name: 'of a pod that no rule names',
    more: async () => ({ subject_token: await world.proofOf('stranger') }),
    reason: 'unmatched',
    ...unproven,
  },
  {
    name: 'with the client_id of another agent',
    more: { client_id: 'orchestrator' },
    reason: 'unmatched',
    ...unproven,
  },
  {
    name: 'by a client that is not the agent',
    more: {},
    headers: asServiceB,
    reason: 'unmatched',
    ...unproven,
  },
  {
    name: 'by a client that is not the agent and does not say its name',
    more: async () => ({
      client_assertion: await world.assertion(
        { iss: 'prover', sub: 'prover' },
        {},
        world.key.privateKey,
      ),
      client_assertion_type: JWT_BEARER,
    }),
    reason: 'client_mismatch',
    ...unproven,
  },
  ...['aws', 'staging', 'https://other.example', ISSUER].map((hint) => ({
    name: `with subject_issuer ${hint}`,
    more: { subject_issuer: hint },
    reason: 'subject_issuer_mismatch',
    ...unproven,
  })),
  {
    name: 'for scope of another target',
    more: { audience: files, scope: 'write:documents' },
    error: 'invalid_scope',
    reason: 'scope_not_allowed',
  },
  {
    name: 'for scope that it may hold for others only',
    more: { scope: 'read:reports' },
    error: 'invalid_scope',
    reason: 'scope_not_allowed',
  },
  {
    name: 'for a target that nobody knows',
    more: { audience: 'https://nowhere.example' },
    error: 'invalid_target',
    reason: 'target_not_allowed',
  },
]

for (const { name, more, headers = {}, error = 'invalid_request', status = 400, ...rest } of bad) {
  test(`a proof is refused ${name}, and nothing changes`, async () => {
    const wish = typeof more === 'function' ? await more() : more
    const proof = exchangeOf(await world.proofOf('doc-analyst'))
    const wanted: RefusalCase = {
      ...rest,
      name,
      status,
      error,
      http: exchangeHttp({ ...proof, ...wish }, headers),
    }
    await refusesUnchanged(world, wanted)
  })
}

test('a tenant can have proofs refused as LumoAuth documents it', async () => {
  const lumo = await exchangeWorld({ tenant: { workloadRefusal: 'workload_identity_failed' } })
  const wanted = { status: 401, error: 'workload_identity_failed', ...unproven }
  const http = exchangeHttp(exchangeOf(await lumo.proofOf('stranger')))
  await refuses(lumo, { name: 'unmatched', reason: 'unmatched', http, ...wanted })
  const garbled = exchangeHttp(exchangeOf('x.y.z'))
  await refuses(lumo, { name: 'garbled', reason: 'malformed', http: garbled, ...wanted })
  // What is no proof keeps the answer that RFC 8693 has for it.
  const own = exchangeHttp({ subject_token: `${await lumo.agentToken('loner')}x` })
  await refuses(lumo, { name: 'own', status: 400, error: 'invalid_request', http: own })
  await lumo.stop()
})
