import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { decodeJwt } from 'jose'
import { FakeClock } from '../../fakes/clock.ts'
import type { Json } from '../../fakes/running_authority.ts'
import { ALICE } from '../authorize/people.ts'
import { fakeProvider, type FakeProvider } from './upstream_provider.ts'
import {
  AUTHORIZE,
  expectNobody,
  expectRefused,
  secretFile,
  upstreamAt,
  wayBack,
  withUpstreams,
  type UpstreamWorld,
} from './upstream_steps.ts'

const NOT_HERE = 'You may not sign in here with that account.'

const clock = new FakeClock()
let provider: FakeProvider
let world: UpstreamWorld

beforeAll(async () => {
  provider = await fakeProvider(clock)
  const file = await secretFile()
  world = await withUpstreams([upstreamAt(provider.issuer, file)], { clock })
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
})

/** Signs in by the provider and agrees to what the client asks; the claims of the ID token. */
async function claimsOfGuest(): Promise<Json> {
  const browser = world.browser()
  const page = await browser.follow(await browser.get(await wayBack(browser, provider)))
  const isAgreed = page.status === 303
  const { headers } = isAgreed ? page : await browser.submit(page, { decision: 'allow' })
  const code = new URL(headers.location ?? '').searchParams.get('code') ?? ''
  return decodeJwt(String((await world.redeem(code)).json['id_token']))
}

describe('who a guest is', () => {
  test('goes by issuer and subject, never by the address of a local user', async () => {
    provider.twist = { claims: { email: 'alice@example.com' } }
    const { sub } = await claimsOfGuest()
    expect(sub).not.toBe(ALICE)
    provider.twist = { claims: { sub: ALICE, email: 'alice@example.com' } }
    expect([ALICE, sub]).not.toContain((await claimsOfGuest())['sub'])
    provider.twist = { claims: { email: 'renamed@partner.example' } }
    expect(await claimsOfGuest()).toMatchObject({ sub, email: 'renamed@partner.example' })
  })

  test('is not what an address says that is not verified', async () => {
    provider.twist = { claims: { email_verified: 'true' } }
    expect(await claimsOfGuest()).toMatchObject({ email_verified: false })
  })

  test('is read where the ID token does not say it', async () => {
    provider.twist = {
      metadata: { userinfo_endpoint: `${provider.issuer}/userinfo` },
      claims: { email: undefined, name: undefined },
      userinfo: { email: 'told@partner.example', email_verified: true },
    }
    expect(await claimsOfGuest()).toMatchObject({ email: 'told@partner.example' })
  })

  test('is not what is said there of somebody else', async () => {
    provider.twist = {
      metadata: { userinfo_endpoint: `${provider.issuer}/userinfo` },
      claims: { email: undefined, name: undefined },
      userinfo: { sub: 'subject-2', email: 'told@partner.example', email_verified: true },
    }
    const browser = world.browser()
    const seen = await browser.get(await wayBack(browser, provider))
    await expectRefused(world, browser, seen, 'upstream_answer_wrong')
  })

  test('is shown as text', async () => {
    provider.twist = { claims: { email: '<script>x</script>@a', name: '"><img src=x>' } }
    const browser = world.browser()
    const path = `${AUTHORIZE}&prompt=consent`
    const page = await browser.follow(await browser.get(await wayBack(browser, provider, path)))
    expect(page.text).toContain('&lt;script&gt;x&lt;/script&gt;@a')
    expect(page.text).not.toMatch(/<script|<img/)
  })
})

test('a guest who was disabled is out at once, and does not come in again', async () => {
  const browser = world.browser()
  expect((await browser.get(await wayBack(browser, provider))).status).toBe(303)
  const told = (await world.told()).at(-1)
  await world.withStore((store) =>
    store.setUserDisabled('acme-corp', String(told?.['subject']), true),
  )
  await expectNobody(browser)
  const seen = await browser.get(await wayBack(browser, provider))
  expect([seen.status, seen.text.includes(NOT_HERE)]).toEqual([403, true])
  expect((await world.told()).at(-1)).toMatchObject({
    event: 'user.sign_in_failed',
    reason: 'upstream_user_disabled',
    subject_proof: 'subject-1',
  })
})
