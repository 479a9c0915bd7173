import { describe, expect, test } from 'vitest'
import type { BrowserRequest } from '../../../src/endpoint/browser/request.ts'
import { SignInAttempts } from '../../../src/endpoint/sign_in/attempts.ts'
import { PasswordSignIn } from '../../../src/endpoint/sign_in/password_sign_in.ts'
import type { Tenant } from '../../../src/endpoint/tenant.ts'
import { FakeClock } from '../../fakes/clock.ts'
import type { Peopled, PeopledWish } from '../../fakes/peopled_authority.ts'
import { Browser } from '../authorize/browser.ts'
import { ALICE, BASE, ORIGIN, PASSWORD, withPeople } from '../authorize/people.ts'

const ACCOUNT = `${BASE}/account`

async function opened(
  onTestFinished: (then: () => Promise<void>) => void,
  wish: PeopledWish = {},
): Promise<Peopled> {
  const world = await withPeople({ clock: new FakeClock(), ...wish })
  onTestFinished(() => world.stop())
  return world
}

/** Sends the sign-in form as often as there are forms, all at once, from one page. */
async function atOnce(
  { port }: Peopled,
  forms: readonly { readonly email: string; readonly password: string }[],
): Promise<readonly number[]> {
  const browser = new Browser(port, ORIGIN)
  const page = await browser.get(ACCOUNT)
  const answers = await Promise.all(forms.map((form) => browser.submit(page, form)))
  return answers.map(({ status }) => status)
}

const count = (statuses: readonly number[], status: number) =>
  statuses.filter((each) => each === status).length

describe('of many guesses at once', () => {
  test('five are judged of one address, and the right one among the rest is not', async ({
    onTestFinished,
  }) => {
    const world = await opened(onTestFinished)
    const guesses = Array.from({ length: 30 }, (_, at) => ({
      email: 'bob@example.com',
      password: at === 20 ? PASSWORD : `guess ${String(at)}`,
    }))
    const statuses = await atOnce(world, guesses)
    expect([count(statuses, 400), count(statuses, 303), count(statuses, 429)]).toEqual([5, 0, 25])
  })

  test('as many are judged of one place as are allowed in a minute', async ({ onTestFinished }) => {
    const world = await opened(onTestFinished, { limits: { failuresPerMinute: 8 } })
    const guesses = Array.from({ length: 20 }, (_, at) => ({
      email: `p${String(at)}@example.com`,
      password: 'x',
    }))
    expect(count(await atOnce(world, guesses), 400)).toBe(8)
  })
})

test('right ones are not counted', async ({ onTestFinished }) => {
  const world = await opened(onTestFinished, { limits: { failuresPerMinute: 2 } })
  for (let times = 0; times < 4; times += 1) {
    expect(await atOnce(world, [{ email: 'alice@example.com', password: PASSWORD }])).toEqual([303])
  }
})

test('what others do wrong at other endpoints keeps nobody from signing in', async ({
  onTestFinished,
}) => {
  const world = await opened(onTestFinished, { limits: { failuresPerMinute: 2 } })
  for (let times = 0; times < 5; times += 1) {
    const headers = { authorization: 'Bearer x' }
    await world.send({ path: `${BASE}/oauth/userinfo`, headers })
  }
  expect(await atOnce(world, [{ email: 'alice@example.com', password: PASSWORD }])).toEqual([303])
})

test('a password that was replaced while it waited for its turn is wrong', async () => {
  const clock = new FakeClock()
  let kept = 'before'
  const passwordSignIn = new PasswordSignIn({
    passwords: {
      verify: () => {
        kept = 'after'
        return Promise.resolve('right')
      },
    },
    attempts: new SignInAttempts(clock),
    limits: { passwordTried: () => undefined, passwordSpared: () => {} },
    audit: { record: () => Promise.resolve() },
  })
  const tenant = {
    slug: 'acme-corp',
    localUser: () => Promise.resolve({ sub: ALICE, password: kept }),
    users: { active: () => Promise.resolve({ sub: ALICE, emailVerified: false, roles: [] }) },
  } as unknown as Tenant
  const form = { email: 'alice@example.com', password: PASSWORD }
  const request = { address: undefined, requestId: '' } as BrowserRequest
  expect(await passwordSignIn.who(form, request, tenant)).toBe('wrong')
  expect(await passwordSignIn.who(form, request, tenant)).toMatchObject({ sub: ALICE })
})

describe('behind a proxy', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })
  const failed = async (world: Peopled, headers: Readonly<Record<string, string>>) => {
    const answer = await world.send({
      path: `${BASE}/oauth/userinfo`,
      headers: { authorization: 'Bearer x', ...headers },
    })
    return answer.status
  }

  test('each caller is told by the address that a trusted one names', async ({
    onTestFinished,
  }) => {
    const world = await opened(onTestFinished, {
      limits: { failuresPerMinute: 1 },
      authority: { trustedProxies: ['127.0.0.0/8'] },
    })
    expect(await failed(world, from('192.0.2.1'))).toBe(401)
    expect(await failed(world, from('192.0.2.1'))).toBe(429)
    expect(await failed(world, from('192.0.2.2'))).toBe(401)
    // What stands further left was written by whoever asks.
    expect(await failed(world, from('192.0.2.3, 192.0.2.1'))).toBe(429)
  })

  test('nobody is believed whom the configuration does not name', async ({ onTestFinished }) => {
    const world = await opened(onTestFinished, { limits: { failuresPerMinute: 1 } })
    expect(await failed(world, from('192.0.2.1'))).toBe(401)
    expect(await failed(world, from('192.0.2.2'))).toBe(429)
  })
})
