import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  docs,
  JSON_BODY,
  secret,
  type Answer,
  type HttpWish,
  type Json,
} from '../fakes/running_authority.ts'
import { pathOf, postTo, turned } from './beside.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const PATH = pathOf('revoke')

const revoke = (form: Form, headers: Form = asWeb, more: HttpWish = {}): Promise<Answer> =>
  postTo(world, 'revoke', form, headers, more)

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new Error('no token')
  return value
}

/** A user's tokens, those of a refresh, and one that was narrowed from the first. */
interface Grant {
  readonly access: string
  readonly narrowed: string
  readonly later: string
  readonly oldRefresh: string
  readonly refresh: string
}

let grant: Grant

beforeEach(async () => {
  const { access_token: access, refresh_token: refresh } = await world.signIn({
    scope: 'openid read:documents',
  })
  const narrowed = await world.exchange({ subject_token: text(access), audience: docs })
  const next = await world.refresh(refresh)
  grant = {
    access: text(access),
    narrowed: text(narrowed.json['access_token']),
    later: text(next.json['access_token']),
    oldRefresh: text(refresh),
    refresh: text(next.json['refresh_token']),
  }
})

/** Which of a grant is active still: the first access token, the narrowed one, that of the refresh, the refresh token. */
async function active({ access, narrowed, later, refresh }: Grant): Promise<readonly unknown[]> {
  const seen = [
    await world.introspect(access),
    await world.introspect(narrowed),
    await world.introspect(later),
    await world.introspect(refresh, 'web'),
  ]
  return seen.map((one) => one['active'])
}

const ALL = [true, true, true, true]
const NONE = [false, false, false, false]
const done = { status: 200, text: '{}' }
const answerOf = ({ status, text: body }: Answer) => ({ status, text: body })

describe('a client ends', () => {
  test('an access token with what is derived from it, and that alone', async () => {
    const answer = await revoke({ token: grant.access })
    expect(answerOf(answer)).toEqual(done)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await active(grant)).toEqual([false, false, true, true])
    expect((await world.refresh(grant.refresh)).status).toBe(200)
  })

  const refreshTokens = ['refresh', 'oldRefresh'] as const
  for (const which of refreshTokens) {
    test(`by a refresh token all of its grant: ${which}`, async () => {
      expect(await active(grant)).toEqual(ALL)
      expect(answerOf(await revoke({ token: grant[which] }))).toEqual(done)
      expect(await active(grant)).toEqual(NONE)
      const answer = await world.refresh(grant.refresh)
      expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_grant' })
      const exchange = await world.exchange({ subject_token: grant.access, audience: docs })
      expect(refusalOf(exchange)).toMatchObject({ status: 400, error: 'invalid_request' })
    })
  }

  test('what it is told to, whatever kind it is hinted to be', async () => {
    const hint = { token_type_hint: 'access_token' }
    expect(answerOf(await revoke({ token: grant.refresh, ...hint }))).toEqual(done)
    expect(await active(grant)).toEqual(NONE)
    const { access_token: access } = await world.signIn()
    await revoke({ token: text(access), token_type_hint: 'refresh_token' })
    expect(await world.introspect(access)).toEqual({ active: false })
  })

  test('a token twice, and again the answer is the same', async () => {
    await revoke({ token: grant.refresh })
    expect(answerOf(await revoke({ token: grant.refresh }))).toEqual(done)
    await revoke({ token: grant.access })
    expect(answerOf(await revoke({ token: grant.access }))).toEqual(done)
  })

  test('a token by post or in JSON', async () => {
    const credentials = { client_id: 'web', client_secret: secret }
    await revoke({ token: grant.access, ...credentials }, {})
    expect(await active(grant)).toEqual([false, false, true, true])
    const body = JSON.stringify({ token: grant.later })
    await revoke({}, {}, { headers: { ...JSON_BODY, ...asWeb }, body })
    expect(await active(grant)).toEqual([false, false, false, true])
  })

  test('a token of its own, and it is on record', async () => {
    const token = await world.clientToken('web')
    const { grant_id: grantId } = await world.introspect(token)
    await revoke({ token })
    const [row] = await world.withStore((store) => store.auditTail('acme-corp', 1))
    expect(JSON.parse(row?.text ?? '')).toMatchObject({
      event: 'token.revoked',
      outcome: 'success',
      client_id: 'web',
      subject: 'web',
      grant_id: grantId,
    } satisfies Json)
  })
})

interface Meaningless {
  readonly name: string
  readonly token: () => Promise<string>
}

const meaningless: readonly Meaningless[] = [
  { name: 'something made up', token: () => Promise.resolve('x') },
  { name: '20 000 characters', token: () => Promise.resolve('x'.repeat(20_000)) },
  { name: 'an authorization code', token: () => world.code() },
  { name: 'a proof of the platform', token: () => world.proofOf('doc-analyst') },
  { name: 'an ID token', token: async () => text((await world.signIn())['id_token']) },
  {
    name: 'an access token that was changed',
    token: () => Promise.resolve(turned(grant.access, 120)),
  },
  {
    name: 'a refresh token with another secret',
    token: () => Promise.resolve(turned(grant.refresh, 60)),
  },
  {
    name: 'a refresh token with another id',
    token: () => Promise.resolve(turned(grant.refresh, 3)),
  },
  {
    name: 'an expired token',
    token: async () => {
      const token = await world.clientToken('web')
      clock.advance(3_600_000)
      const { refresh_token: refresh } = (await world.refresh(grant.refresh)).json
      grant = { ...grant, refresh: text(refresh) }
      return token
    },
  },
]

describe('what means nothing here is ended already:', () => {
  for (const { name, token } of meaningless) {
    test(name, async () => {
      const shown = await token()
      expect(answerOf(await revoke({ token: shown }))).toEqual(done)
      expect((await world.introspect(grant.refresh, 'web'))['active']).toBe(true)
    })
  }
})

describe('nobody ends what is another’s:', () => {
  test('a client the tokens of another', async () => {
    for (const token of [grant.access, grant.narrowed, grant.refresh, grant.oldRefresh]) {
      for (const id of ['other-web', 'docs-api', 'auditor']) {
        const answer = await revoke({ token }, basic(id, secret))
        expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'unauthorized_client' })
      }
      const answer = await revoke({ token, client_id: 'spa' }, {})
      expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'unauthorized_client' })
    }
    expect(await active(grant)).toEqual(ALL)
  })

  const unproven: readonly (readonly [name: string, headers: Form, form: Form])[] = [
    ['no credentials', {}, {}],
    ['no more than its client_id', {}, { client_id: 'web' }],
    ['a wrong secret', basic('web', 'wrong'), {}],
    ['a wrong secret by post', {}, { client_id: 'web', client_secret: 'wrong' }],
    ['a malformed header', { authorization: 'Basic !' }, {}],
    ['the bearer token of the user', { authorization: 'Bearer x' }, {}],
  ]
  test.each(unproven)('a client with a secret, with %s', async (_, headers, form) => {
    for (const token of [grant.access, grant.refresh]) {
      const answer = await revoke({ token, ...form }, headers)
      expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_client' })
    }
    expect(await active(grant)).toEqual(ALL)
  })
})

describe('who has no secret to show has the token:', () => {
  const verifier = 'v'.repeat(43)

  async function signInAtSpa(): Promise<Json> {
    const redirectUri = 'https://spa.example/callback'
    const codeChallenge = createHash('sha256').update(verifier).digest('base64url')
    const request = { clientId: 'spa', redirectUri, codeChallenge, codeChallengeMethod: 'S256' }
    const form = { client_id: 'spa', redirect_uri: redirectUri, code_verifier: verifier }
    return (await world.redeem(await world.code(request), form, {})).json
  }

  const ways: readonly (readonly [name: string, form: Form, headers: Form])[] = [
    ['with its client_id', { client_id: 'spa' }, {}],
    ['with the token alone', {}, {}],
    ['with the user’s token in the header', {}, { authorization: 'Bearer whatever' }],
  ]
  test.each(ways)('a public client, %s', async (_, form, headers) => {
    const { access_token: access, refresh_token: refresh } = await signInAtSpa()
    expect(answerOf(await revoke({ token: text(access), ...form }, headers))).toEqual(done)
    expect(await world.introspect(access)).toEqual({ active: false })
    expect(answerOf(await revoke({ token: text(refresh), ...form }, headers))).toEqual(done)
    const answer = await world.refresh(refresh, { client_id: 'spa' }, {})
    expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_grant' })
  })

  test('an agent', async () => {
    const token = await world.agentToken('doc-analyst')
    expect(answerOf(await revoke({ token }, {}))).toEqual(done)
    expect(await world.introspect(token)).toEqual({ active: false })
  })

  test('but a false secret is refused even then', async () => {
    const token = await world.agentToken('doc-analyst')
    const answer = await revoke({ token }, basic('doc-analyst', 'x'))
    expect(refusalOf(answer)).toMatchObject({ status: 401, error: 'invalid_client' })
    expect(await world.introspect(token)).toMatchObject({ active: true })
  })
})

describe('what is asked wrongly is refused:', () => {
  const bad: readonly (readonly [name: string, form: Form, error: string])[] = [
    ['an unknown hint', { token_type_hint: 'id_token' }, 'unsupported_token_type'],
    ['a hint in another case', { token_type_hint: 'Refresh_Token' }, 'unsupported_token_type'],
    ['no token', { token: '' }, 'invalid_request'],
  ]
  test.each(bad)('%s', async (_, form, error) => {
    const answer = await revoke({ token: grant.refresh, ...form })
    expect(refusalOf(answer)).toMatchObject({ status: 400, error })
    expect(await active(grant)).toEqual(ALL)
  })

  const wishes: readonly (readonly [name: string, wish: HttpWish])[] = [
    ['a token twice', { body: 'token=a&token=b' }],
    ['a query string', { path: `${PATH}?token=x`, body: '' }],
    ['another type', { headers: { ...asWeb, 'content-type': 'text/plain' } }],
    ['no such tenant', { path: PATH.replace('acme-corp', 'nobody') }],
  ]
  test.each(wishes)('%s', async (_, wish) => {
    const answer = await revoke({ token: 'x' }, asWeb, wish)
    expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
  })
})

test('no token is in the log', async () => {
  await revoke({ token: grant.refresh }, basic('other-web', secret))
  await revoke({ token: grant.access }, {})
  expect(world.log.text()).not.toContain(grant.refresh)
  expect(world.log.text()).not.toContain(grant.access)
})
