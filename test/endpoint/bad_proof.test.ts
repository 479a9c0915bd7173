import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { exportJWK } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import type { TokenChanges } from '../fakes/cluster.ts'
import { refuses, survives, type RefusalCase } from '../fakes/refusal_cases.ts'
import {
  exchangeOf,
  FORM,
  formBody,
  runAuthority,
  secret,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority()
})

afterAll(async () => {
  await authority.stop()
})

type Make = (authority: TestAuthority) => string | Promise<string>

/** A proof that is refused on its own account: always the same answer, whatever the reason. */
function proof(
  name: string,
  reason: string,
  make: Make | TokenChanges,
  more: Readonly<Record<string, string>> = {},
): RefusalCase {
  return {
    name,
    reason,
    status: 400,
    error: 'invalid_request',
    code: 'workload_identity_failed',
    http: async (from) => {
      const text = await (typeof make === 'function' ? make(from) : from.cluster.token(make))
      return { ...formBody(exchangeOf(text, more)), headers: FORM }
    },
  }
}

const base64url = (text: string | Buffer) => Buffer.from(text).toString('base64url')

/** A compact JWS of exactly these texts, with a good signature. */
function signed({ cluster }: TestAuthority, header: string, payload: string | Buffer): string {
  const input = `${base64url(header)}.${base64url(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), cluster.privateKey).toString('base64url')}`
}

const headerOf = ({ cluster }: TestAuthority, more: object = {}) =>
  JSON.stringify({ alg: 'RS256', kid: cluster.kid, ...more })
const claimsOf = ({ cluster }: TestAuthority) => JSON.stringify(cluster.claims())

function withHmac(from: TestAuthority, key: string | Buffer): string {
  const input = `${base64url(headerOf(from, { alg: 'HS256' }))}.${base64url(claimsOf(from))}`
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

/** The same bytes in another spelling: the last character of the signature holds bits that nothing reads. */
function respelled(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + (alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1] ?? '')
}

const stranger: KeyObject = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
const { now } = new FakeClock()

const malformed: readonly RefusalCase[] = [
  proof('a word', 'malformed', () => 'token'),
  proof('two parts', 'malformed', async ({ cluster }) =>
    (await cluster.token()).replace(/\.[^.]*$/, ''),
  ),
  proof('four parts', 'malformed', async ({ cluster }) => `${await cluster.token()}.x`),
  proof('five parts, as encrypted tokens have', 'malformed', () => 'a.b.c.d.e'),
  proof('padding', 'malformed', async ({ cluster }) => `${await cluster.token()}==`),
  proof(
    'a line break at the end',
    'malformed',
    async ({ cluster }) => `${await cluster.token()}\n`,
  ),
  proof('a space in front', 'malformed', async ({ cluster }) => ` ${await cluster.token()}`),
  proof('non-canonical base64url', 'malformed', async ({ cluster }) =>
    respelled(await cluster.token()),
  ),
  proof('the base64 alphabet', 'malformed', () => 'e30.e30.+/+/'),
  proof('a header that is no JSON', 'malformed', (from) => signed(from, '{', claimsOf(from))),
  proof('claims that are an array', 'malformed', (from) => signed(from, headerOf(from), '[]')),
  proof('claims that are no UTF-8', 'malformed', (from) =>
    signed(from, headerOf(from), Buffer.from([0x7b, 0xff, 0x7d])),
  ),
  proof('a claim that stands twice', 'malformed', (from) =>
    signed(from, headerOf(from), claimsOf(from).replace('{', '{"sub":"system:admin",')),
  ),
  proof('a nested member that stands twice', 'malformed', (from) =>
    signed(
      from,
      headerOf(from),
      claimsOf(from).replace('"namespace"', '"namespace":"kube-system","namespace"'),
    ),
  ),
  proof('a header member that stands twice', 'malformed', (from) =>
    signed(from, headerOf(from).replace('{', '{"alg":"none",'), claimsOf(from)),
  ),
  proof('17 KB', 'too_large', { claims: { padding: 'a'.repeat(12_500) } }),
]

const algorithms: readonly RefusalCase[] = [
  proof('alg none, without a signature', 'malformed', (from) =>
    [headerOf(from, { alg: 'none' }), claimsOf(from), ''].map(base64url).join('.'),
  ),
  ...['none', 'None', 'NONE', 'nOnE', '', 'RS1', 'HS256', 'PS256', 'toString'].map((alg) =>
    proof(`alg ${JSON.stringify(alg)} over a good signature`, 'algorithm_not_allowed', (from) =>
      signed(from, headerOf(from, { alg }), claimsOf(from)),
    ),
  ),
  proof('no alg', 'algorithm_not_allowed', (from) =>
    signed(from, JSON.stringify({ kid: from.cluster.kid }), claimsOf(from)),
  ),
  proof('HMAC with the public key as PEM', 'algorithm_not_allowed', (from) =>
    withHmac(from, from.cluster.publicKey.export({ type: 'spki', format: 'pem' })),
  ),
  proof('HMAC with the public key as DER', 'algorithm_not_allowed', (from) =>
    withHmac(from, from.cluster.publicKey.export({ type: 'spki', format: 'der' })),
  ),
  proof('HMAC with the public key as JWK', 'algorithm_not_allowed', async (from) =>
    withHmac(from, JSON.stringify(await exportJWK(from.cluster.publicKey))),
  ),
  proof('an algorithm of another type of key', 'key_unknown', (from) =>
    signed(from, headerOf(from, { alg: 'ES256' }), claimsOf(from)),
  ),
]

const headers: readonly RefusalCase[] = [
  proof('the key of a stranger', 'signature_invalid', { key: stranger }),
  proof('claims changed after signing', 'signature_invalid', async (from) => {
    const [header, , signature] = (await from.cluster.token()).split('.')
    const claims = from.cluster.claims({ claims: { exp: now + 601 } })
    return [header, base64url(JSON.stringify(claims)), signature].join('.')
  }),
  proof('an unknown kid', 'key_unknown', { header: { kid: 'unknown' } }),
  proof('a kid that is a path', 'key_unknown', { header: { kid: '../../../../dev/null' } }),
  proof('a kid of a prototype', 'key_unknown', { header: { kid: '__proto__' } }),
  proof('a kid of 257 characters', 'key_unknown', { header: { kid: 'a'.repeat(257) } }),
  proof('no kid', 'key_unknown', { header: { kid: undefined } }),
  proof('typ of an access token', 'type_not_allowed', { header: { typ: 'at+jwt' } }),
  proof('a key of its own', 'header_not_allowed', async (from) =>
    signed(from, headerOf(from, { jwk: await exportJWK(from.cluster.publicKey) }), claimsOf(from)),
  ),
  ...['jku', 'x5u', 'x5c', 'crit', 'b64', 'zip'].map((member) =>
    proof(`a header member ${member}`, 'header_not_allowed', (from) =>
      signed(from, headerOf(from, { [member]: 'https://evil.example' }), claimsOf(from)),
    ),
  ),
]

const claims: readonly RefusalCase[] = [
  proof('expired for the leeway', 'expired', { claims: { iat: now - 600, exp: now - 30 } }),
  proof('issued after the leeway', 'not_yet_valid', { claims: { iat: now + 31, nbf: undefined } }),
  proof('valid only after the leeway', 'not_yet_valid', { claims: { nbf: now + 31 } }),
  proof('a life of more than a day', 'lifetime_too_long', { claims: { exp: now + 86_401 } }),
  proof('a life that ends before it begins', 'claim_malformed', { claims: { exp: now } }),
  proof('exp as text', 'claim_malformed', { claims: { exp: String(now + 600) } }),
  proof('exp as a fraction', 'claim_malformed', { claims: { exp: now + 600.5 } }),
  ...['exp', 'iat', 'aud', 'sub', 'kubernetes.io'].map((claim) =>
    proof(`no ${claim}`, 'claim_missing', { claims: { [claim]: undefined } }),
  ),
  proof('the audience of the API server', 'audience_mismatch', {
    claims: { aud: ['https://kubernetes.default.svc'] },
  }),
  proof('the audience of another tenant', 'audience_mismatch', {
    claims: { aud: ['https://auth.example/t/globex/api/v1'] },
  }),
  proof('an audience with one more slash', 'audience_mismatch', {
    claims: { aud: ['https://auth.example/t/acme-corp/api/v1/'] },
  }),
  proof('two audiences', 'audience_many', {
    claims: { aud: ['https://auth.example/t/acme-corp/api/v1', 'https://vault.example'] },
  }),
  proof('a foreign issuer', 'issuer_unknown', { claims: { iss: 'https://evil.example' } }),
  proof('an issuer with one more slash', 'issuer_unknown', {
    claims: { iss: 'https://cluster.example/' },
  }),
  proof('no issuer', 'issuer_unknown', { claims: { iss: undefined } }),
  proof('an issuer that is a list', 'issuer_unknown', {
    claims: { iss: ['https://cluster.example'] },
  }),
  proof('sub and binding that disagree', 'subject_mismatch', {
    claims: { sub: 'system:serviceaccount:kube-system:doc-analyst' },
  }),
  proof('bound to no pod', 'not_pod_bound', { bound: { pod: undefined } }),
  proof('bound to something unknown', 'binding_unknown', { bound: { workload: 'x' } }),
  proof('past warnafter', 'expired', { bound: { warnafter: now - 30 } }),
]

function account(name: string, namespace = 'research'): TokenChanges {
  return {
    claims: { sub: `system:serviceaccount:${namespace}:${name}` },
    bound: { namespace, serviceaccount: { name, uid: '44444444-4444-4444-4444-444444444444' } },
  }
}

const matching: readonly RefusalCase[] = [
  proof('an account that no rule names', 'unmatched', account('default')),
  proof('the account of another namespace', 'unmatched', account('doc-analyst', 'lab')),
  proof('the account of another cluster', 'unmatched', {
    claims: { iss: 'https://staging.example' },
  }),
  proof('a client_id of no agent', 'unmatched', {}, { client_id: 'nobody' }),
  proof('a client_id of another agent', 'unmatched', {}, { client_id: 'first-of-two' }),
  proof('two agents that fit', 'ambiguous', account('shared')),
  proof(
    'a client that is not the agent',
    'unmatched',
    {},
    {
      client_id: 'exchanger',
      client_secret: secret,
    },
  ),
  ...['aws', 'staging', 'https://staging.example', 'https://cluster.example/', 'Kubernetes'].map(
    (issuer) =>
      proof(`subject_issuer ${issuer}`, 'subject_issuer_mismatch', {}, { subject_issuer: issuer }),
  ),
]

const cases = [...malformed, ...algorithms, ...headers, ...claims, ...matching]

for (const wanted of cases) {
  test(`a proof is refused: ${wanted.name}`, async () => {
    await refuses(authority, wanted)
  })
}

test('every refused proof has the same answer, byte for byte', async () => {
  const answers = new Set<string>()
  for (const wanted of cases) {
    const { status, text, headers: received } = await refuses(authority, wanted)
    const { date, 'x-request-id': id, ...stable } = received
    expect([date, id]).not.toContain(undefined)
    answers.add(JSON.stringify({ status, text, stable }))
  }
  expect([...answers].map((answer) => JSON.parse(answer) as unknown)).toEqual([
    {
      status: 400,
      text: '{"error":"invalid_request","error_description":"The subject_token or the actor_token is not valid for this request.","code":"workload_identity_failed"}',
      stable: {
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-store',
        pragma: 'no-cache',
        'content-length': '151',
        connection: 'close',
        'access-control-allow-origin': '*',
        'access-control-expose-headers': 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id',
      },
    },
  ])
})

test('after the whole table at once, it serves as before', async () => {
  await survives(authority, cases)
})

test.each([
  ['first-of-two', 'prod: system:serviceaccount:research:doc-analyst, as first-of-two'],
  ['nobody', 'prod: system:serviceaccount:research:doc-analyst, as an agent that is not there'],
])(
  'the log says as which agent was asked, and repeats no name that is none: %j',
  async (id, detail) => {
    const token = await authority.cluster.token({})
    await authority.post(exchangeOf(token, { client_id: id }))
    expect(authority.log.lines.at(-1)?.fields['detail']).toBe(detail)
  },
)

test('no part of a refused proof is in the log', async () => {
  const token = await authority.cluster.token({ key: stranger, claims: { canary: 'canary-7c1e' } })
  await authority.post(exchangeOf(token))
  const text = authority.log.text()
  for (const part of [...token.split('.'), 'canary-7c1e', 'doc-analyst-0']) {
    expect(text).not.toContain(part)
  }
})
