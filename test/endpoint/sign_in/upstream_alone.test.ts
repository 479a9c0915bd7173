import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import type { Peopled } from '../../fakes/peopled_authority.ts'
import { Browser } from '../authorize/browser.ts'
import { BASE, ORIGIN, PASSWORD, withPeople } from '../authorize/people.ts'
import { fakeProvider, type FakeProvider } from './upstream_provider.ts'
import { linkIn, secretFile, upstreamAt, wayBack } from './upstream_steps.ts'

const email = 'alice@example.com'
const clock = new FakeClock()
let provider: FakeProvider
let world: Peopled

beforeAll(async () => {
  provider = await fakeProvider(clock)
  const upstreams = [upstreamAt(provider.issuer, await secretFile())]
  world = await withPeople({ clock, tenant: { passwords: false, upstreams } })
})

afterAll(async () => {
  await world.stop()
  await provider.close()
})

test('where passwords are off, the page has other ways and no form', async () => {
  const page = await new Browser(world.port, ORIGIN).get(`${BASE}/account`)
  expect(page.text).not.toContain('<form')
  expect(linkIn(page, 'Partner')).toBe(`${BASE}/oauth/login/upstream/partner?continue=account`)
})

test('where passwords are off, a form with the right one is refused', async () => {
  const browser = new Browser(world.port, ORIGIN)
  await browser.get(await wayBack(browser, provider, `${BASE}/account`))
  const account = await browser.get(`${BASE}/account`)
  expect(account.text).toContain('guest@partner.example')
  // Of another page, for this one has none.
  const signOut = await browser.get(`${BASE}/oauth/logout`)
  const [, form = ''] = /name="form" value="([^"]*)"/.exec(signOut.text) ?? []
  const filled = { form, continue: 'account', email, password: PASSWORD }
  expect((await browser.post(`${BASE}/oauth/login`, filled)).status).toBe(403)
})

test('where passwords are off, a page of ours cannot sign anybody in by one', async () => {
  const body = JSON.stringify({ email, password: PASSWORD })
  const answer = await new Browser(world.port, ORIGIN).send(
    'POST',
    `${BASE}/oauth/login/json`,
    body,
    {
      'content-type': 'application/json',
      origin: ORIGIN,
    },
  )
  const { error } = JSON.parse(answer.text) as { error: unknown }
  expect([answer.status, error]).toEqual([401, 'invalid_credentials'])
  expect(answer.headers['set-cookie']).toBeUndefined()
})
