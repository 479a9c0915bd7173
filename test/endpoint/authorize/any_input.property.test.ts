import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { CALLBACK, type Peopled } from '../../fakes/peopled_authority.ts'
import { Browser } from './browser.ts'
import { askFor, BASE, COOKIE, ORIGIN, withPeople } from './people.ts'

const AFTER = 'https://myapp.com/bye'

let world: Peopled

beforeAll(async () => {
  world = await withPeople({
    clock: new FakeClock(),
    limits: { failuresPerMinute: 100_000, clientPerMinute: 100_000 },
    tenant: { trustedOrigins: [ORIGIN] },
  })
})

afterAll(() => world.stop())

const names = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'prompt',
  'max_age',
  'login_hint',
  'resource',
  'request_uri',
  'request',
  'code_challenge',
  'code_challenge_method',
  'dpop_jkt',
  'access_type',
  'form',
  'request',
  'continue',
  'decision',
  'user',
  'email',
  'password',
  'action',
  'id',
  'id_token_hint',
  'post_logout_redirect_uri',
  '__proto__',
  'constructor',
]

const odd = [
  '',
  'web',
  CALLBACK,
  `${CALLBACK}#x`,
  '//evil.example',
  'https://evil.example',
  'https://myapp.com@evil.example/callback',
  'javascript:alert(1)',
  'code',
  'none login',
  '-1',
  '9999999999',
  'account',
  'authorize?',
  `authorize?${askFor()}`,
  'authorize?redirect_uri=//evil.example',
  'urn:ietf:params:oauth:request_uri:',
  'urn:ietf:params:oauth:request_uri:x',
  '\u0000',
  '\r\nSet-Cookie: a=b',
  '%',
  '%00',
  '\ud800',
  'eyJhbGciOiJub25lIn0.e30.',
]

const value = fc.oneof(fc.constantFrom(...odd), fc.string({ maxLength: 40 }))
const pairs = fc.array(fc.tuple(fc.constantFrom(...names), value), { maxLength: 12 })
/** Now and then an otherwise good request with a few members changed. */
const form = fc.tuple(fc.boolean(), pairs).map(([isNearlyGood, changed]) => {
  const parameters = new URLSearchParams(isNearlyGood ? askFor() : '')
  for (const [name, text] of changed) {
    if (text.length % 2 === 0) parameters.set(name, text.toWellFormed())
    else parameters.append(name, text.toWellFormed())
  }
  return parameters.toString()
})
const raw = fc.oneof(form, form, fc.string({ unit: 'binary-ascii', maxLength: 200 }))
const places = [
  ['GET', 'oauth/authorize'],
  ['POST', 'oauth/authorize'],
  ['POST', 'oauth/login'],
  ['POST', 'oauth/login/json'],
  ['POST', 'oauth/par'],
  ['GET', 'oauth/logout'],
  ['POST', 'oauth/logout'],
  ['GET', 'account'],
  ['POST', 'account'],
  ['GET', 'agents/me/approvals/%2e%2e/status'],
] as const
const types = ['application/x-www-form-urlencoded', 'application/json', 'text/plain']
const cookies = [
  '',
  `${COOKIE}=${'a'.repeat(43)}`,
  `${COOKIE}=x; ${COOKIE}=y`,
  '=;;=',
  `${COOKIE}=`,
]

test('whatever comes, it is no fault of ours, and nobody is sent where no client has its home', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...places),
      raw,
      fc.constantFrom(...types),
      fc.constantFrom(...cookies),
      fc.boolean(),
      async ([method, path], text, type, cookie, isOwn) => {
        const query = method === 'GET' ? `?${encodeURI(text.toWellFormed())}` : ''
        const answer = await new Browser(world.port, ORIGIN).send(
          method,
          `${BASE}/${path}${query}`,
          method === 'GET' ? '' : text,
          { 'content-type': type, ...(cookie && { cookie }), ...(isOwn && { origin: ORIGIN }) },
        )
        expect(answer.status).toBeLessThan(500)
        const { location } = answer.headers
        if (location === undefined) return
        const places = [`${CALLBACK}?`, `${ORIGIN}${BASE}/`, AFTER]
        expect(places.some((place) => location.startsWith(place))).toBe(true)
      },
    ),
    { numRuns: 600 },
  )
})
