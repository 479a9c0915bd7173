import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { peopledClients, newClientKey, type Peopled } from '../../fakes/peopled_authority.ts'
import { Browser, type Seen } from '../authorize/browser.ts'
import { ALICE, BASE, BOB, COOKIE, ORIGIN, signedInAt, withPeople } from '../authorize/people.ts'

const LOGOUT = `${BASE}/oauth/logout`
const AFTER = 'https://myapp.com/bye?x=1'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  const clients = peopledClients(await newClientKey()).map((client) =>
    client['id'] === 'web' ? { ...client, postLogoutRedirectUris: [AFTER] } : client,
  )
  world = await withPeople({ clock, tenant: { clients } })
})

afterAll(() => world.stop())

const idToken = async (user: string) => String((await world.signIn({}, user))['id_token'])
const asked = (form: Readonly<Record<string, string>>) =>
  `${LOGOUT}?${new URLSearchParams(form).toString()}`
const isOut = async (browser: Browser) =>
  (await browser.get(`${BASE}/account`)).text.includes('<h1>Sign in</h1>')

test('a person is asked, and is then signed out', async () => {
  const [browser] = await signedInAt(world, `${BASE}/account`)
  const value = browser.cookies.get(COOKIE) ?? ''
  const page = await browser.get(LOGOUT)
  expect(page.text).toContain('Sign out?')
  expect(await isOut(browser)).toBe(false)
  const done = await browser.submit(page, {})
  expect([done.status, browser.cookies.has(COOKIE)]).toEqual([200, false])
  expect(done.text).toContain('You are signed out')
  // The value is worth nothing any more, wherever it was copied to.
  browser.cookies.set(COOKIE, value)
  expect(await isOut(browser)).toBe(true)
})

test('a client that shows an ID token of theirs need not have them asked, expired or not', async () => {
  const hint = await idToken(ALICE)
  clock.advance(2 * 3_600_000)
  const [browser] = await signedInAt(world, `${BASE}/account`)
  const form = { id_token_hint: hint, post_logout_redirect_uri: AFTER, state: 'a b' }
  const back = await browser.get(asked(form))
  expect([back.status, back.headers.location]).toEqual([303, `${AFTER}&state=a+b`])
  expect(await isOut(browser)).toBe(true)
})

test('whoever is not signed in goes where they are sent', async () => {
  const browser = new Browser(world.port, ORIGIN)
  const form = { client_id: 'web', post_logout_redirect_uri: AFTER }
  expect((await browser.get(asked(form))).headers.location).toBe(AFTER)
  expect((await browser.get(LOGOUT)).text).toContain('You are signed out')
})

describe('does not sign out unasked', () => {
  test.each<[string, () => Promise<Readonly<Record<string, string>>>]>([
    ['by an ID token of another', async () => ({ id_token_hint: await idToken(BOB) })],
    ['by a client id', () => Promise.resolve({ client_id: 'web' })],
  ])('%s', async (_name, form) => {
    const [browser] = await signedInAt(world, `${BASE}/account`)
    const page = await browser.get(asked(await form()))
    expect(page.text).toContain('Sign out?')
    expect(await isOut(browser)).toBe(false)
  })

  test('by a form of another origin', async () => {
    const [browser] = await signedInAt(world, `${BASE}/account`)
    const page = await browser.get(LOGOUT)
    const form = /name="form" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const answers: Seen[] = [
      await browser.post(LOGOUT, { form }, { origin: 'https://evil.example' }),
      await browser.post(LOGOUT, { form: '' }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([403, 403])
    expect(await isOut(browser)).toBe(false)
  })
})

describe('sends nobody to', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    [
      'an address that is not registered',
      { client_id: 'web', post_logout_redirect_uri: `${AFTER}&y` },
    ],
    ['one of another client', { client_id: 'other-web', post_logout_redirect_uri: AFTER }],
    ['one of nobody', { post_logout_redirect_uri: AFTER }],
    [
      'one that a forged ID token asks for',
      { id_token_hint: 'a.b.c', post_logout_redirect_uri: AFTER },
    ],
  ])('%s', async (_name, form) => {
    const [browser] = await signedInAt(world, `${BASE}/account`)
    const page = await browser.get(asked(form))
    expect([page.status, page.headers.location]).toEqual([400, undefined])
    expect(await isOut(browser)).toBe(false)
  })

  test('one where the ID token and the client differ', async () => {
    const form = {
      id_token_hint: await idToken(ALICE),
      client_id: 'other-web',
      post_logout_redirect_uri: AFTER,
    }
    const page = await new Browser(world.port, ORIGIN).get(asked(form))
    expect([page.status, page.headers.location]).toEqual([400, undefined])
  })

  test('one that an ID token asks for which somebody else has signed', async () => {
    const [header, payload, signature = ''] = (await idToken(ALICE)).split('.')
    const other = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`
    const hint = [header, payload, other].join('.')
    const form = { id_token_hint: hint, post_logout_redirect_uri: AFTER }
    const [browser] = await signedInAt(world, `${BASE}/account`)
    const page = await browser.get(asked(form))
    expect([page.status, page.headers.location]).toEqual([400, undefined])
    expect(await isOut(browser)).toBe(false)
  })

  test('one that an access token asks for', async () => {
    const form = {
      id_token_hint: await world.userToken({}, ALICE),
      post_logout_redirect_uri: AFTER,
    }
    expect((await new Browser(world.port, ORIGIN).get(asked(form))).status).toBe(400)
  })
})
