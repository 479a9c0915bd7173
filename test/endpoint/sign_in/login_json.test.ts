import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import type { Peopled } from '../../fakes/peopled_authority.ts'
import { Browser } from '../authorize/browser.ts'
import { askFor, BASE, ORIGIN, PASSWORD, withPeople } from '../authorize/people.ts'

const PATH = `${BASE}/oauth/login/json`
const TRUSTED = 'https://app.acme.example'
const right = JSON.stringify({ email: 'alice@example.com', password: PASSWORD })

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await withPeople({ clock, tenant: { trustedOrigins: [TRUSTED] } })
})

afterAll(() => world.stop())

function send(
  browser: Browser,
  body: string,
  headers: Readonly<Record<string, string>> = { origin: TRUSTED },
  path = PATH,
) {
  return browser.send('POST', path, body, { 'content-type': 'application/json', ...headers })
}

const newBrowser = () => new Browser(world.port, ORIGIN)

test('a page of a trusted origin signs somebody in, and the next request finds them', async () => {
  const browser = newBrowser()
  const answer = await send(browser, right)
  expect([answer.status, answer.text]).toEqual([200, '{"status":"complete"}'])
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': TRUSTED,
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
    'cache-control': 'no-store',
  })
  const consent = await browser.get(`${BASE}/oauth/authorize?${askFor()}`)
  expect(consent.text).toContain('Allow access?')
})

test('our own origin is trusted, and a browser may ask first', async () => {
  expect((await send(newBrowser(), right, { origin: ORIGIN })).status).toBe(200)
  const asked = await newBrowser().send('OPTIONS', PATH, '', { origin: TRUSTED })
  expect([asked.status, asked.headers['access-control-allow-headers']]).toEqual([
    204,
    'Content-Type',
  ])
})

describe('is refused', () => {
  test.each<[string, string, Readonly<Record<string, string>>, number, string]>([
    ['without an origin', right, {}, 403, 'access_denied'],
    ['of another origin', right, { origin: 'https://evil.example' }, 403, 'access_denied'],
    ['of no origin', right, { origin: 'null' }, 403, 'access_denied'],
    [
      'of an origin that begins alike',
      right,
      { origin: `${TRUSTED}.evil.example` },
      403,
      'access_denied',
    ],
    [
      'as a form',
      'email=a',
      { origin: TRUSTED, 'content-type': 'text/plain' },
      400,
      'invalid_request',
    ],
    [
      'without a password',
      '{"email":"alice@example.com"}',
      { origin: TRUSTED },
      400,
      'invalid_request',
    ],
    ['with nothing', '', { origin: TRUSTED }, 400, 'invalid_request'],
    ['with an array', '[]', { origin: TRUSTED }, 400, 'invalid_request'],
    ['with null', '{"email":null,"password":null}', { origin: TRUSTED }, 400, 'invalid_request'],
  ])('%s', async (_name, body, headers, status, error) => {
    const browser = newBrowser()
    const answer = await send(browser, body, headers)
    expect([answer.status, (JSON.parse(answer.text) as { error: string }).error]).toEqual([
      status,
      error,
    ])
    expect(browser.cookies.size).toBe(0)
  })

  test('and tells another origin nothing', async () => {
    const { headers } = await send(newBrowser(), right, { origin: 'https://evil.example' })
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })

  test('alike for a wrong password and an unknown address, and is locked after five', async () => {
    for (const email of ['bob@example.com', 'nobody@example.com']) {
      const statuses: number[] = []
      const bodies = new Set<string>()
      for (let times = 0; times < 6; times += 1) {
        const answer = await send(newBrowser(), JSON.stringify({ email, password: 'x' }))
        statuses.push(answer.status)
        if (times < 5) bodies.add(answer.text)
      }
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
      expect([...bodies].map((text) => JSON.parse(text) as unknown)).toEqual([
        {
          error: 'invalid_credentials',
          error_description: 'Address or password is wrong.',
          code: 'invalid_credentials',
          message: 'Address or password is wrong.',
          status: 401,
        },
      ])
    }
  })

  test('at a tenant that is none', async () => {
    const path = PATH.replace('acme-corp', 'nobody')
    const answer = await send(newBrowser(), right, { origin: TRUSTED }, path)
    expect([answer.status, (JSON.parse(answer.text) as { error: string }).error]).toEqual([
      404,
      'not_found',
    ])
  })
})
