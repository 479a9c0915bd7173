import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ISSUER,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  client,
  exchangeOf,
  FORM,
  JSON_BODY,
  secret,
  secretHash,
  TOKEN_PATH,
  type Answer,
} from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

/** Everything that a form would write otherwise. */
const ODD = 'a b+c%25:d&=é"\u{1f511}'
const OLD = 'the-secret-before-the-rotation'

let world: Peopled

beforeAll(async () => {
  const clients = [
    ...peopledClients(await newClientKey()),
    { id: 'odd.one', secretHashes: [secretHash(ODD)] },
    client('rotating', { secretHashes: [secretHash(secret), secretHash(OLD)] }),
    client('basic-only', { methods: ['client_secret_basic'] }),
    client('post-only', { methods: ['client_secret_post'] }),
  ]
  world = await peopledAuthority({ tenant: { clients } })
})

afterAll(() => world.stop())

const CHALLENGE = 'Basic realm="token", charset="UTF-8"'
const UNPROVEN = { status: 401, error: 'invalid_client', code: undefined }

const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64')
const encoded = (text: string | Buffer) => `Basic ${base64(text)}`
/** As RFC 6749 section 2.3.1 has it: both halves as a form writes them. */
const ofForm = (text: string) => new URLSearchParams({ '': text }).toString().slice(1)

const asItself = (authorization: string | undefined, form: Form = {}): Promise<Answer> =>
  world.post(
    { grant_type: 'client_credentials', ...form },
    authorization === undefined ? {} : { authorization },
  )

const clientOf = ({ json }: Answer) => decodeJwt(String(json['access_token']))['client_id']

const good = [
  { name: 'both halves as a form', header: encoded(`odd.one:${ofForm(ODD)}`) },
  { name: 'all percent', header: encoded(`odd%2Eone:${encodeURIComponent(ODD)}`) },
  { name: 'every letter of the id encoded', header: encoded(`%77%65%62:${secret}`), id: 'web' },
  { name: 'lower-case hex digits', header: encoded(`odd%2eone:${ofForm(ODD).toLowerCase()}`) },
  { name: 'a scheme in lower case', header: `basic ${base64(`web:${secret}`)}`, id: 'web' },
  { name: 'a scheme in upper case', header: `BASIC ${base64(`web:${secret}`)}`, id: 'web' },
  { name: 'a scheme in any case', header: `bAsIc ${base64(`web:${secret}`)}`, id: 'web' },
  { name: 'several spaces', header: `Basic   ${base64(`web:${secret}`)}`, id: 'web' },
  {
    name: 'base64 without padding',
    header: encoded(`web:${secret}`).replace(/=+$/, ''),
    id: 'web',
  },
  {
    name: 'its own client_id in the body',
    header: encoded(`web:${secret}`),
    id: 'web',
    body: 'web',
  },
]

describe('Basic is read with', () => {
  for (const { name, header, id = 'odd.one', body } of good) {
    test(name, async () => {
      const answer = await asItself(header, body === undefined ? {} : { client_id: body })
      expect(answer.status).toBe(200)
      expect(clientOf(answer)).toBe(id)
    })
  }
})

const bad: readonly (readonly [name: string, header: string])[] = [
  ['a secret that is not encoded', encoded(`odd.one:${ODD}`)],
  ['a secret that is encoded twice', encoded(`odd.one:${ofForm(ofForm(ODD))}`)],
  ['an id that is encoded twice', encoded(`%2577eb:${secret}`)],
  ['an encoded colon', encoded(`web%3A${secret}`)],
  ['a colon before the id', encoded(`:web:${secret}`)],
  ['no id', encoded(`:${secret}`)],
  ['no secret', encoded('web:')],
  ['nothing', encoded('')],
  ['an encoded NUL', encoded(`web%00:${secret}`)],
  ['a NUL', encoded(`web\0:${secret}`)],
  ['a newline after the secret', encoded(`web:${secret}\n`)],
  ['an encoded newline', encoded(`web:${secret}%0A`)],
  ['a space for a plus', encoded(`+web:${secret}`)],
  ['half a percent sequence', encoded(`web:${secret}%2`)],
  ['a percent sequence of JavaScript', encoded(`%u0077eb:${secret}`)],
  ['an overlong form of UTF-8', encoded(`web:${secret}%C0%80`)],
  ['half a surrogate pair', encoded(`web:${secret}%ED%A0%80`)],
  ['bytes that are no UTF-8', encoded(Buffer.from([0x77, 0x65, 0x62, 0x3a, 0xff, 0xfe]))],
  ['letters of another script', encoded(`w\u0435b:${secret}`)],
  ['a letter of full width', encoded(`\uff57eb:${secret}`)],
  ['the alphabet of URLs', `Basic ${Buffer.from(`web:${ODD}~~~???`).toString('base64url')}-_`],
  ['padding in the middle', `Basic ${base64('web:')}=${base64(secret)}`],
  ['too much padding', `Basic ${base64(`web:${secret}`)}===`],
  ['a tab after the scheme', `Basic\t${base64(`web:${secret}`)}`],
  ['two credentials', `${encoded(`web:${secret}`)}, ${encoded(`web:${secret}`)}`],
  ['the scheme twice', `Basic Basic ${base64(`web:${secret}`)}`],
  ['another scheme', `Digest ${base64(`web:${secret}`)}`],
  ['a scheme that only begins so', `Basics ${base64(`web:${secret}`)}`],
  ['12 000 characters', encoded(`web:${'s'.repeat(9_000)}`)],
]

describe('Basic is refused with', () => {
  test.each(bad)('%s', async (_, header) => {
    const answer = await asItself(header)
    expect(refusalOf(answer)).toEqual(UNPROVEN)
    expect(answer.headers['www-authenticate']).toBe(CHALLENGE)
    expect(answer.headers['cache-control']).toBe('no-store')
  })
})

describe('by post', () => {
  test('the secret stands as it is, in a form and in JSON', async () => {
    const body = { client_id: 'odd.one', client_secret: ODD }
    expect((await asItself(undefined, body)).status).toBe(200)
    const json = await world.send({
      method: 'POST',
      path: TOKEN_PATH,
      headers: JSON_BODY,
      body: JSON.stringify({ grant_type: 'client_credentials', ...body }),
    })
    expect(json.status).toBe(200)
  })

  const wrong = [
    { name: 'a wrong secret', client_id: 'web', client_secret: 'wrong' },
    { name: 'a secret that is encoded', client_id: 'odd.one', client_secret: ofForm(ODD) },
    { name: 'an unknown client', client_id: 'x', client_secret: secret },
    { name: 'a client that has only Basic', client_id: 'basic-only', client_secret: secret },
    { name: 'a public client', client_id: 'spa', client_secret: secret },
    { name: 'a client with a key', client_id: 'signing', client_secret: secret },
  ]
  for (const { name, ...form } of wrong) {
    test(`${name} is refused without a challenge`, async () => {
      const answer = await asItself(undefined, form)
      expect(refusalOf(answer)).toEqual(UNPROVEN)
      expect(answer.headers).not.toHaveProperty('www-authenticate')
    })
  }

  test('Basic by a client that has only post is refused', async () => {
    expect(refusalOf(await asItself(encoded(`post-only:${secret}`)))).toEqual(UNPROVEN)
  })
})

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

interface TwoWays {
  readonly name: string
  readonly basic?: boolean
  readonly secret?: boolean
  readonly assertion?: boolean
}

describe('one way a request:', () => {
  const ways: readonly TwoWays[] = [
    { name: 'Basic and a secret in the body', basic: true, secret: true },
    { name: 'Basic and an assertion', basic: true, assertion: true },
    { name: 'a secret in the body and an assertion', secret: true, assertion: true },
    { name: 'all three', basic: true, secret: true, assertion: true },
  ]
  for (const way of ways) {
    test(`${way.name} are refused, though each is good`, async () => {
      const form = {
        ...(way.secret === true && { client_id: 'web', client_secret: secret }),
        ...(way.assertion === true && {
          client_assertion_type: assertionType,
          client_assertion: await world.assertion(),
        }),
      }
      const answer = await asItself(way.basic === true ? encoded(`web:${secret}`) : undefined, form)
      expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
      expect(world.log.lines.at(-1)?.fields['reason']).toBe('client_twice')
    })
  }

  test('the header twice is refused, though both are the same', async () => {
    const header = encoded(`web:${secret}`)
    const answer = await world.send({
      method: 'POST',
      path: TOKEN_PATH,
      headers: {
        ...FORM,
        authorization: [header, header] as unknown as string,
      },
      body: 'grant_type=client_credentials',
    })
    expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_request' })
  })
})

describe('two secrets at once', () => {
  test.each([secret, OLD])('%s is good', async (one) => {
    expect((await asItself(encoded(`rotating:${one}`))).status).toBe(200)
    const form = { client_id: 'rotating', client_secret: one }
    expect((await asItself(undefined, form)).status).toBe(200)
  })

  test.each([`${secret}${OLD}`, secretHash(OLD), OLD.slice(1)])('%s is not', async (one) => {
    expect(refusalOf(await asItself(encoded(`rotating:${one}`)))).toEqual(UNPROVEN)
  })
})

test('a public client cannot have a token of its own', async () => {
  expect(refusalOf(await asItself(undefined, { client_id: 'spa' }))).toEqual(UNPROVEN)
})

describe('where no client is needed, one that is shown must be right:', () => {
  const shown: readonly (readonly [name: string, headers: Form, form: Form])[] = [
    ['a wrong Basic', basic('web', 'wrong'), {}],
    ['a malformed Basic', { authorization: 'Basic !' }, {}],
    ['a wrong secret by post', {}, { client_id: 'web', client_secret: 'wrong' }],
    [
      'a false assertion',
      {},
      { client_assertion_type: assertionType, client_assertion: 'e30.e30.AAAA' },
    ],
  ]
  test.each(shown)('%s', async (_, headers, form) => {
    const proof = await world.proofOf('doc-analyst')
    expect((await world.post(exchangeOf(proof))).status).toBe(200)
    expect(refusalOf(await world.post(exchangeOf(proof, form), headers))).toEqual(UNPROVEN)
  })

  test('at a code of a public client too', async () => {
    const verifier = 'v'.repeat(43)
    const redirectUri = 'https://spa.example/callback'
    const code = await world.code({
      clientId: 'spa',
      redirectUri,
      codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
      codeChallengeMethod: 'S256',
    })
    const form = { client_id: 'spa', redirect_uri: redirectUri, code_verifier: verifier }
    const answer = await world.redeem(code, form, basic('spa', 'x'))
    expect(refusalOf(answer)).toEqual(UNPROVEN)
  })
})

test('a client of one tenant is nobody in another', async () => {
  const askGlobex = (id: string) =>
    world.send({
      method: 'POST',
      path: TOKEN_PATH.replace('acme-corp', 'globex'),
      headers: { ...FORM, ...basic(id, secret) },
      body: 'grant_type=client_credentials',
    })
  expect(refusalOf(await askGlobex('service_b'))).toEqual(UNPROVEN)
  const { json } = await askGlobex('web')
  expect(decodeJwt(String(json['access_token']))).toMatchObject({
    iss: ISSUER.replace('acme-corp', 'globex'),
    tenant: 'globex',
  })
})
