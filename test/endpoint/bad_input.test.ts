import { afterAll, beforeAll, test } from 'vitest'
import { refuses, survives, type RefusalCase } from '../fakes/refusal_cases.ts'
import {
  ACCESS_TOKEN,
  credentials,
  exchangeOf,
  FORM,
  formBody,
  JSON_BODY,
  runAuthority,
  TOKEN_PATH,
  type HttpWish,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority()
})

afterAll(async () => {
  await authority.stop()
})

type Form = Readonly<Record<string, string>>

const good = new URLSearchParams(credentials()).toString()

function posted(body: string | Buffer, headers: Form = FORM, path = TOKEN_PATH): HttpWish {
  return { method: 'POST', path, headers, body }
}

/** A case whose `error` is invalid_request, as most here are. */
function invalid(name: string, reason: string, http: RefusalCase['http']): RefusalCase {
  return { name, reason, http, status: 400, error: 'invalid_request' }
}

const ofCredentials = (more: Form) => ({ ...formBody(credentials(more)), headers: FORM })

async function ofExchange({ cluster }: TestAuthority, more: Form): Promise<HttpWish> {
  return { ...formBody(exchangeOf(await cluster.token(), more)), headers: FORM }
}

const without = (form: Form, name: string): string =>
  new URLSearchParams(Object.entries(form).filter(([other]) => other !== name)).toString()

const absent: readonly RefusalCase[] = [
  invalid('an empty form', 'parameter_missing', posted('')),
  invalid('an empty JSON body', 'parameter_missing', posted('', JSON_BODY)),
  invalid('an empty JSON object', 'parameter_missing', posted('{}', JSON_BODY)),
  invalid('no grant_type', 'parameter_missing', posted(without(credentials(), 'grant_type'))),
  invalid('another case of grant_type', 'parameter_missing', posted(good.replace('g', 'G'))),
  ...['grant_type', 'subject_token', 'subject_token_type'].flatMap((name) => [
    invalid(`no ${name} to exchange`, 'parameter_missing', async ({ cluster }) =>
      posted(without(exchangeOf(await cluster.token()), name)),
    ),
    invalid(`an empty ${name}`, 'parameter_missing', (from) => ofExchange(from, { [name]: '' })),
    invalid(`an empty ${name} in JSON`, 'parameter_missing', async ({ cluster }) =>
      posted(JSON.stringify({ ...exchangeOf(await cluster.token()), [name]: '' }), JSON_BODY),
    ),
  ]),
  invalid('a secret without client_id', 'parameter_missing', ofCredentials({ client_id: '' })),
]

const names = [
  'grant_type',
  'client_id',
  'client_secret',
  'scope',
  'subject_token',
  'subject_token_type',
  'subject_issuer',
  'requested_token_type',
  'actor_token',
  'code',
  'known_to_nobody',
]

const repeated: readonly RefusalCase[] = [
  ...names.flatMap((name) => [
    invalid(`${name} twice`, 'parameter_repeated', posted(`${good}&${name}=x&${name}=x`)),
    invalid(`${name} twice, once empty`, 'parameter_repeated', posted(`${name}=&${name}=x`)),
    invalid(
      `${name} twice in JSON`,
      'body_malformed',
      posted(`{"grant_type":"client_credentials","${name}":"x","${name}":"x"}`, JSON_BODY),
    ),
    invalid(
      `${name} as a list in JSON`,
      'parameter_malformed',
      posted(JSON.stringify({ ...credentials(), [name]: ['x'] }), JSON_BODY),
    ),
  ]),
  invalid(
    'audience as a member that stands twice',
    'body_malformed',
    posted(`{"grant_type":"client_credentials","audience":"x","audience":"x"}`, JSON_BODY),
  ),
  invalid(
    'a second grant_type behind many separators',
    'body_malformed',
    posted(`${good}${'&'.repeat(70)}grant_type=password`),
  ),
]

const bodies: readonly RefusalCase[] = [
  ...[
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/xml',
    'application/jwt',
    'application/jsonp',
    'application/json; charset=iso-8859-1',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/x-www-form-urlencoded; charset="utf-8',
  ].map((type) => invalid(`type ${type}`, 'media_type', posted(good, { 'content-type': type }))),
  ...['application/json, application/x-www-form-urlencoded', '/', 'form'].map((type) => ({
    name: `type ${type}, which is none`,
    http: posted(good, { 'content-type': type }),
    status: 400,
    error: 'invalid_request',
  })),
  invalid('no content type', 'media_type', posted(good, {})),
  invalid('no content type and no body', 'media_type', { method: 'POST' }),
  ...['scope=%', 'scope=%2', 'scope=%GG', '%ZZ=1', 'scope=%FF', 'scope=%C0%80', 'a=%ED%A0%80'].map(
    (text) => invalid(`a form with ${text}`, 'body_malformed', posted(`${good}&${text}`)),
  ),
  invalid(
    'a form that is no UTF-8',
    'body_malformed',
    posted(Buffer.concat([Buffer.from(`${good}&scope=`), Buffer.from([0xff])])),
  ),
  invalid(
    'JSON that is no UTF-8',
    'body_malformed',
    posted(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0x22, 0x7d]), JSON_BODY),
  ),
  ...['{', '[]', 'null', '1', '"grant_type"', '{"a":"b"}x', 'grant_type=x', '['.repeat(40)].map(
    (text) => invalid(`JSON ${text}`, 'body_malformed', posted(text, JSON_BODY)),
  ),
  invalid(
    'JSON that nests without end',
    'body_malformed',
    posted(`{"a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, JSON_BODY),
  ),
  ...['1', 'true', 'null', '{}', '["client_credentials"]', '[]'].map((value) =>
    invalid(
      `a grant_type that is ${value}`,
      'parameter_malformed',
      posted(`{"grant_type":${value}}`, JSON_BODY),
    ),
  ),
  ...['[1]', '[null]', '[["x"]]', '{"x":"y"}', '7'].map((value) =>
    invalid(
      `an audience that is ${value}`,
      'parameter_malformed',
      posted(`{"grant_type":"client_credentials","audience":${value}}`, JSON_BODY),
    ),
  ),
  invalid(
    'more than 64 parameters',
    'body_malformed',
    posted(`${good}&${Array.from({ length: 62 }, (_, at) => `x${String(at)}=1`).join('&')}`),
  ),
  invalid(
    'a list of 20000 audiences',
    'body_malformed',
    posted(
      JSON.stringify({ ...credentials(), audience: Array.from({ length: 20_000 }, () => '') }),
      JSON_BODY,
    ),
  ),
]

const places: readonly RefusalCase[] = [
  ...['?grant_type=client_credentials', '?x', '?%ZZ', '?='].map((query) =>
    invalid(`a query ${query}`, 'query_refused', posted(good, FORM, `${TOKEN_PATH}${query}`)),
  ),
  ...['audience', 'scope', 'client_secret'].map((name) =>
    invalid(`${name} in the query`, 'query_refused', {
      ...posted('grant_type=client_credentials', FORM, `${TOKEN_PATH}?${name}=x`),
    }),
  ),
]

const unsupported = [
  'assertion',
  'authorization_details',
  'code',
  'code_verifier',
  'jit_task_id',
  'redirect_uri',
  'refresh_token',
  'request',
  'request_uri',
]
const ofExchangeOnly = [
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'subject_token',
  'subject_token_type',
  'subject_issuer',
]
/** Each is nothing without the other. */
const halves = ['client_assertion', 'client_assertion_type']

const grants: readonly RefusalCase[] = [
  ...[
    'password',
    'implicit',
    'CLIENT_CREDENTIALS',
    'client_credentials ',
    'token_exchange',
    'toString',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'urn:ietf:params:oauth:grant-type:device_code',
    'urn:openid:params:grant-type:ciba',
  ].map((grant) => ({
    name: `grant ${grant}`,
    reason: 'grant_unsupported',
    http: ofCredentials({ grant_type: grant }),
    status: 400,
    error: 'unsupported_grant_type',
  })),
  ...[...unsupported, ...ofExchangeOnly].map((name) =>
    invalid(
      `${name} with client_credentials`,
      'parameter_unsupported',
      ofCredentials({ [name]: 'x' }),
    ),
  ),
  ...unsupported.map((name) =>
    invalid(`${name} with an exchange`, 'parameter_unsupported', (from) =>
      ofExchange(from, { [name]: 'x' }),
    ),
  ),
  ...halves.map((name) =>
    invalid(`${name} alone`, 'parameter_missing', {
      ...posted(`grant_type=client_credentials&client_id=reporter&${name}=x`),
    }),
  ),
  ...[...halves, 'actor_token', 'actor_token_type'].map((name) =>
    invalid(`${name} alone with an exchange`, 'parameter_missing', (from) =>
      ofExchange(from, { [name]: 'x' }),
    ),
  ),
  ...['e30.e30.x', ''].map((dpop) => ({
    ...invalid(`DPoP proof ${dpop}`, 'dpop_malformed', posted(good, { ...FORM, dpop })),
    error: 'invalid_dpop_proof',
  })),
  invalid('a proof that is called an access token', 'subject_foreign', (from) =>
    ofExchange(from, { subject_token_type: ACCESS_TOKEN }),
  ),
  ...['urn:ietf:params:oauth:token-type:id_token', 'jwt', 'urn:x'].map((type) =>
    invalid(`subject_token_type ${type}`, 'token_type_unsupported', (from) =>
      ofExchange(from, { subject_token_type: type }),
    ),
  ),
  ...['refresh_token', 'id_token', 'saml2', 'id-jag', 'JWT', 'jwt '].map((type) =>
    invalid(`requested_token_type ${type}`, 'token_type_unsupported', (from) =>
      ofExchange(from, { requested_token_type: `urn:ietf:params:oauth:token-type:${type}` }),
    ),
  ),
]

const cases = [...absent, ...repeated, ...bodies, ...places, ...grants]

for (const wanted of cases) {
  test(`a request is refused: ${wanted.name}`, async () => {
    await refuses(authority, wanted)
  })
}

test('after the whole table at once, it serves as before', async () => {
  await survives(authority, cases)
})
