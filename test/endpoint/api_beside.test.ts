import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asWeb } from '../fakes/peopled_authority.ts'
import { basic, docs, files, secret, TOKEN_PATH } from '../fakes/running_authority.ts'
import { delegatedTokens, pathOf } from './beside.ts'
import {
  boundToken,
  describedAuthority,
  expectAsDescribed,
  openWorlds,
  proof,
  wish,
  type Row,
  type Worlds,
} from './described.ts'

const contract = describedAuthority()
let worlds: Worlds

beforeAll(async () => {
  worlds = await openWorlds()
})

afterAll(() => worlds.stop())

const bearer = (token: unknown) => ({ authorization: `Bearer ${String(token)}` })
const introspection = pathOf('introspect')
const revocation = pathOf('revoke')
const userinfo = pathOf('userinfo')
const asAuditor = basic('auditor', secret)

const beside: readonly Row[] = [
  {
    name: 'introspection of a user',
    status: 200,
    http: async ({ world }) => wish({ token: await world.userToken() }, asAuditor, introspection),
  },
  {
    name: 'of a delegated token',
    status: 200,
    http: async ({ world }) =>
      wish({ token: (await delegatedTokens(world))[1] }, asAuditor, introspection),
  },
  {
    name: 'of a token for two',
    status: 200,
    http: async ({ world }) =>
      wish(
        { token: await world.clientToken('web', { resource: docs, audience: files }) },
        asAuditor,
        introspection,
      ),
  },
  {
    name: 'of a bound token',
    status: 200,
    http: async (worlds) => wish({ token: await boundToken(worlds) }, asAuditor, introspection),
  },
  {
    name: 'of one that names who may act',
    status: 200,
    http: async ({ world }) =>
      wish({ token: await world.userToken({ clientId: 'handing-on' }) }, asAuditor, introspection),
  },
  {
    name: 'of a refresh token',
    status: 200,
    http: async ({ world }) =>
      wish({ token: String((await world.signIn())['refresh_token']) }, asWeb, introspection),
  },
  { name: 'of nothing', status: 200, http: wish({ token: 'x' }, asAuditor, introspection) },
  {
    name: 'by an agent',
    status: 200,
    http: async ({ world }) =>
      wish({ token: 'x' }, bearer(await world.agentToken('doc-analyst')), introspection),
  },
  {
    name: 'by nobody',
    status: 401,
    error: 'invalid_client',
    http: wish({ token: 'x' }, {}, introspection),
  },
  {
    name: 'by a bad token',
    status: 401,
    error: 'invalid_token',
    http: wish({ token: 'x' }, bearer('x'), introspection),
  },
  {
    name: 'without a token',
    status: 400,
    error: 'invalid_request',
    http: wish({}, asAuditor, introspection),
  },
  {
    name: 'introspection too often',
    status: 429,
    error: 'too_many_requests',
    http: wish({ token: 'x' }, asWeb, introspection),
    at: 'strict',
  },
  {
    name: 'revocation',
    status: 200,
    http: async ({ world }) => wish({ token: await world.userToken() }, asWeb, revocation),
  },
  { name: 'revocation of nothing', status: 200, http: wish({ token: 'x' }, asWeb, revocation) },
  {
    name: 'revocation with another hint',
    status: 400,
    error: 'unsupported_token_type',
    http: wish({ token: 'x', token_type_hint: 'id_token' }, asWeb, revocation),
  },
  {
    name: "revocation of another's",
    status: 400,
    error: 'unauthorized_client',
    http: async ({ world }) =>
      wish({ token: await world.userToken() }, basic('service_b', secret), revocation),
  },
  {
    name: 'revocation by nobody',
    status: 401,
    error: 'invalid_client',
    http: async ({ world }) => wish({ token: await world.userToken() }, {}, revocation),
  },
  {
    name: 'userinfo of a user',
    status: 200,
    http: async ({ world }) => ({ path: userinfo, headers: bearer(await world.userToken()) }),
  },
  {
    name: 'userinfo by POST',
    status: 200,
    http: async ({ world }) => ({
      method: 'POST',
      path: userinfo,
      headers: bearer(await world.userToken({}, 'user_b')),
    }),
  },
  {
    name: 'userinfo of an agent',
    status: 200,
    http: async ({ world }) => ({
      path: userinfo,
      headers: bearer(await world.agentToken('doc-analyst')),
    }),
  },
  {
    name: 'userinfo with a bound token',
    status: 200,
    http: async (worlds) => {
      const token = await boundToken(worlds)
      const shown = await proof(worlds, userinfo, 'GET', token)
      return { path: userinfo, headers: { authorization: `DPoP ${token}`, ...shown } }
    },
  },
  {
    name: 'userinfo with a bad proof',
    status: 401,
    error: 'invalid_dpop_proof',
    http: async (worlds) => ({
      path: userinfo,
      headers: { authorization: `DPoP ${await boundToken(worlds)}`, dpop: 'x' },
    }),
  },
  { name: 'userinfo with nothing', status: 401, error: 'invalid_token', http: { path: userinfo } },
  {
    name: 'userinfo without openid',
    status: 403,
    error: 'insufficient_scope',
    http: async ({ world }) => ({
      path: userinfo,
      headers: bearer(await world.userToken({ scope: 'read:reports' })),
    }),
  },
  {
    name: 'userinfo of no tenant',
    status: 400,
    error: 'invalid_request',
    http: { path: '/t/nobody/api/v1/oauth/userinfo' },
  },
]

const under = (slug: string, file: string) => ({ path: `/t/${slug}/api/v1/.well-known/${file}` })
const ofOther = { at: 'other' } as const

const documents: readonly Row[] = [
  { name: 'metadata', status: 200, http: under('acme-corp', 'openid-configuration') },
  {
    name: 'metadata of OAuth',
    status: 200,
    http: under('acme-corp', 'oauth-authorization-server'),
  },
  {
    name: 'inserted metadata',
    status: 200,
    http: { path: '/.well-known/oauth-authorization-server/orgs/acme-corp/api/v1' },
  },
  {
    name: 'metadata of nobody',
    status: 404,
    error: 'invalid_tenant',
    http: under('nobody', 'openid-configuration'),
  },
  { name: 'an elliptic key', status: 200, http: under('acme-corp', 'jwks.json') },
  { name: 'an RSA key', status: 200, http: under('acme-corp', 'jwks.json'), ...ofOther },
  { name: 'an Edwards key', status: 200, http: under('ed', 'jwks.json'), ...ofOther },
  {
    name: 'keys of nobody',
    status: 404,
    error: 'invalid_tenant',
    http: under('nobody', 'jwks.json'),
  },
  ...['openid-configuration', 'oauth-authorization-server', 'jwks.json'].flatMap((file) => [
    {
      name: `${file} at the origin`,
      status: 200,
      http: { path: `/.well-known/${file}` },
      ...ofOther,
    },
    {
      name: `${file} at an origin of nobody`,
      status: 404,
      error: 'invalid_tenant',
      http: { path: `/.well-known/${file}` },
    },
  ]),
]

describe.each([
  ['endpoints beside the token endpoint', beside],
  ['documents', documents],
] as const)('%s are answered as it is described:', (_name, rows) => {
  test.each(rows)('$name: $status $error', (row) => expectAsDescribed(row, worlds, contract))
})

test.each([
  { method: 'GET', path: '/nothing', status: 404, schema: 'NothingThere' },
  { method: 'GET', path: TOKEN_PATH, status: 405, schema: 'MethodRefusal' },
  { method: 'PUT', path: userinfo, status: 405, schema: 'MethodRefusal' },
])('$method $path: $status, as $schema', async ({ method, path, status, schema }) => {
  const answer = await worlds.world.send({ method, path })
  const described = contract.document.components.schemas[schema] ?? {}
  expect([answer.status, contract.schemaFaults(described, answer.json)]).toEqual([status, []])
})
