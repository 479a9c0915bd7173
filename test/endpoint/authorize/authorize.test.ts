import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Passwords } from '../../../src/endpoint/sign_in/password.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { CALLBACK, ISSUER, peopledAuthority, type Peopled } from '../../fakes/peopled_authority.ts'
import { Browser, type Seen } from './browser.ts'

const ORIGIN = 'https://auth.example'
const AUTHORIZE = '/t/acme-corp/api/v1/oauth/authorize'
const PASSWORD = 'correct horse battery staple'
const ALICE = 'local:alice'
const COOKIE = '__Host-lumo-acme-corp'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
  const password = await new Passwords(systemRandom).hash(PASSWORD)
  await world.withStore(async (store) => {
    for (const [sub, email] of [
      [ALICE, 'alice@example.com'],
      ['local:bob', 'bob@example.com'],
      ['local:eve', 'eve@example.com'],
    ] as const) {
      const user = { tenant: 'acme-corp', sub, email, name: 'A', password, createdAt: 0 }
      await store.addLocalUser(user)
    }
  })
})

afterAll(() => world.stop())

function ask(more: Readonly<Record<string, string>> = {}, less: readonly string[] = []): string {
  const query = new URLSearchParams({
    client_id: 'web',
    redirect_uri: CALLBACK,
    response_type: 'code',
    scope: 'openid email read:documents',
    state: 'st&te <1>',
    ...more,
  })
  for (const name of less) query.delete(name)
  return `${AUTHORIZE}?${query.toString()}`
}

const newBrowser = (): Browser => new Browser(world.port, ORIGIN)

function answerIn({ status, headers }: Seen): Readonly<Record<string, string>> {
  expect(status).toBe(303)
  expect(headers.location?.startsWith(`${CALLBACK}?`)).toBe(true)
  return Object.fromEntries(new URL(headers.location ?? '').searchParams)
}

async function signedIn(email = 'alice@example.com', path = ask()): Promise<[Browser, Seen]> {
  const browser = newBrowser()
  const page = await browser.get(path)
  const back = await browser.submit(page, { email, password: PASSWORD })
  expect(back.status).toBe(303)
  return [browser, await browser.follow(back)]
}

test('a person signs in, agrees, and the client gets a token of theirs', async () => {
  const browser = newBrowser()
  const page = await browser.get(ask())
  expect([page.status, page.headers['cache-control']]).toEqual([200, 'no-store'])
  expect(page.text).toContain('<strong>web</strong>')
  const back = await browser.submit(page, { email: ' Alice@Example.com ', password: PASSWORD })
  const consent = await browser.follow(back)
  expect(consent.text).toContain('<code>read:documents</code>')
  expect(consent.text).toContain('alice@example.com')
  const { code, state, iss } = answerIn(await browser.submit(consent, { decision: 'allow' }))
  expect([state, iss]).toEqual(['st&te <1>', ISSUER])
  const { json } = await world.redeem(code ?? '')
  expect(json).toMatchObject({ token_type: 'Bearer', scope: 'openid email read:documents' })

  // It is remembered: nothing is asked for the same and for less, and for more it is.
  expect(answerIn(await browser.get(ask()))['code']).toBeTypeOf('string')
  expect(answerIn(await browser.get(ask({ scope: 'openid', prompt: 'none' })))['code']).toBeTypeOf(
    'string',
  )
  expect((await browser.get(ask({ scope: 'openid read:reports' }))).text).toContain('Allow access?')
  expect(answerIn(await browser.get(ask({ scope: 'read:reports', prompt: 'none' })))).toEqual({
    error: 'consent_required',
    state: 'st&te <1>',
    iss: ISSUER,
  })
  expect((await browser.get(ask({ prompt: 'consent' }))).text).toContain('Allow access?')
})

test('who does not agree is sent back with that, and is asked again', async () => {
  const [browser, consent] = await signedIn('bob@example.com')
  expect(answerIn(await browser.submit(consent, { decision: 'deny' }))['error']).toBe(
    'access_denied',
  )
  expect((await browser.get(ask())).text).toContain('Allow access?')
})

describe('who has to sign in', () => {
  test('is told so without a page where none is wanted', async () => {
    expect(answerIn(await newBrowser().get(ask({ prompt: 'none' })))['error']).toBe(
      'login_required',
    )
  })

  test('signs in once more where the client wants it, and once only', async () => {
    const [browser] = await signedIn()
    for (const more of [{ prompt: 'login' }, { prompt: 'select_account' }, { max_age: '60' }]) {
      clock.advance(61_000)
      const page = await browser.get(ask(more))
      expect(page.text).toContain('<h1>Sign in</h1>')
      const back = await browser.submit(page, { email: 'alice@example.com', password: PASSWORD })
      expect((await browser.follow(back)).headers.location).toContain(`${CALLBACK}?code=`)
    }
  })

  test('finds the address that the client knows', async () => {
    const { text } = await newBrowser().get(ask({ login_hint: '"><script>x</script>' }))
    expect(text).toContain('value="&quot;&gt;&lt;script&gt;x&lt;/script&gt;"')
  })

  test('has to again after twelve hours', async () => {
    const [browser] = await signedIn()
    clock.advance(12 * 3_600_000)
    expect((await browser.get(ask())).text).toContain('<h1>Sign in</h1>')
  })
})

describe('a password that is wrong', () => {
  test('and an address that nobody has are answered alike', async () => {
    const pages: string[] = []
    for (const email of ['eve@example.com', 'none@example.com']) {
      const browser = newBrowser()
      const page = await browser.get(ask())
      const again = await browser.submit(page, { email, password: 'x' })
      expect(again.status).toBe(400)
      expect(again.text).toContain('Address or password is wrong.')
      pages.push(again.text.replace(email, '').replaceAll(/name="form" value="[^"]*"/g, ''))
    }
    expect(pages[0]).toBe(pages[1])
  })

  test('locks the address after five, whoever has it, and for a quarter of an hour', async () => {
    for (const email of ['eve@example.com', 'nobody@example.com']) {
      clock.advance(900_000)
      const browser = newBrowser()
      const page = await browser.get(ask())
      for (let times = 0; times < 5; times += 1) {
        await browser.submit(page, { email, password: 'x' })
      }
      const locked = await browser.submit(page, { email, password: PASSWORD })
      expect([locked.status, locked.text.includes('Too many attempts')]).toEqual([429, true])
      clock.advance(900_000)
    }
    const [, consent] = await signedIn('eve@example.com')
    expect(consent.text).toContain('Allow access?')
  })
})

test('many passwords from one place are held back, whatever the address', async ({
  onTestFinished,
}) => {
  const strict = await peopledAuthority({ clock, limits: { failuresPerMinute: 3 } })
  onTestFinished(() => strict.stop())
  const browser = new Browser(strict.port, ORIGIN)
  const page = await browser.get(ask())
  const statuses: number[] = []
  for (const email of ['a@example.com', 'b@example.com', 'c@example.com', 'd@example.com']) {
    statuses.push((await browser.submit(page, { email, password: 'x' })).status)
  }
  expect(statuses).toEqual([400, 400, 400, 429])
})

describe('the session', () => {
  test('is another value than before the sign-in, in a cookie that no script and no other host gets', async () => {
    const browser = newBrowser()
    const page = await browser.get(ask())
    const before = browser.cookies.get(COOKIE)
    const back = await browser.submit(page, { email: 'alice@example.com', password: PASSWORD })
    expect(back.headers['set-cookie']?.[0]).toMatch(
      /^__Host-lumo-acme-corp=[A-Za-z0-9_-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Lax; Secure$/,
    )
    expect(browser.cookies.get(COOKIE)).not.toBe(before)
    const planted = newBrowser()
    planted.cookies.set(COOKIE, before ?? '')
    expect((await planted.get(ask())).text).toContain('<h1>Sign in</h1>')
  })

  test('is none at another tenant', async () => {
    const [browser] = await signedIn()
    const path = ask({}, []).replace('acme-corp', 'globex')
    expect((await browser.get(path)).status).toBe(400)
  })

  test('ends with the user', async () => {
    const [browser] = await signedIn('bob@example.com')
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'local:bob', true))
    expect((await browser.get(ask())).text).toContain('<h1>Sign in</h1>')
    await world.withStore((store) => store.setUserDisabled('acme-corp', 'local:bob', false))
  })
})

describe('a form that is not of a page of ours', () => {
  test('of another origin is refused, before anything is looked at', async () => {
    const [browser, consent] = await signedIn('bob@example.com')
    const form = /name="form" value="([^"]*)"/.exec(consent.text)?.[1] ?? ''
    const query = ask().split('?')[1] ?? ''
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
    ]) {
      const answer = await browser.post(
        AUTHORIZE,
        { form, request: query, decision: 'allow' },
        headers,
      )
      expect(answer.status).toBe(403)
    }
  })

  test.each([
    ['without its value', {}],
    ['with that of another browser', { form: 'x'.repeat(43) }],
  ])('%s is refused', async (_name, more) => {
    const [browser] = await signedIn('bob@example.com')
    const request = ask().split('?')[1] ?? ''
    const answer = await browser.post(AUTHORIZE, { request, decision: 'allow', ...more })
    expect([answer.status, answer.headers.location]).toEqual([403, undefined])
  })

  test('a sign-in cannot be planted in a browser of somebody else', async () => {
    const browser = newBrowser()
    const query = ask().split('?')[1] ?? ''
    const form = { continue: query, email: 'eve@example.com', password: PASSWORD }
    const answer = await browser.post(AUTHORIZE.replace('authorize', 'login'), form)
    expect([answer.status, browser.cookies.size]).toEqual([403, 0])
  })

  test('what a form carries makes no other header', async () => {
    const browser = newBrowser()
    const page = await browser.get(ask())
    const form = /name="form" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const answer = await browser.post(AUTHORIZE.replace('authorize', 'login'), {
      form,
      continue: 'authorize?a=b\r\nSet-Cookie: x=y',
    })
    expect(answer.status).toBe(303)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers.location).toMatch(new RegExp(`^${ORIGIN}${AUTHORIZE}\\?a=b%0D%0A`))
  })
})

describe('a person is told, and nobody is sent anywhere, where the redirect cannot be trusted:', () => {
  test.each([
    ['an unknown client', ask({ client_id: 'nobody' })],
    ['no client', ask({}, ['client_id'])],
    ['another place', ask({ redirect_uri: 'https://evil.example/callback' })],
    ['a longer place', ask({ redirect_uri: `${CALLBACK}/x` })],
    ['a place in another spelling', ask({ redirect_uri: CALLBACK.replace('myapp', 'MyApp') })],
    ['no place', ask({}, ['redirect_uri'])],
    ['a parameter twice', `${ask()}&client_id=web`],
    ['what cannot be read', `${ask()}&x=%zz`],
  ])('%s', async (_name, path) => {
    const { status, headers, text } = await newBrowser().get(path)
    expect([status, headers.location]).toEqual([400, undefined])
    expect(text).toContain('<h1>This cannot go on</h1>')
    expect(text).not.toContain('evil.example')
  })
})

describe('a client is told at its own place:', () => {
  test.each([
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ response_mode: 'fragment' }, 'invalid_request'],
    [{ scope: 'read:everything' }, 'invalid_scope'],
    [{ resource: 'https://nobody.example' }, 'invalid_target'],
    [{ code_challenge: 'short', code_challenge_method: 'S256' }, 'invalid_request'],
    [{ code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' }, 'invalid_request'],
    [{ prompt: 'create' }, 'invalid_request'],
    [{ prompt: 'none login' }, 'invalid_request'],
    [{ max_age: '-1' }, 'invalid_request'],
    [{ access_type: 'forever' }, 'invalid_request'],
    [{ request: 'eyJ' }, 'request_not_supported'],
    [{ request_uri: 'urn:x' }, 'request_uri_not_supported'],
    [{ claims: '{}' }, 'invalid_request'],
    [{ id_token_hint: 'eyJ' }, 'invalid_request'],
  ])('%j', async (more, error) => {
    const answer = answerIn(await newBrowser().get(ask(more)))
    expect([answer['error'], answer['state'], answer['iss']]).toEqual([error, 'st&te <1>', ISSUER])
  })

  test('a public client without PKCE', async () => {
    const path = ask({
      client_id: 'spa',
      redirect_uri: 'https://spa.example/callback',
      scope: 'openid',
    })
    const { headers } = await newBrowser().get(path)
    expect(headers.location).toContain('https://spa.example/callback?error=invalid_request')
  })
})

test('every page is closed to frames, scripts and other places', async () => {
  const { headers } = await newBrowser().get(ask())
  expect(headers).toMatchObject({
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'same-origin',
    'content-security-policy':
      "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
  })
  expect(headers['access-control-allow-origin']).toBeUndefined()
})

test('no password, cookie, code or form value is in the log', () => {
  const text = world.log.text()
  expect(text).not.toContain(PASSWORD)
  expect(text).not.toMatch(/[A-Za-z0-9_-]{43}/)
})
