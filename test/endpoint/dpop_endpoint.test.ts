import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { DpopKey } from '../fakes/dpop.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import { basic, secret, TOKEN_PATH, type Json } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const URL_OF_TOKENS = `https://auth.example${TOKEN_PATH}`
const CREDENTIALS = { grant_type: 'client_credentials' }
const INVALID = { status: 400, error: 'invalid_dpop_proof', code: undefined }
const NONCE_NEEDED = { status: 400, error: 'use_dpop_nonce', code: undefined }
const MISMATCH = { status: 400, error: 'invalid_grant', code: undefined }

const key = new DpopKey('ES256', () => clock.now)
const otherKey = new DpopKey('ES256', () => clock.now)
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')
const reasonOfLast = () => world.log.lines.at(-1)?.fields['reason']

/** The nonce of now, as an answer to any proof tells it. */
async function freshNonce(): Promise<string> {
  const { headers } = await world.post(CREDENTIALS, { dpop: 'x' })
  return String(headers['dpop-nonce'])
}

/** The header with a proof for the token endpoint, made now. */
async function shown(claims: Json = {}, by = key): Promise<Form> {
  const nonce = await freshNonce()
  return { dpop: by.proof({ htm: 'POST', htu: URL_OF_TOKENS, nonce, ...claims }) }
}

describe('a proof', () => {
  test('without a nonce is told one, and with it brings a bound token', async () => {
    const first = key.proof({ htm: 'POST', htu: URL_OF_TOKENS })
    const refused = await world.post(CREDENTIALS, { ...asWeb, dpop: first })
    expect(refusalOf(refused)).toEqual(NONCE_NEEDED)
    const nonce = refused.headers['dpop-nonce']
    const second = key.proof({ htm: 'POST', htu: URL_OF_TOKENS, nonce })
    const { status, json, headers } = await world.post(CREDENTIALS, { ...asWeb, dpop: second })
    expect({ status, type: json['token_type'] }).toEqual({ status: 200, type: 'DPoP' })
    expect(decodeJwt(String(json['access_token']))['cnf']).toEqual({ jkt: key.jkt })
    expect(headers['dpop-nonce']).toMatch(/^[\w-]{43}$/)
  })

  test('that is not there leaves the token unbound, and there is no nonce', async () => {
    const { json, headers } = await world.post(CREDENTIALS, asWeb)
    expect(json['token_type']).toBe('Bearer')
    expect(decodeJwt(String(json['access_token']))).not.toHaveProperty('cnf')
    expect(headers).not.toHaveProperty('dpop-nonce')
  })

  test('has a nonce of the last minutes', async () => {
    const nonce = await freshNonce()
    clock.advance(120_000)
    const inTime = await world.post(CREDENTIALS, { ...asWeb, ...(await shown({ nonce })) })
    expect(inTime.status).toBe(200)
    clock.advance(120_000)
    for (const old of [nonce, '', 'x', 7, hashOf('a nonce')]) {
      const answer = await world.post(CREDENTIALS, { ...asWeb, ...(await shown({ nonce: old })) })
      expect(refusalOf(answer)).toEqual(NONCE_NEEDED)
    }
  })

  test('is good once, at 20 at once too', async () => {
    const proof = await shown()
    const ask = () => world.post(CREDENTIALS, { ...asWeb, ...proof })
    const answers = await Promise.all(Array.from({ length: 20 }, ask))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(refusalOf(await ask())).toEqual(INVALID)
    expect(reasonOfLast()).toBe('dpop_replayed')
  })

  test('is good for the other prefix of the same endpoint', async () => {
    const htu = URL_OF_TOKENS.replace('/t/', '/orgs/')
    const answer = await world.post(CREDENTIALS, { ...asWeb, ...(await shown({ htu })) })
    expect(answer.status).toBe(200)
  })

  const wrong: readonly (readonly [name: string, claims: () => Json, reason: string])[] = [
    ['another method', () => ({ htm: 'GET' }), 'dpop_method'],
    ['the method in another case', () => ({ htm: 'post' }), 'dpop_method'],
    ['another host', () => ({ htu: 'https://evil.example/oauth/token' }), 'dpop_url'],
    ['the address behind the public URL', () => ({ htu: behind() }), 'dpop_url'],
    ['plain HTTP', () => ({ htu: URL_OF_TOKENS.replace('https', 'http') }), 'dpop_url'],
    ['another tenant', () => ({ htu: URL_OF_TOKENS.replace('acme-corp', 'globex') }), 'dpop_url'],
    ['another endpoint', () => ({ htu: URL_OF_TOKENS.replace('token', 'userinfo') }), 'dpop_url'],
    ['no URL', () => ({ htu: undefined }), 'dpop_url'],
    ['no jti', () => ({ jti: undefined }), 'dpop_jti'],
    ['a time long ago', () => ({ iat: clock.now - 61 }), 'dpop_time'],
    ['a time ahead', () => ({ iat: clock.now + 6 }), 'dpop_time'],
  ]
  test.each(wrong)('is refused for %s', async (_, claims, reason) => {
    const answer = await world.post(CREDENTIALS, { ...asWeb, ...(await shown(claims())) })
    expect(refusalOf(answer)).toEqual(INVALID)
    expect(reasonOfLast()).toBe(reason)
    expect(answer.headers).toHaveProperty('dpop-nonce')
  })

  const behind = () => `http://127.0.0.1:${String(world.port)}${TOKEN_PATH}`

  test('is refused where the header stands twice, is empty, or is none', async () => {
    const { dpop = '' } = await shown()
    const twice = { dpop: [dpop, dpop] as unknown as string }
    for (const header of [twice, { dpop: '' }, { dpop: 'x' }, { dpop: `${dpop}, ${dpop}` }]) {
      expect(refusalOf(await world.post(CREDENTIALS, { ...asWeb, ...header }))).toEqual(INVALID)
    }
    expect((await world.post(CREDENTIALS, { ...asWeb, dpop })).status).toBe(200)
  })
})

describe('a client that is registered as bound', () => {
  test('has no token without a proof', async () => {
    expect(refusalOf(await world.post(CREDENTIALS, basic('bound', secret)))).toEqual(INVALID)
    expect(reasonOfLast()).toBe('dpop_missing')
    const headers = { ...basic('bound', secret), ...(await shown()) }
    expect((await world.post(CREDENTIALS, headers)).json['token_type']).toBe('DPoP')
  })
})

describe('a code that was promised to a key', () => {
  test('is for that key alone, and another does not use it up', async () => {
    const code = await world.code({ dpopJkt: key.jkt })
    for (const headers of [{}, await shown({}, otherKey)]) {
      expect(refusalOf(await world.redeem(code, {}, { ...asWeb, ...headers }))).toEqual(MISMATCH)
      expect(reasonOfLast()).toBe('dpop_key_mismatch')
    }
    const { status, json } = await world.redeem(code, {}, { ...asWeb, ...(await shown()) })
    expect({ status, type: json['token_type'] }).toEqual({ status: 200, type: 'DPoP' })
  })
})

describe('the refresh token of a public client', () => {
  const verifier = 'v'.repeat(43)
  const redirectUri = 'https://spa.example/callback'
  const asSpa = { client_id: 'spa' }

  async function signIn(headers: Form): Promise<string> {
    const codeChallenge = hashOf(verifier)
    const request = { clientId: 'spa', redirectUri, codeChallenge, codeChallengeMethod: 'S256' }
    const form = { ...asSpa, redirect_uri: redirectUri, code_verifier: verifier }
    const { json, text } = await world.redeem(await world.code(request), form, headers)
    if (typeof json['refresh_token'] !== 'string') throw new Error(text)
    return json['refresh_token']
  }

  const strangers: readonly (readonly [name: string, headers: () => Promise<Form>])[] = [
    ['another key', () => shown({}, otherKey)],
    ['no key', () => Promise.resolve({})],
  ]
  test.each(strangers)(
    'is bound to its key: with %s nothing is rotated or ended',
    async (_, by) => {
      const token = await signIn(await shown())
      const first = await world.refresh(token, asSpa, await shown())
      expect(first.json['token_type']).toBe('DPoP')
      const successor = first.json['refresh_token']
      // Inside the window, after it, and with the newest one.
      for (const [ms, shownToken] of [
        [0, token],
        [20_000, token],
        [0, successor],
      ] as const) {
        clock.advance(ms)
        expect(refusalOf(await world.refresh(shownToken, asSpa, await by()))).toEqual(MISMATCH)
        expect(reasonOfLast()).toBe('dpop_key_mismatch')
      }
      expect((await world.refresh(successor, asSpa, await shown())).status).toBe(200)
    },
  )

  test('brings the same successor in the window, to the same key', async () => {
    const token = await signIn(await shown())
    const answers = [
      await world.refresh(token, asSpa, await shown()),
      await world.refresh(token, asSpa, await shown()),
    ]
    expect(new Set(answers.map(({ json }) => json['refresh_token'])).size).toBe(1)
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })

  test('is not bound where no key was shown, and then any key binds the access token', async () => {
    const token = await signIn({})
    const bound = await world.refresh(token, asSpa, await shown())
    expect(bound.json['token_type']).toBe('DPoP')
    const next = await world.refresh(bound.json['refresh_token'], asSpa, {})
    expect(next.json['token_type']).toBe('Bearer')
  })

  test('is not charged to its address for having to learn a nonce', async () => {
    const own = await peopledAuthority({ clock, limits: { failuresPerMinute: 1 } })
    const form = { grant_type: 'refresh_token', refresh_token: 'x', ...asSpa }
    const statuses: number[] = []
    for (let n = 0; n < 3; n++) {
      const dpop = key.proof({ htm: 'POST', htu: URL_OF_TOKENS })
      statuses.push((await own.post(form, { dpop })).status)
    }
    await own.stop()
    expect(statuses).toEqual([400, 400, 400])
  })
})

test('the refresh token of a client with a secret is for any key of it', async () => {
  const { json } = await world.redeem(await world.code(), {}, { ...asWeb, ...(await shown()) })
  const other = await world.refresh(
    json['refresh_token'],
    {},
    {
      ...asWeb,
      ...(await shown({}, otherKey)),
    },
  )
  expect(decodeJwt(String(other.json['access_token']))['cnf']).toEqual({ jkt: otherKey.jkt })
  const none = await world.refresh(other.json['refresh_token'])
  expect(none.json['token_type']).toBe('Bearer')
})

test('where no nonce is needed, a wrong one is still wrong', async () => {
  const own = await peopledAuthority({ clock, tenant: { dpopNonce: 'optional' } })
  const ask = (claims: Json) =>
    own.post(CREDENTIALS, {
      ...asWeb,
      dpop: key.proof({ htm: 'POST', htu: URL_OF_TOKENS, ...claims }),
    })
  const [none, wrong] = [await ask({}), await ask({ nonce: 'x' })]
  await own.stop()
  expect(none.status).toBe(200)
  expect(refusalOf(wrong)).toEqual(NONCE_NEEDED)
})
