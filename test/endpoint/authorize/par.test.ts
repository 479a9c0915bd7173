import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { asWeb, CALLBACK, NATIVE_CALLBACK, type Peopled } from '../../fakes/peopled_authority.ts'
import { basic, secret } from '../../fakes/running_authority.ts'
import { Browser } from './browser.ts'
import { askFor, BASE, ORIGIN, PASSWORD, signedInAt, withPeople } from './people.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await withPeople({ clock })
})

afterAll(() => world.stop())

const plain = 'application/x-www-form-urlencoded'

async function push(body: string, headers: Form = asWeb, type = plain) {
  const {
    status,
    json,
    headers: answered,
  } = await world.send({
    method: 'POST',
    path: `${BASE}/oauth/par`,
    headers: { 'content-type': type, ...headers },
    body,
  })
  return { status, json, headers: answered }
}

async function pushed(more: Form = {}): Promise<string> {
  const { status, json } = await push(askFor(more))
  expect(status).toBe(201)
  return String(json['request_uri'])
}

const at = (requestUri: string, client = 'web') =>
  `${BASE}/oauth/authorize?${new URLSearchParams({ client_id: client, request_uri: requestUri }).toString()}`

test('a request that was pushed gives one code, and its parameters stand', async () => {
  const answer = await push(askFor({ nonce: 'n-1', prompt: 'login' }))
  expect(answer.status).toBe(201)
  expect(answer.json).toEqual({
    request_uri: expect.stringMatching(
      /^urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}$/,
    ) as string,
    expires_in: 600,
  })
  expect(answer.headers['cache-control']).toBe('no-store')
  const path = at(String(answer.json['request_uri']))
  const [browser, consent] = await signedInAt(world, path)
  expect(consent.text).toContain('Allow access?')
  const back = await browser.submit(consent, { decision: 'allow' })
  const { code, state } = Object.fromEntries(new URL(back.headers.location ?? '').searchParams)
  expect(state).toBe('st&te <1>')
  expect((await world.redeem(code ?? '')).status).toBe(200)
  const again = await browser.get(path)
  expect([again.status, again.headers.location]).toEqual([400, undefined])
  expect(again.text).toContain('was used before, or is too old')
})

test('it may be pushed as JSON, and by a public client', async () => {
  const body = Object.fromEntries(new URLSearchParams(askFor()))
  expect((await push(JSON.stringify(body), asWeb, 'application/json')).status).toBe(201)
  const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
  const mine = { client_id: 'spa', redirect_uri: NATIVE_CALLBACK, ...challenge }
  expect((await push(askFor(mine), {})).status).toBe(201)
})

test('prompt login of a pushed request asks once', async () => {
  const [browser] = await signedInAt(world, `${BASE}/account`)
  clock.advance(5_000)
  const page = await browser.get(at(await pushed({ prompt: 'login' })))
  expect(page.text).toContain('<h1>Sign in</h1>')
  const back = await browser.submit(page, { email: 'alice@example.com', password: PASSWORD })
  clock.advance(5_000)
  const next = await browser.follow(back)
  expect(next.headers.location ?? next.text).toMatch(/code=|Allow access\?/)
})

test('a sign-in for something else does not count, whenever it was', async () => {
  const path = at(await pushed({ prompt: 'login' }))
  const [browser] = await signedInAt(world, `${BASE}/account`)
  expect((await browser.get(path)).text).toContain('<h1>Sign in</h1>')
  clock.advance(30_000)
  const [other] = await signedInAt(world, `${BASE}/account`)
  expect((await other.get(path)).text).toContain('<h1>Sign in</h1>')
})

describe('is refused to the client at once:', () => {
  test.each<[string, Form, number, string]>([
    ['no response_type', { response_type: '' }, 400, 'invalid_request'],
    ['another response_type', { response_type: 'token' }, 400, 'unsupported_response_type'],
    ['an unknown redirect_uri', { redirect_uri: 'https://evil.example' }, 400, 'invalid_request'],
    ['a request_uri', { request_uri: 'urn:x' }, 400, 'invalid_request'],
    ['a request object', { request: 'x' }, 400, 'invalid_request'],
    ['a scope that it may not have', { scope: 'admin' }, 400, 'invalid_scope'],
    ['a target that it may not have', { resource: 'https://x.example' }, 400, 'invalid_target'],
    ['an unknown prompt', { prompt: 'create' }, 400, 'invalid_request'],
    ['more than anybody needs', { state: 'x'.repeat(8_192) }, 400, 'invalid_request'],
    ['plain PKCE', { code_challenge: 'x'.repeat(43) }, 400, 'invalid_request'],
  ])('%s', async (_name, more, status, error) => {
    const answer = await push(askFor(more))
    expect([answer.status, answer.json['error']]).toEqual([status, error])
  })

  test.each<[string, Form, Form]>([
    ['without its secret', {}, {}],
    ['with a wrong one', {}, basic('web', 'wrong')],
    ['for another client', { client_id: 'other-web' }, asWeb],
    ['with two ways at once', { client_secret: secret }, asWeb],
  ])('%s', async (_name, more, headers) => {
    const { status, json } = await push(askFor(more), headers)
    expect([401, 400]).toContain(status)
    expect(json).not.toHaveProperty('request_uri')
  })

  test('in the query', async () => {
    const answer = await world.send({
      method: 'POST',
      path: `${BASE}/oauth/par?${askFor()}`,
      headers: { 'content-type': plain, ...asWeb },
      body: '',
    })
    expect(answer.status).toBe(400)
  })
})

describe('in the browser', () => {
  const told = async (path: string) => {
    const page = await new Browser(world.port, ORIGIN).get(path)
    return [page.status, page.headers.location]
  }

  test('it is of its own client', async () => {
    expect(await told(at(await pushed(), 'other-web'))).toEqual([400, undefined])
  })

  test('it ends after ten minutes', async () => {
    const path = at(await pushed())
    clock.advance(600_000)
    expect(await told(path)).toEqual([400, undefined])
  })

  test.each([
    ['state', 'x'],
    ['redirect_uri', CALLBACK],
    ['prompt', 'none'],
  ])('nothing may stand beside it: %s', async (name, value) => {
    expect(await told(`${at(await pushed())}&${name}=${value}`)).toEqual([400, undefined])
  })

  test('it is of its own tenant', async () => {
    expect(await told(at(await pushed()).replace('acme-corp', 'globex'))).toEqual([400, undefined])
  })

  test('one of two at once gets the code', async () => {
    const [browser] = await signedInAt(world, `${BASE}/account`)
    const page = await browser.get(at(await pushed({ prompt: 'consent' })))
    const answers = await Promise.all([1, 2].map(() => browser.submit(page, { decision: 'allow' })))
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['303', '400'])
  })
})
