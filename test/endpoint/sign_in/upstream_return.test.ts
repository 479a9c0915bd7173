import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { Browser } from '../authorize/browser.ts'
import { BASE, ORIGIN } from '../authorize/people.ts'
import { describedAuthority } from '../described.ts'
import { fakeProvider, type FakeProvider } from './upstream_provider.ts'
import {
  CALLBACK_AT,
  expectNobody,
  secretFile,
  upstreamAt,
  wayBack,
  withUpstreams,
  type UpstreamWorld,
} from './upstream_steps.ts'

const clock = new FakeClock()
let provider: FakeProvider
let other: FakeProvider
let world: UpstreamWorld

beforeAll(async () => {
  provider = await fakeProvider(clock)
  other = await fakeProvider(clock)
  const file = await secretFile()
  world = await withUpstreams(
    [
      upstreamAt(provider.issuer, file),
      upstreamAt(other.issuer, file, { name: 'other', label: 'Other' }),
    ],
    { clock },
  )
})

afterEach(() => {
  provider.twist = {}
  world.log.lines.splice(0)
  // What the provider said of itself is forgotten.
  clock.advance(86_400_000)
})

afterAll(async () => {
  await world.stop()
  await provider.close()
  await other.close()
})

describe('somebody who comes back', () => {
  const lost = 'This sign-in was begun in another browser, or too long ago.'

  async function expectLost(browser: Browser, path: string): Promise<void> {
    const seen = await browser.get(path)
    expect([seen.status, seen.text.includes(lost)]).toEqual([403, true])
  }

  test('twice with the same answer', async () => {
    const browser = world.browser()
    const back = await wayBack(browser, provider)
    expect((await browser.get(back)).status).toBe(303)
    await expectLost(browser, back)
  })

  test('in another browser', async () => {
    const mine = world.browser()
    const back = await wayBack(mine, provider)
    const theirs = world.browser()
    await theirs.get(`${BASE}/account`)
    await expectLost(theirs, back)
    await expectNobody(theirs)
    // And it is used up.
    await expectLost(mine, back)
  })

  test('in a browser without a cookie', async () => {
    const back = await wayBack(world.browser(), provider)
    await expectLost(world.browser(), back)
  })

  test('at another tenant', async () => {
    const browser = world.browser()
    const back = await wayBack(browser, provider)
    await expectLost(browser, back.replace('acme-corp', 'globex'))
    expect((await browser.get(back)).status).toBe(303)
  })

  test('from another provider', async () => {
    const browser = world.browser()
    const back = await wayBack(browser, provider)
    await expectLost(browser, back.replace('/partner', '/other'))
    await expectNobody(browser)
  })

  test('too late', async () => {
    const browser = world.browser()
    const back = await wayBack(browser, provider)
    // Nothing is tidied meanwhile.
    clock.jump(600_000)
    await expectLost(browser, back)
  })

  test.each([
    ['without a state', 'code=x'],
    ['with a state of ours to nobody', `code=x&state=${'A'.repeat(43)}`],
    ['with a state of another form', 'code=x&state=x'],
    ['with two states', `code=x&state=${'A'.repeat(43)}&state=${'A'.repeat(43)}`],
    ['with what is no form', 'state=%ff'],
  ])('%s', (_name, query) => expectLost(world.browser(), `${CALLBACK_AT}/partner?${query}`))

  test('from a provider that there is not', () =>
    expectLost(world.browser(), `${CALLBACK_AT}/nobody?code=x&state=${'A'.repeat(43)}`))
})

test.each([
  ['another place', 'https%3A%2F%2Fevil.example'],
  ['a path', '%2F%2Fevil.example'],
  ['nothing', ''],
  ['a place that begins alike', 'account.evil.example'],
])('nobody is sent away who wants to go on to %s', async (_name, place) => {
  const path = `${BASE}/oauth/login/upstream/partner?continue=${place}`
  const { status, headers } = await world.browser().get(path)
  expect([status, headers.location]).toEqual([400, undefined])
})

test('a query of the authorization endpoint cannot lead away from it', async () => {
  const query = encodeURIComponent('authorize?redirect_uri=https://evil.example&x=\r\nlocation: y')
  const path = `${BASE}/oauth/login/upstream/partner?continue=${query}`
  const { status, headers } = await world.browser().get(path)
  expect([status, headers.location?.startsWith(`${ORIGIN}${BASE}/oauth/authorize?`)]).toEqual([
    303,
    true,
  ])
})

test.each([
  ['there', `/login/upstream/partner?continue=account`, 303],
  ['nowhere', `/login/upstream/partner?continue=nowhere`, 400],
  ['back to nobody', `/login/callback/partner?state=x`, 403],
])('what leads %s is answered as it is described', async (_name, path, status) => {
  const contract = describedAuthority()
  const operation = contract.find('GET', `${BASE}/oauth${path}`)
  const described = operation ? Object.keys(contract.responsesOf(operation)) : []
  expect((await world.send({ path: `${BASE}/oauth${path}` })).status).toBe(status)
  expect(described).toContain(String(status))
})

test('a provider that there is not leads nowhere', async () => {
  const path = `${BASE}/oauth/login/upstream/nobody?continue=account`
  expect((await world.browser().get(path)).status).toBe(400)
})
