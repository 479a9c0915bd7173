import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { BASE } from '../authorize/people.ts'
import { fakeProvider, type FakeProvider } from './upstream_provider.ts'
import {
  expectRefused,
  secretFile,
  upstreamAt,
  wayBack,
  withUpstreams,
  type UpstreamWorld,
} from './upstream_steps.ts'

const clock = new FakeClock()
let provider: FakeProvider
let file: string

beforeAll(async () => {
  provider = await fakeProvider(clock)
  file = await secretFile()
})

afterEach(() => {
  provider.twist = {}
})

afterAll(() => provider.close())

describe('where only those come in who are known', () => {
  let world: UpstreamWorld

  beforeAll(async () => {
    world = await withUpstreams([upstreamAt(provider.issuer, file, { users: 'known' })], { clock })
    await world.withStore((store) =>
      store.putUpstreamUser({
        tenant: 'acme-corp',
        issuer: provider.issuer,
        subject: 'subject-1',
        sub: 'upstream:one',
        email: undefined,
        emailVerified: false,
        name: undefined,
        createdAt: 0,
      }),
    )
  })

  afterAll(() => world.stop())

  test('one of them does, and is known by what the provider says', async () => {
    const browser = world.browser()
    const page = await browser.follow(await browser.get(await wayBack(browser, provider)))
    expect(page.text).toContain('guest@partner.example')
    expect((await world.told()).at(-1)).toMatchObject({ subject: 'upstream:one' })
  })

  test('nobody else does, and nothing of them is kept', async () => {
    provider.twist = { claims: { sub: 'subject-2' } }
    const browser = world.browser()
    const seen = await browser.get(await wayBack(browser, provider))
    expect(seen.status).toBe(403)
    expect(seen.text).toContain('You may not sign in here with that account.')
    await expectRefused(world, browser, seen, 'upstream_user_unknown')
    const kept = await world.withStore((store) => store.upstreamUsers('acme-corp'))
    expect(kept.map(({ sub }) => sub)).toEqual(['upstream:one'])
  })
})

describe('where only some domains come in', () => {
  let world: UpstreamWorld

  beforeAll(async () => {
    const narrow = { emailDomains: ['partner.example'] }
    world = await withUpstreams([upstreamAt(provider.issuer, file, narrow)], { clock })
  })

  afterAll(() => world.stop())

  test.each([
    ['in one of them', { email: 'guest@partner.example' }, 303],
    ['in one of them, written large', { email: 'guest@Partner.Example' }, 303],
    ['in one of them that is not verified', { email_verified: false }, 403],
    ['in one of them of which nothing is said', { email_verified: undefined }, 403],
    ['that is none', { email: undefined }, 403],
    ['in another', { email: 'guest@example.com' }, 403],
    ['in one below', { email: 'guest@evil.partner.example' }, 403],
    ['in one that ends alike', { email: 'guest@evilpartner.example' }, 403],
    ['with two signs', { email: 'guest@evil.example@partner.example' }, 403],
    ['that is only a domain', { email: 'partner.example' }, 403],
  ])('somebody with an address %s', async (_name, claims, status) => {
    provider.twist = { claims }
    const browser = world.browser()
    expect((await browser.get(await wayBack(browser, provider))).status).toBe(status)
  })
})

test('who sends too many people there has to wait', async () => {
  const world = await withUpstreams([upstreamAt(provider.issuer, file)], {
    clock,
    limits: { clientPerMinute: 1 },
  })
  const path = `${BASE}/oauth/login/upstream/partner?continue=account`
  expect((await world.browser().get(path)).status).toBe(303)
  const seen = await world.browser().get(path)
  expect(seen.status).toBe(429)
  expect(seen.text).toContain('Too many people sign in right now.')
  await world.stop()
})

test('a provider that is taken out takes its users with it', async () => {
  const world = await withUpstreams([], { clock })
  await world.withStore((store) =>
    store.putUpstreamUser({
      tenant: 'acme-corp',
      issuer: provider.issuer,
      subject: 'subject-1',
      sub: 'upstream:one',
      email: 'guest@partner.example',
      emailVerified: true,
      name: undefined,
      createdAt: 0,
    }),
  )
  const code = await world.code({}, 'upstream:one').catch((error: unknown) => String(error))
  expect(code).toBe('Error: no such user')
  await world.stop()
})
