import { afterAll, beforeAll, describe, test } from 'vitest'
import { asWeb, CALLBACK, type Peopled } from '../fakes/peopled_authority.ts'
import {
  basic,
  docs,
  exchangeOf,
  files,
  JSON_BODY,
  secret,
  TOKEN_EXCHANGE,
  TOKEN_PATH,
  ACCESS_TOKEN,
} from '../fakes/running_authority.ts'
import { delegatedTokens } from './beside.ts'
import {
  CREDENTIALS,
  describedAuthority,
  expectAsDescribed,
  openWorlds,
  proof,
  wish,
  type Form,
  type Row,
  type Worlds,
} from './described.ts'

const contract = describedAuthority()
let worlds: Worlds

beforeAll(async () => {
  worlds = await openWorlds()
})

afterAll(() => worlds.stop())

const exchange = (form: Form): Form => ({
  grant_type: TOKEN_EXCHANGE,
  subject_token_type: ACCESS_TOKEN,
  ...(form['actor_token'] !== undefined && { actor_token_type: ACCESS_TOKEN }),
  ...form,
})
const codeForm = async (world: Peopled, scope = 'openid profile email'): Promise<Form> => ({
  grant_type: 'authorization_code',
  code: await world.code({ scope }),
  redirect_uri: CALLBACK,
})

const grants: readonly Row[] = [
  { name: 'client_credentials', status: 200, http: wish(CREDENTIALS, asWeb) },
  {
    name: 'by JSON',
    status: 200,
    http: {
      ...wish({}, { ...asWeb, ...JSON_BODY }),
      body: JSON.stringify({ ...CREDENTIALS, audience: [docs, files] }),
    },
  },
  {
    name: 'under the other prefix',
    status: 200,
    http: wish(CREDENTIALS, asWeb, TOKEN_PATH.replace('/t/', '/orgs/')),
  },
  {
    name: 'bound to a key',
    status: 200,
    http: async (worlds) => wish(CREDENTIALS, { ...asWeb, ...(await proof(worlds)) }),
  },
  {
    name: 'authorization_code',
    status: 200,
    http: async ({ world }) => wish(await codeForm(world), asWeb),
  },
  {
    name: 'authorization_code without openid',
    status: 200,
    http: async ({ world }) => wish(await codeForm(world, 'read:reports'), asWeb),
  },
  {
    name: 'refresh_token',
    status: 200,
    http: async ({ world }) => {
      const { json } = await world.post(await codeForm(world), asWeb)
      return wish(
        { grant_type: 'refresh_token', refresh_token: String(json['refresh_token']) },
        asWeb,
      )
    },
  },
  {
    name: 'a proof',
    status: 200,
    http: async ({ world }) =>
      wish(exchangeOf(await world.proofOf('doc-analyst'), { resource: docs })),
  },
  {
    name: 'a narrower token',
    status: 200,
    http: async ({ world }) =>
      wish(exchange({ subject_token: await world.agentToken('doc-analyst'), resource: docs })),
  },
  {
    name: 'delegation',
    status: 200,
    http: async ({ world }) => {
      await world.allow('user_a', 'doc-analyst', ['read:documents'])
      return wish(
        exchange({
          subject_token: await world.userToken({ scope: 'read:documents' }),
          actor_token: await world.agentToken('doc-analyst'),
        }),
      )
    },
  },
]

const refusals: readonly Row[] = [
  {
    name: 'no such tenant',
    status: 400,
    error: 'invalid_request',
    http: wish(CREDENTIALS, asWeb, '/t/nobody/api/v1/oauth/token'),
  },
  { name: 'no grant', status: 400, error: 'invalid_request', http: wish({}) },
  {
    name: 'a query',
    status: 400,
    error: 'invalid_request',
    http: { ...wish(CREDENTIALS), path: `${TOKEN_PATH}?a=b` },
  },
  {
    name: 'another media type',
    status: 400,
    error: 'invalid_request',
    http: wish(CREDENTIALS, { 'content-type': 'text/plain' }),
  },
  {
    name: 'too much',
    status: 413,
    error: 'invalid_request',
    http: { ...wish({}), body: 'x'.repeat(65_537) },
  },
  {
    name: 'another grant',
    status: 400,
    error: 'unsupported_grant_type',
    http: wish({ grant_type: 'password' }),
  },
  {
    name: 'a wrong secret',
    status: 401,
    error: 'invalid_client',
    http: wish(CREDENTIALS, basic('web', 'wrong')),
  },
  {
    name: 'a wrong secret in the body',
    status: 401,
    error: 'invalid_client',
    http: wish({ ...CREDENTIALS, client_id: 'web', client_secret: 'wrong' }),
  },
  {
    name: 'a grant that the client has not',
    status: 400,
    error: 'unauthorized_client',
    http: wish(CREDENTIALS, basic('other-web', secret)),
  },
  {
    name: 'a scope that it may not have',
    status: 400,
    error: 'invalid_scope',
    http: wish({ ...CREDENTIALS, scope: 'admin' }, asWeb),
  },
  {
    name: 'a target that it may not have',
    status: 400,
    error: 'invalid_target',
    http: wish({ ...CREDENTIALS, resource: 'https://a.example' }, asWeb),
  },
  {
    name: 'a code of nobody',
    status: 400,
    error: 'invalid_grant',
    http: wish(
      { grant_type: 'authorization_code', code: 'x', redirect_uri: 'https://myapp.com/callback' },
      asWeb,
    ),
  },
  {
    name: 'a proof of nobody',
    status: 400,
    error: 'invalid_request',
    http: async ({ world }) => wish(exchangeOf(await world.proofOf('nobody'))),
  },
  {
    name: 'a proof of nobody, as LumoAuth says it',
    status: 401,
    error: 'workload_identity_failed',
    http: async ({ other }) => wish(exchangeOf(await other.cluster.token())),
    at: 'other',
  },
  {
    name: 'no consent',
    status: 403,
    error: 'access_denied',
    http: async ({ world }) =>
      wish(
        exchange({
          subject_token: await world.userToken({ scope: 'read:documents' }, 'user_b'),
          actor_token: await world.agentToken('orchestrator'),
        }),
      ),
  },
  {
    name: 'an agent that may not delegate',
    status: 403,
    error: 'delegation_not_allowed',
    http: async ({ world }) =>
      wish(
        exchange({
          subject_token: await world.userToken({ scope: 'read:documents' }),
          actor_token: await world.agentToken('loner'),
        }),
      ),
  },
  {
    name: 'a chain too long',
    status: 403,
    error: 'delegation_depth_exceeded',
    http: async ({ world }) => {
      const [, second] = await delegatedTokens(world)
      await world.allow('user_a', 'shallow', ['read:documents'])
      return wish(
        exchange({ subject_token: second, actor_token: await world.agentToken('shallow') }),
      )
    },
  },
  {
    name: 'a DPoP proof without nonce',
    status: 400,
    error: 'use_dpop_nonce',
    http: ({ key }) =>
      Promise.resolve(
        wish(CREDENTIALS, {
          ...asWeb,
          dpop: key.proof({ htm: 'POST', htu: `https://auth.example${TOKEN_PATH}` }),
        }),
      ),
  },
  {
    name: 'a bad DPoP proof',
    status: 400,
    error: 'invalid_dpop_proof',
    http: wish(CREDENTIALS, { ...asWeb, dpop: 'x' }),
  },
  {
    name: 'too often',
    status: 429,
    error: 'too_many_requests',
    http: wish(CREDENTIALS, asWeb),
    at: 'strict',
  },
]

describe.each([
  ['grants', grants],
  ['refusals', refusals],
] as const)('%s are answered as it is described:', (_name, rows) => {
  test.each(rows)('$name: $status $error', (row) => expectAsDescribed(row, worlds, contract))
})
