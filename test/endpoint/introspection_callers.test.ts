import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  docs,
  JSON_BODY,
  secret,
  type Answer,
  type HttpWish,
} from '../fakes/running_authority.ts'
import { delegatedTokens, pathOf, postTo, tokenOfGlobex } from './beside.ts'

type Form = Readonly<Record<string, string>>

let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority()
})

afterAll(() => world.stop())

const PATH = pathOf('introspect')
const asAuditor = basic('auditor', secret)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const userToken = () => world.userToken({ resources: [docs], scope: 'openid read:documents' })

const ask = (form: Form, headers: Form = asAuditor, more: HttpWish = {}): Promise<Answer> =>
  postTo(world, 'introspect', form, headers, more)

describe('a caller has to say who it is:', () => {
  const callers: readonly (readonly [name: string, headers: Form, form: Form])[] = [
    ['nobody', {}, {}],
    ['a wrong secret', basic('auditor', 'wrong'), {}],
    ['a malformed header', { authorization: 'Basic !' }, {}],
    ['a client that only names itself', {}, { client_id: 'auditor' }],
    ['a public client', {}, { client_id: 'spa' }],
    ['a wrong secret by post', {}, { client_id: 'auditor', client_secret: 'wrong' }],
  ]
  test.each(callers)('%s is refused', async (_, headers, form) => {
    const answer = await ask({ token: await userToken(), ...form }, headers)
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_client' })
    const challenge =
      'authorization' in headers ? 'Basic realm="token", charset="UTF-8"' : undefined
    expect(answer.headers['www-authenticate']).toBe(challenge)
  })

  test('every way of client authentication serves', async () => {
    const form = { token: await world.clientToken('web') }
    const assertion = (text: string) => ({
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: text,
    })
    const answers = [
      await ask({ ...form, client_id: 'auditor', client_secret: secret }, {}),
      await ask({ ...form, ...assertion(await world.assertion()) }, {}),
      await ask({ ...form, ...assertion(await world.proofOf('portal')), client_id: 'portal' }, {}),
    ]
    expect(answers.map(({ json }) => json['active'])).toEqual([true, false, false])
  })

  const bearers: readonly (readonly [name: string, token: () => Promise<unknown>])[] = [
    [
      'a token that is made for a resource',
      () => world.agentToken('specialist', { resource: docs }),
    ],
    ['a token by which an agent acts for a user', async () => (await delegatedTokens(world))[1]],
    ['a token of a user', () => world.userToken()],
    ['an ID token', async () => (await world.signIn())['id_token']],
    ['a token of another tenant', () => tokenOfGlobex(world)],
    ['a proof of the platform', () => world.proofOf('specialist')],
  ]
  test.each(bearers)('%s does not', async (_, token) => {
    const text = String(await token())
    const answer = await ask({ token: text }, bearer(text))
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_token' })
    expect(answer.headers['www-authenticate']).toBe('Bearer error="invalid_token"')
  })
})

describe('a question is asked', () => {
  test('in JSON too, and whatever hint goes with it', async () => {
    const token = await world.clientToken('web')
    for (const hint of ['access_token', 'refresh_token', 'something']) {
      const more = { body: JSON.stringify({ token, token_type_hint: hint }) }
      const { json } = await ask({}, asAuditor, {
        headers: { ...JSON_BODY, ...asAuditor },
        ...more,
      })
      expect(json).toMatchObject({ active: true })
    }
  })

  const bad: readonly (readonly [name: string, wish: HttpWish])[] = [
    ['without a token', { body: '' }],
    ['with an empty one', { body: 'token=' }],
    ['with two', { body: 'token=a&token=b' }],
    ['in the query string', { path: `${PATH}?token=x`, body: '' }],
    ['in another type', { headers: { ...asAuditor, 'content-type': 'text/plain' } }],
    ['of no tenant', { path: PATH.replace('acme-corp', 'nobody') }],
  ]
  test.each(bad)('not %s', async (_, wish) => {
    const answer = await ask({ token: 'x' }, asAuditor, wish)
    expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
  })
})
