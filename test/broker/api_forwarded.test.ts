import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import {
  describedBroker,
  expectAsDescribed,
  FORM,
  JSON_TYPE,
  post,
  restore,
  type Row,
} from './described.ts'

const contract = describedBroker()

let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker()
})

afterAll(() => broker.close())

afterEach(() => {
  restore(broker)
})

const TOKEN = '/t/acme-corp/api/v1/oauth/token'
const bearer = { authorization: 'Bearer a.token' }
const USERINFO = '/t/acme-corp/api/v1/oauth/userinfo'

const forwarded: readonly Row[] = [
  { name: 'userinfo', status: 200, path: USERINFO, headers: bearer },
  { name: 'userinfo by POST', status: 200, path: USERINFO, method: 'POST', headers: bearer },
  {
    name: 'a revocation',
    status: 200,
    path: '/orgs/acme-corp/api/v1/oauth/revoke',
    ...post('token=a', { ...FORM, ...bearer }),
  },
  { name: 'an agent', status: 200, path: '/t/acme-corp/api/v1/agents/me', headers: bearer },
  {
    name: 'a question',
    status: 200,
    path: '/api/v1/authz/check',
    ...post('{}', { ...JSON_TYPE, ...bearer }),
  },
  {
    name: 'what is deep down',
    status: 200,
    path: '/t/acme-corp/api/v1/authz/zanzibar/check?a=b',
    headers: bearer,
  },
  {
    name: "the authority's own refusal",
    status: 401,
    path: USERINFO,
    headers: bearer,
    given: ({ link }) => {
      const headers = { 'content-type': 'application/json', 'www-authenticate': 'Bearer' }
      link.answer({ status: 401, headers, body: '{"error":"invalid_token","of_its":"own"}' })
    },
  },
  { name: 'no authorization', status: 401, code: 'authorization_missing', path: USERINFO },
  {
    name: 'a DPoP proof',
    status: 400,
    code: 'dpop_not_forwarded',
    path: USERINFO,
    headers: { ...bearer, dpop: 'x' },
  },
  {
    name: 'a query',
    status: 400,
    code: 'query_not_forwarded',
    path: `${USERINFO}?a=b`,
    headers: bearer,
  },
  {
    name: 'another tenant',
    status: 404,
    code: 'tenant_unknown',
    path: USERINFO.replace('acme-corp', 'globex'),
    headers: bearer,
  },
  {
    name: 'a path that is no path',
    status: 404,
    code: 'route_unknown',
    path: '/t/acme-corp/api/v1/agents/..%2fme',
    headers: bearer,
  },
  {
    name: 'no authority',
    status: 503,
    code: 'authority_unavailable',
    path: USERINFO,
    headers: bearer,
    given: ({ link }) => {
      link.fail('unavailable')
    },
  },
  {
    name: 'a redirect',
    status: 503,
    code: 'authority_answer_unusable',
    path: USERINFO,
    headers: bearer,
    given: ({ link }) => {
      link.answer({ status: 302 })
    },
  },
]

const missing: readonly Row[] = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server/t/acme-corp/api/v1',
  '/t/acme-corp/api/v1/.well-known/jwks.json',
  '/orgs/acme-corp/.well-known/openid-configuration',
].map((path) => ({ name: path, status: 404, code: 'discovery_elsewhere', path }))

describe.each([
  ['what is forwarded', forwarded],
  ['discovery', missing],
] as const)('%s is answered as it is described:', (_name, rows) => {
  test.each(rows)('$name: $status $code', (row) => expectAsDescribed(row, broker, contract))
})

test('a broker of other pods does not describe what it does not forward', () => {
  const described = describedBroker({ callersProve: true })
  expect(described.find('GET', USERINFO)).toBe(undefined)
  expect(described.find('POST', TOKEN)).not.toBe(undefined)
})
