import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuthorizationRequest } from '../../src/endpoint/authorize/issue_code.ts'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, CALLBACK, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refuses, type RefusalCase } from '../fakes/refusal_cases.ts'
import { basic, docs, files, FORM, formBody, secret } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const s256 = (verifier: string) => createHash('sha256').update(verifier).digest('base64url')
const verifier = 'v'.repeat(43)
const NATIVE = 'http://127.0.0.1:50123/callback'
const bound = { codeChallenge: s256(verifier), codeChallengeMethod: 'S256' }
const spa = { clientId: 'spa', redirectUri: NATIVE, ...bound }

/** A way to show a code that has to be refused. */
interface Showing {
  readonly name: string
  readonly request?: Partial<AuthorizationRequest>
  readonly sub?: string
  /** Laid over the form; empty takes a parameter away. */
  readonly form?: Form
  readonly headers?: Form
  /** Between the code's issue and its showing. */
  readonly meanwhile?: () => void | Promise<void>
}

const ERRORS = {
  parameter_missing: { status: 400, error: 'invalid_request' },
  parameter_repeated: { status: 400, error: 'invalid_request' },
  client_unproven: { status: 401, error: 'invalid_client' },
  client_twice: { status: 400, error: 'invalid_request' },
  grant_not_allowed: { status: 400, error: 'unauthorized_client' },
  target_not_allowed: { status: 400, error: 'invalid_target' },
  targets_too_many: { status: 400, error: 'invalid_target' },
  scope_not_allowed: { status: 400, error: 'invalid_scope' },
} as const

/** Whatever is wrong with the code itself is one error on the wire. */
const ofCode = { status: 400, error: 'invalid_grant' } as const

function shown(reason: string, showing: Showing): RefusalCase {
  const { name, request, sub, form = {}, headers = asWeb, meanwhile } = showing
  const known = Object.entries(ERRORS).find(([code]) => code === reason)?.[1]
  return {
    name,
    reason,
    ...(known ?? ofCode),
    http: async () => {
      const code = await world.code(request, sub)
      await meanwhile?.()
      const whole = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, ...form }
      return { ...formBody(whole), headers: { ...FORM, ...headers } }
    },
  }
}

const asSpa = { client_id: 'spa', redirect_uri: NATIVE, code_verifier: verifier }
const answered = (text: string): Partial<Showing> => ({
  request: { codeChallenge: s256(text), codeChallengeMethod: 'S256' },
  form: { code_verifier: text },
})

const unknown = [
  shown('parameter_missing', { name: 'no code', form: { code: '' } }),
  shown('parameter_missing', { name: 'no redirect_uri', form: { redirect_uri: '' } }),
  shown('code_unknown', { name: 'a made-up code', form: { code: 'x'.repeat(43) } }),
  shown('code_unknown', { name: 'a code beyond ASCII', form: { code: '\u{1f511}\0' } }),
  shown('code_unknown', {
    name: 'a code of 20 000 characters',
    form: { code: 'a'.repeat(20_000) },
  }),
  shown('code_expired', {
    name: 'a code at its end',
    meanwhile: () => {
      clock.advance(600_000)
    },
  }),
  shown('code_revoked', {
    name: 'a code from before its client was revoked',
    meanwhile: async () => {
      const notBefore = clock.now
      const record = { tenant: 'acme-corp', kind: 'client', value: 'web', notBefore } as const
      await world.withStore((store) => store.revoke([{ ...record, expiresAt: notBefore + 1_000 }]))
      clock.advance(1_000)
    },
  }),
]

const redirects = [
  'https://other.example/callback',
  'https://myapp.com/callback/',
  'https://myapp.com/callback?',
  'https://myapp.com/callback#',
  'https://MYAPP.com/callback',
  'https://myapp.com:443/callback',
  'https://myapp.com/%63allback',
  'http://myapp.com/callback',
  ' https://myapp.com/callback',
].map((uri) =>
  shown('redirect_uri_mismatch', { name: `redirect_uri ${uri}`, form: { redirect_uri: uri } }),
)

const clients = [
  shown('code_of_another_client', { name: 'another client', headers: basic('other-web', secret) }),
  shown('code_of_another_client', {
    name: 'a public client with the code of another',
    form: { client_id: 'spa' },
    headers: {},
  }),
  shown('code_of_another_client', {
    name: 'a client with the code of a public one',
    request: spa,
    form: { redirect_uri: NATIVE, code_verifier: verifier },
  }),
  shown('grant_not_allowed', {
    name: 'a client without the grant',
    headers: basic('service_b', secret),
  }),
  shown('client_unproven', { name: 'nobody', headers: {} }),
  shown('client_unproven', {
    name: 'a client with a secret that only names itself',
    form: { client_id: 'web' },
    headers: {},
  }),
  shown('client_unproven', { name: 'a wrong secret', headers: basic('web', 'wrong') }),
  shown('client_unproven', {
    name: 'a public client with a secret',
    request: spa,
    form: asSpa,
    headers: basic('spa', secret),
  }),
  shown('client_unproven', { name: 'an unknown client', form: { client_id: 'x' }, headers: {} }),
  shown('client_twice', { name: 'another client_id in the body', form: { client_id: 'spa' } }),
]

const pkce = [
  shown('pkce_mismatch', {
    name: 'a wrong verifier',
    request: bound,
    form: { code_verifier: 'w'.repeat(43) },
  }),
  shown('pkce_mismatch', { name: 'a challenge without verifier', request: bound }),
  shown('pkce_mismatch', {
    name: 'a verifier without challenge',
    form: { code_verifier: verifier },
  }),
  shown('pkce_mismatch', {
    name: 'the challenge as verifier',
    request: bound,
    form: { code_verifier: bound.codeChallenge },
  }),
  shown('pkce_mismatch', { name: 'a verifier of 42 characters', ...answered('v'.repeat(42)) }),
  shown('pkce_mismatch', { name: 'a verifier of 129 characters', ...answered('v'.repeat(129)) }),
  shown('pkce_mismatch', { name: 'a verifier with a space', ...answered(`${verifier} v`) }),
  shown('pkce_mismatch', { name: 'a verifier with a newline', ...answered(`${verifier}\n`) }),
  shown('pkce_mismatch', {
    name: 'a public client without verifier',
    request: spa,
    form: { ...asSpa, code_verifier: '' },
    headers: {},
  }),
  shown('redirect_uri_mismatch', {
    name: 'a native app at another port than it began with',
    request: spa,
    form: { ...asSpa, redirect_uri: 'http://127.0.0.1:50124/callback' },
    headers: {},
  }),
  shown('dpop_key_mismatch', {
    name: 'a key that was promised and is not shown',
    request: { dpopJkt: s256('a key') },
  }),
]

const setDisabled = (disabled: boolean) =>
  world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', disabled))

const beyond = [
  shown('user_gone', {
    name: 'a user who was disabled since',
    sub: 'user_b',
    meanwhile: () => setDisabled(true),
  }),
  shown('target_not_allowed', {
    name: 'a resource outside of the code',
    request: { resources: [docs], scope: 'read:documents' },
    form: { resource: files },
  }),
  shown('target_not_allowed', {
    name: 'a resource that the client has not',
    form: { resource: 'https://elsewhere.example' },
  }),
  shown('targets_too_many', {
    name: 'more targets than the client may have in a token',
    request: { clientId: 'other-web' },
    form: { resource: docs, audience: files },
    headers: basic('other-web', secret),
  }),
  shown('scope_not_allowed', {
    name: 'a scope outside of the code',
    request: { scope: 'openid' },
    form: { scope: 'openid read:reports' },
  }),
]

describe('a code is refused:', () => {
  for (const wanted of [...unknown, ...redirects, ...clients, ...pkce]) {
    test(wanted.name, () => refuses(world, wanted).then(() => {}))
  }

  for (const wanted of beyond) {
    test(wanted.name, async ({ onTestFinished }) => {
      onTestFinished(() => setDisabled(false))
      await refuses(world, wanted)
    })
  }
})

test('all that can be wrong with a code has the same answer, byte for byte', async () => {
  const texts = new Set<string>()
  for (const wanted of [...unknown, ...redirects, ...clients, ...pkce]) {
    const { text, json } = await refuses(world, wanted)
    if (json['error'] === 'invalid_grant') texts.add(text)
  }
  expect(texts.size).toBe(1)
})

test('a failed attempt does not use the code up', async () => {
  const code = await world.code({ ...bound, resources: [docs], scope: 'read:documents' })
  const attempts: readonly (readonly [Form, Form?])[] = [
    [{}],
    [{ code_verifier: 'w'.repeat(43) }],
    [{ code_verifier: verifier, redirect_uri: 'https://other.example/callback' }],
    [{ code_verifier: verifier, resource: files }],
    [{ code_verifier: verifier, scope: 'openid' }],
    [{ code_verifier: verifier }, basic('other-web', secret)],
    [{ code_verifier: verifier }, basic('web', 'wrong')],
  ]
  for (const [form, headers] of attempts) {
    expect((await world.redeem(code, form, headers)).status).toBeGreaterThanOrEqual(400)
  }
  expect((await world.redeem(code, { code_verifier: verifier })).status).toBe(200)
})

test('a parameter that stands twice is refused, of which whichever is meant', async () => {
  const code = await world.code()
  const body = new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: CALLBACK })
  body.append('code', code)
  body.append('code', code)
  const wish = { ...formBody({}), body: body.toString(), headers: { ...FORM, ...asWeb } }
  const wanted = { name: '', reason: 'parameter_repeated', ...ERRORS.parameter_repeated }
  await refuses(world, { ...wanted, http: wish })
  expect((await world.redeem(code)).status).toBe(200)
})

test('no code is in the log', async () => {
  const code = await world.code()
  await world.redeem(code, { redirect_uri: 'https://other.example/callback' })
  await world.redeem(code)
  await world.redeem(code)
  expect(world.log.text()).not.toContain(code)
})
