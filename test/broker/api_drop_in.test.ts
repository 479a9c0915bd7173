import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../src/broker/drop_in/guard.ts'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { listeningBroker, proofOf, type ListeningBroker } from '../fakes/broker.ts'
import { basic, TOKEN_EXCHANGE, ACCESS_TOKEN } from '../fakes/running_authority.ts'
import { membersOf } from '../ops/contract.ts'
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
const GUARD_VALUE = 'a-guard-value-of-this-pod'

let broker: ListeningBroker
/** One whose token routes for clients are off. */
let closed: ListeningBroker

const own = { iss: 'https://auth.example', sub: 'agent:a', client_id: 'a' }

beforeAll(async () => {
  const digest = digestOf(GUARD_VALUE)
  broker = await listeningBroker({ dropIn: { kind: 'secret', digest: () => digest } })
  broker.authority.tokenOf = (count) => proofOf({ ...own, jti: String(count) })
  closed = await listeningBroker()
})

afterAll(async () => {
  await broker.close()
  await closed.close()
})

afterEach(() => {
  restore(broker)
})

const TOKEN = '/t/acme-corp/api/v1/oauth/token'
const client = { client_id: 'self', client_secret: GUARD_VALUE }
const asClient = basic('self', GUARD_VALUE)
const ownToken = proofOf(own)
const user = proofOf({ ...own, sub: 'user_a' })

type Form = Readonly<Record<string, string>>

const form = (fields: Form, headers: Form = {}) =>
  post(new URLSearchParams(fields).toString(), { ...FORM, ...headers })
const credentials = (fields: Form = client, headers: Form = {}) =>
  form({ grant_type: 'client_credentials', ...fields }, headers)
const exchange = (fields: Form, headers: Form = {}) =>
  form(
    {
      grant_type: TOKEN_EXCHANGE,
      subject_token_type: ACCESS_TOKEN,
      ...(fields['actor_token'] !== undefined && { actor_token_type: ACCESS_TOKEN }),
      ...client,
      ...fields,
    },
    headers,
  )
const failing = (failure: ExchangeFailure) => (some: ListeningBroker) => {
  some.authority.fail(failure)
}
const consent = new ExchangeFailure('refused', 'access_denied', '403', undefined, {
  code: 'consent_required',
  approval: 'an-approval',
  expires_in: 600,
})
const tooDeep = new ExchangeFailure('refused', 'delegation_depth_exceeded', '403', undefined, {
  max_depth: 3,
})
const relayed = new ExchangeFailure('relayed', 'invalid_target', '400')

const served: readonly Row[] = [
  { name: 'credentials in the body', status: 200, ...credentials() },
  { name: 'HTTP Basic', status: 200, ...credentials({}, asClient) },
  {
    name: 'JSON',
    status: 200,
    ...post(
      JSON.stringify({ grant_type: 'client_credentials', ...client, audience: ['a'] }),
      JSON_TYPE,
    ),
  },
  { name: 'the other prefix', status: 200, path: TOKEN.replace('/t/', '/orgs/'), ...credentials() },
  {
    name: 'a name that no specification knows',
    status: 200,
    ...credentials({ ...client, whatever: 'a' }),
  },
  {
    name: 'its own token, for less',
    status: 200,
    ...exchange({ subject_token: ownToken, resource: 'https://a.example' }),
  },
  { name: 'the token of a user', status: 200, ...exchange({ subject_token: user }) },
  {
    name: 'both tokens',
    status: 200,
    ...exchange({ subject_token: user, actor_token: ownToken, requested_token_type: ACCESS_TOKEN }),
  },
]

const refused: readonly Row[] = [
  {
    name: 'another host',
    status: 403,
    code: 'host_not_allowed',
    ...credentials(client, { host: 'a.example' }),
  },
  {
    name: 'a page',
    status: 403,
    code: 'forwarded_request',
    ...credentials(client, { origin: 'http://a.example' }),
  },
  {
    name: 'another tenant',
    status: 404,
    code: 'tenant_unknown',
    path: TOKEN.replace('acme-corp', 'globex'),
    ...credentials(),
  },
  {
    name: 'a wrong secret',
    status: 401,
    code: 'client_unproven',
    ...credentials({ ...client, client_secret: 'wrong' }),
  },
  {
    name: 'a wrong secret by Basic',
    status: 401,
    code: 'client_unproven',
    ...credentials({}, basic('self', 'wrong')),
  },
  {
    name: 'no name',
    status: 401,
    code: 'client_id_missing',
    ...credentials({ client_secret: GUARD_VALUE }),
  },
  { name: 'two secrets', status: 400, code: 'client_twice', ...credentials(client, asClient) },
  {
    name: 'an assertion',
    status: 401,
    code: 'assertion_unsupported',
    ...credentials({
      client_id: 'self',
      client_assertion: ownToken,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    }),
  },
  {
    name: 'a DPoP proof',
    status: 400,
    code: 'dpop_unsupported',
    ...credentials(client, { dpop: 'x' }),
  },
  {
    name: 'another grant',
    status: 400,
    code: 'grant_unsupported',
    ...credentials({ ...client, grant_type: 'password' }),
  },
  { name: 'no grant', status: 400, code: 'parameter_missing', ...form(client) },
  {
    name: 'no subject',
    status: 400,
    code: 'parameter_missing',
    ...form({ ...client, grant_type: TOKEN_EXCHANGE }),
  },
  {
    name: 'a parameter of another grant',
    status: 400,
    code: 'parameter_unsupported',
    ...credentials({ ...client, code: 'a' }),
  },
  {
    name: 'another type of token',
    status: 400,
    code: 'token_type_unsupported',
    ...exchange({
      subject_token: user,
      subject_token_type: 'urn:ietf:params:oauth:token-type:saml2',
    }),
  },
  {
    name: 'a token that is none of the tenant',
    status: 400,
    code: 'subject_foreign',
    ...exchange({ subject_token: 'opaque' }),
  },
  {
    name: "another's actor token",
    status: 400,
    code: 'actor_not_own',
    ...exchange({ subject_token: user, actor_token: user }),
  },
  {
    name: 'a bad scope',
    status: 400,
    code: 'scope_malformed',
    ...credentials({ ...client, scope: '"' }),
  },
  {
    name: 'a bad target',
    status: 400,
    code: 'target_malformed',
    ...credentials({ ...client, resource: 'a' }),
  },
  { name: 'a query', status: 400, code: 'query_refused', path: `${TOKEN}?a=b`, ...credentials() },
  {
    name: 'another media type',
    status: 400,
    code: 'media_type',
    ...post('a', { 'content-type': 'text/plain' }),
  },
  { name: 'too much', status: 413, code: 'body_too_large', ...post('x'.repeat(65_537)) },
  {
    name: 'what the authority does not allow',
    status: 400,
    code: 'exchange_refused',
    ...exchange({ subject_token: ownToken }),
    given: failing(relayed),
  },
  {
    name: 'no consent',
    status: 403,
    code: 'consent_required',
    ...exchange({ subject_token: ownToken }),
    given: failing(consent),
  },
  {
    name: 'a chain too long',
    status: 403,
    code: 'authority_refused',
    ...exchange({ subject_token: ownToken }),
    given: failing(tooDeep),
  },
]

describe('the token endpoint of OAuth clients answers as it is described:', () => {
  test.each([...served, ...refused])('$name: $status $code', ({ path = TOKEN, ...row }) =>
    expectAsDescribed({ ...row, path }, broker, contract),
  )
})

describe('requests are as they are described where they are served, and not where their form is wrong:', () => {
  const ofForm = new Set([
    'grant_unsupported',
    'parameter_missing',
    'token_type_unsupported',
    'scope_malformed',
    'target_malformed',
  ])
  const rows = [...served, ...refused].filter(
    ({ code, headers }) =>
      (code === undefined || ofForm.has(code)) &&
      headers?.['content-type'] === FORM['content-type'],
  )
  test.each(rows)('$name: $code', ({ body, code }) => {
    const members = membersOf(String(body))
    const faults = contract.requestFaults('POST', TOKEN, FORM['content-type'], members)
    expect(faults.length === 0).toBe(code === undefined)
  })
})

test('a broker that has it off says so, and does not describe it', async () => {
  const row = { name: '', status: 403, code: 'drop_in_off', path: TOKEN, ...credentials() }
  await expectAsDescribed(row, closed, contract)
  expect(describedBroker({ dropIn: false }).find('POST', TOKEN)).toBe(undefined)
})
