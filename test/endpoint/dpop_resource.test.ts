import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { DpopKey } from '../fakes/dpop.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import { exchangeOf, TOKEN_PATH, type Answer, type Json } from '../fakes/running_authority.ts'
import { pathOf, postTo } from './beside.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const URL_OF_TOKENS = `https://auth.example${TOKEN_PATH}`

const key = new DpopKey('ES256', () => clock.now)
const otherKey = new DpopKey('ES256', () => clock.now)
const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')

/** The nonce of now, as an answer to any proof tells it. */
async function freshNonce(): Promise<string> {
  const { headers } = await world.post({ grant_type: 'client_credentials' }, { dpop: 'x' })
  return String(headers['dpop-nonce'])
}

/** The header with a proof for the token endpoint, made now. */
async function shown(): Promise<Form> {
  return { dpop: key.proof({ htm: 'POST', htu: URL_OF_TOKENS, nonce: await freshNonce() }) }
}

describe('a bound token at a resource of ours', () => {
  const USERINFO = pathOf('userinfo')
  const INTROSPECT = pathOf('introspect')
  const algs = 'algs="ES256 PS256 RS256 EdDSA"'

  async function boundToken(): Promise<string> {
    const { json } = await world.redeem(await world.code(), {}, { ...asWeb, ...(await shown()) })
    return String(json['access_token'])
  }

  /** Claims of a proof that goes with a token. */
  const withToken = async (token: string, method = 'GET', path = USERINFO): Promise<Json> => ({
    htm: method,
    htu: `https://auth.example${path}`,
    ath: hashOf(token),
    nonce: await freshNonce(),
  })

  const ask = (token: string, dpop?: string, method = 'GET', scheme = 'DPoP'): Promise<Answer> =>
    world.send({
      method,
      path: USERINFO,
      headers: { authorization: `${scheme} ${token}`, ...(dpop !== undefined && { dpop }) },
    })

  test.each(['GET', 'POST'])('is good with a proof that names it, by %s', async (method) => {
    const token = await boundToken()
    const answer = await ask(token, key.proof(await withToken(token, method)), method)
    expect(answer.status).toBe(200)
    expect(answer.json['sub']).toBe('user_a')
    expect(answer.headers).toHaveProperty('dpop-nonce')
  })

  interface Misuse {
    readonly name: string
    readonly claims?: (token: string) => Json
    readonly by?: DpopKey
    readonly scheme?: string
    readonly error: string
    readonly challenge: string
  }

  const invalidProof = {
    error: 'invalid_dpop_proof',
    challenge: `DPoP error="invalid_dpop_proof", ${algs}`,
  }
  const misuses: readonly Misuse[] = [
    {
      name: 'as Bearer, though the proof is there',
      claims: () => ({}),
      scheme: 'Bearer',
      error: 'invalid_token',
      challenge: 'Bearer error="invalid_token"',
    },
    {
      name: 'as Bearer without a proof',
      scheme: 'Bearer',
      error: 'invalid_token',
      challenge: 'Bearer error="invalid_token"',
    },
    { name: 'without a proof', ...invalidProof },
    {
      name: 'with a proof that names no token',
      claims: () => ({ ath: undefined }),
      ...invalidProof,
    },
    {
      name: 'with a proof for another token',
      claims: () => ({ ath: hashOf('another') }),
      ...invalidProof,
    },
    {
      name: 'with a proof that holds the token and not its hash',
      claims: (token) => ({ ath: token }),
      ...invalidProof,
    },
    { name: 'with a proof for another method', claims: () => ({ htm: 'POST' }), ...invalidProof },
    {
      name: 'with a proof for the token endpoint',
      claims: () => ({ htu: URL_OF_TOKENS }),
      ...invalidProof,
    },
    {
      name: 'with the proof of another key',
      claims: () => ({}),
      by: otherKey,
      error: 'invalid_token',
      challenge: `DPoP error="invalid_token", ${algs}`,
    },
    {
      name: 'with a proof without nonce',
      claims: () => ({ nonce: undefined }),
      error: 'use_dpop_nonce',
      challenge: `DPoP error="use_dpop_nonce", ${algs}`,
    },
  ]
  for (const { name, claims, by = key, scheme, error, challenge } of misuses) {
    test(`is refused ${name}`, async () => {
      const token = await boundToken()
      const proof = claims && by.proof({ ...(await withToken(token)), ...claims(token) })
      const answer = await ask(token, proof, 'GET', scheme)
      expect(refusalOf(answer)).toEqual({ status: 401, error, code: undefined })
      expect(answer.headers['www-authenticate']).toBe(challenge)
    })
  }

  test('is refused with a proof that was shown before', async () => {
    const token = await boundToken()
    const proof = key.proof(await withToken(token))
    expect((await ask(token, proof)).status).toBe(200)
    expect(refusalOf(await ask(token, proof))).toMatchObject({ error: 'invalid_dpop_proof' })
  })

  test('is the only one that goes under DPoP: a token that is not bound is refused there', async () => {
    const token = await world.userToken()
    const answer = await ask(token, key.proof(await withToken(token)))
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_token' })
  })

  test('says so at introspection, and an agent proves itself there with one', async () => {
    const form = exchangeOf(await world.proofOf('doc-analyst'))
    const { json } = await world.post(form, await shown())
    const token = String(json['access_token'])
    const introspect = (headers: Form) => postTo(world, 'introspect', { token }, headers)
    const proof = key.proof(await withToken(token, 'POST', INTROSPECT))
    const { json: described } = await introspect({ authorization: `DPoP ${token}`, dpop: proof })
    expect(described).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt: key.jkt } })
    const asBearer = await introspect({ authorization: `Bearer ${token}` })
    expect(refusalOf(asBearer)).toMatchObject({ status: 401, error: 'invalid_token' })
  })
})
