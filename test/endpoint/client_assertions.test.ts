import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import {
  ISSUER,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type ClientKey,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { part } from '../fakes/raw_token.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import type { Answer, Json } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled
let own: ClientKey
let second: ClientKey

beforeAll(async () => {
  const keys = await Promise.all([newClientKey('first'), newClientKey('second')])
  second = keys[1]
  const twoKeys = {
    id: 'two-keys',
    methods: ['private_key_jwt'],
    jwks: { keys: keys.map(({ jwk }) => jwk) },
  }
  world = await peopledAuthority({
    clock,
    tenant: { clients: [...peopledClients((own = await newClientKey())), twoKeys] },
  })
})

afterAll(() => world.stop())

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const UNPROVEN = { status: 401, error: 'invalid_client', code: undefined }

const show = (assertion: string, form: Form = {}): Promise<Answer> =>
  world.post({
    grant_type: 'client_credentials',
    client_assertion_type: JWT_BEARER,
    client_assertion: assertion,
    ...form,
  })

const sign = (claims: Json = {}, header: Json = {}, key: KeyObject = own.privateKey) =>
  world.assertion(claims, header, key)

async function expectRefused(answer: Promise<Answer>, detail?: string): Promise<void> {
  const { headers, ...rest } = await answer
  expect(refusalOf({ headers, ...rest })).toEqual(UNPROVEN)
  expect(headers).not.toHaveProperty('www-authenticate')
  if (detail === undefined) return
  expect(world.log.lines.at(-1)?.fields['detail']).toBe(detail)
}

const now = () => clock.now

type Good = readonly [name: string, claims: () => Json, header?: Json, form?: Form]

const good: readonly Good[] = [
  ['as it is', () => ({})],
  ['an audience in an array of one', () => ({ aud: [ISSUER] })],
  ['300 s to live', () => ({ exp: now() + 300 })],
  ['300 s and a clock that is ahead', () => ({ iat: now() + 30, exp: now() + 330 })],
  ['no iat', () => ({ iat: undefined })],
  ['nbf now', () => ({ nbf: now() })],
  ['typ JWT', () => ({}), { typ: 'JWT' }],
  ['typ client-authentication+jwt', () => ({}), { typ: 'client-authentication+jwt' }],
  ['no kid, of its only key', () => ({}), { kid: undefined }],
  ['its client_id beside it', () => ({}), {}, { client_id: 'signing' }],
]

describe('a client proves itself by a key with', () => {
  for (const [name, claims, header, form] of good) {
    test(name, async () => {
      const answer = await show(await sign(claims(), header), form)
      expect(answer.status).toBe(200)
      expect(decodeJwt(String(answer.json['access_token']))['client_id']).toBe('signing')
    })
  }

  test('either of two keys, each by its name', async () => {
    const claims = { iss: 'two-keys', sub: 'two-keys' }
    expect((await show(await sign(claims, { kid: 'second' }, second.privateKey))).status).toBe(200)
    const unnamed = await sign(claims, { kid: undefined }, second.privateKey)
    await expectRefused(show(unnamed), 'client two-keys: the signature is not the client’s')
    const misnamed = await sign(claims, { kid: 'first' }, second.privateKey)
    await expectRefused(show(misnamed), 'client two-keys: the signature is not the client’s')
  })
})

const AUD = 'aud is not the issuer'
const LONG = 'it lives too long'
const NAMES = 'iss and sub are not its client_id'
const END = 'exp is missing or has passed'
const JTI = 'jti is missing'

const claimFaults: readonly (readonly [name: string, claims: () => Json, fault: string])[] = [
  ['the URL of the token endpoint', () => ({ aud: `${ISSUER}/oauth/token` }), AUD],
  ['the origin', () => ({ aud: 'https://auth.example' }), AUD],
  ['the issuer with a slash', () => ({ aud: `${ISSUER}/` }), AUD],
  ['the issuer by its other prefix', () => ({ aud: ISSUER.replace('/t/', '/orgs/') }), AUD],
  ['the issuer of another tenant', () => ({ aud: ISSUER.replace('acme-corp', 'globex') }), AUD],
  ['two audiences', () => ({ aud: [ISSUER, `${ISSUER}/oauth/token`] }), AUD],
  ['the issuer twice', () => ({ aud: [ISSUER, ISSUER] }), AUD],
  ['an audience in two arrays', () => ({ aud: [[ISSUER]] }), AUD],
  ['no audience', () => ({ aud: undefined }), AUD],
  ['an empty list of audiences', () => ({ aud: [] }), AUD],
  ['301 s to live', () => ({ exp: now() + 301 }), LONG],
  ['331 s to live without iat', () => ({ iat: undefined, exp: now() + 331 }), LONG],
  ['an iat of long ago', () => ({ iat: now() - 3_600, exp: now() + 60 }), LONG],
  ['a year to live', () => ({ exp: now() + 365 * 86_400 }), LONG],
  ['no exp', () => ({ exp: undefined }), END],
  ['an exp that is now', () => ({ exp: now() }), END],
  ['an exp that has passed', () => ({ iat: now() - 60, exp: now() - 1 }), END],
  ['an exp in words', () => ({ exp: String(now() + 60) }), END],
  ['half a second in exp', () => ({ exp: now() + 60.5 }), END],
  ['an iat that lies ahead', () => ({ iat: now() + 31, exp: now() + 60 }), 'iat lies ahead'],
  ['an nbf that lies ahead', () => ({ nbf: now() + 31 }), 'nbf lies ahead'],
  ['no jti', () => ({ jti: undefined }), JTI],
  ['an empty jti', () => ({ jti: '' }), JTI],
  ['a jti that is a number', () => ({ jti: 7 }), JTI],
  ['a jti of 257 characters', () => ({ jti: 'j'.repeat(257) }), JTI],
  ['another sub', () => ({ sub: 'web' }), NAMES],
  ['a user as sub', () => ({ sub: 'user_a' }), NAMES],
  ['no sub', () => ({ sub: undefined }), NAMES],
]

const TYPE = 'the assertion has another type'
const MEMBER = 'an unknown header member'
const SIGNATURE = 'the signature is not the client’s'

const headerFaults: readonly (readonly [name: string, header: () => Json, fault: string])[] = [
  ['the type of an access token', () => ({ typ: 'at+jwt' }), TYPE],
  ['the type of a DPoP proof', () => ({ typ: 'dpop+jwt' }), TYPE],
  ['a key of its own', () => ({ jwk: own.jwk }), MEMBER],
  ['a place to fetch keys', () => ({ jku: 'https://evil.example/jwks.json' }), MEMBER],
  ['an unknown kid', () => ({ kid: 'other' }), SIGNATURE],
  ['an empty kid', () => ({ kid: '' }), SIGNATURE],
  ['a kid that is a path', () => ({ kid: '../../own' }), SIGNATURE],
]

describe('an assertion is refused with', () => {
  test.each(claimFaults)('%s', async (_, claims, fault) => {
    await expectRefused(show(await sign(claims())), `client signing: ${fault}`)
  })

  test.each(headerFaults)('%s in the header', async (_, header, fault) => {
    await expectRefused(show(await sign({}, header())), `client signing: ${fault}`)
  })

  test('the key of somebody else', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    await expectRefused(show(await sign({}, {}, privateKey)), `client signing: ${SIGNATURE}`)
  })

  test('the issuer of a client that has secrets', async () => {
    const claims = { iss: 'web', sub: 'web' }
    const detail = 'client web: private_key_jwt is not its method'
    await expectRefused(show(await sign(claims)), detail)
  })

  test('an issuer that is no client', async () => {
    const claims = { iss: 'stranger', sub: 'stranger' }
    await expectRefused(
      show(await sign(claims)),
      'no client of this client_id is proven by a platform',
    )
    await expectRefused(show(await sign({ iss: undefined })), 'the assertion has no issuer')
  })

  test('another client_id beside it', async () => {
    await expectRefused(show(await sign(), { client_id: 'web' }), 'another client_id')
  })

  test('another type, or none', async () => {
    const type = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
    await expectRefused(show(await sign(), { client_assertion_type: type }))
    for (const name of ['client_assertion_type', 'client_assertion']) {
      const answer = await show(await sign(), { [name]: '' })
      expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
    }
  })
})

describe('an assertion is no', () => {
  const parts = async () => (await sign()).split('.') as [string, string, string]

  test('unsigned one', async () => {
    const [, payload] = await parts()
    for (const alg of ['none', 'None', '']) {
      await expectRefused(show(`${part(JSON.stringify({ alg }))}.${payload}.AAAA`))
      await expectRefused(show(`${part(JSON.stringify({ alg }))}.${payload}.`))
    }
  })

  test('one that is signed with the public key as a secret', async () => {
    const [, payload] = await parts()
    const signed = `${part(JSON.stringify({ alg: 'HS256', kid: 'own' }))}.${payload}`
    const { publicKey } = { publicKey: JSON.stringify(own.jwk) }
    const mac = createHmac('sha256', publicKey).update(signed).digest('base64url')
    await expectRefused(show(`${signed}.${mac}`), 'client signing: the algorithm is not allowed')
  })

  test('other text than was signed', async () => {
    const [header, payload, signature] = await parts()
    const more = part(JSON.stringify({ ...decodeJwt(`${header}.${payload}.`), scope: 'admin' }))
    await expectRefused(show(`${header}.${more}.${signature}`), `client signing: ${SIGNATURE}`)
  })

  test('text in another spelling, nor anything else', async () => {
    const assertion = await sign()
    const [header, payload, signature] = await parts()
    const spellings = [
      `${assertion}=`,
      ` ${assertion}`,
      `${assertion}\n`,
      `${header}.${payload}`,
      `${assertion}.AAAA`,
      `${header}..${signature}`,
      'x',
      'x'.repeat(20_000),
    ]
    for (const text of spellings) {
      await expectRefused(show(text), 'the assertion is no compact JWS')
    }
    expect((await show(assertion)).status).toBe(200)
  })

  test('access token, though we signed it', async () => {
    await expectRefused(show(await world.clientToken('web'), { client_id: 'web' }))
  })
})

test('no assertion is in the log', async () => {
  const assertion = await sign({ aud: 'https://elsewhere.example' })
  await show(assertion)
  expect(decodeProtectedHeader(assertion).kid).toBe('own')
  expect(world.log.text()).not.toContain(assertion.split('.')[2])
})
