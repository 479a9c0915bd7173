import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { FakeClock } from '../../fakes/clock.ts'
import { serve, type LoopbackServer } from '../../fakes/loopback.ts'
import type { Json } from '../../fakes/running_authority.ts'
import { BASE } from '../authorize/people.ts'
import { fakeProvider, type FakeProvider, type Twist } from './upstream_provider.ts'
import {
  expectRefused,
  leave,
  secretFile,
  upstreamAt,
  wayBack,
  withUpstreams,
  type UpstreamWorld,
} from './upstream_steps.ts'

const NOT_THERE = 'Signing in there did not work.'

const clock = new FakeClock()
let provider: FakeProvider
let other: FakeProvider
let elsewhere: LoopbackServer
let world: UpstreamWorld

beforeAll(async () => {
  provider = await fakeProvider(clock)
  other = await fakeProvider(clock)
  elsewhere = await serve({})
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
  await elsewhere.close()
})

type Case = readonly [name: string, reason: string, twist: () => Twist]

const answers: readonly Case[] = [
  ['of another issuer', 'answer_wrong', () => ({ claims: { iss: other.issuer } })],
  ['for another client', 'answer_wrong', () => ({ claims: { aud: 'somebody' } })],
  [
    'for another client as well, and of that one',
    'answer_wrong',
    () => ({ claims: { aud: ['lumo', 'somebody'], azp: 'somebody' } }),
  ],
  ['of another sign-in', 'answer_wrong', () => ({ claims: { nonce: 'another' } })],
  ['of no sign-in', 'answer_wrong', () => ({ claims: { nonce: undefined } })],
  ['that has expired', 'answer_wrong', () => ({ claims: { exp: clock.now - 31 } })],
  ['without an end', 'answer_wrong', () => ({ claims: { exp: undefined } })],
  ['with another access token', 'answer_wrong', () => ({ claims: { at_hash: 'AAAA' } })],
  ['of nobody', 'answer_wrong', () => ({ claims: { sub: undefined } })],
  ['of a number', 'answer_wrong', () => ({ claims: { sub: 1 } })],
  ['that nobody signed', 'answer_wrong', () => ({ signedBy: 'nobody' })],
  [
    'that nobody signed, as announced',
    'answer_wrong',
    () => ({
      signedBy: 'nobody',
      metadata: { id_token_signing_alg_values_supported: ['ES256', 'none'] },
    }),
  ],
  [
    'that our own secret signed',
    'answer_wrong',
    () => ({
      signedBy: 'secret',
      metadata: { id_token_signing_alg_values_supported: ['ES256', 'HS256'] },
    }),
  ],
  ['that somebody else signed', 'answer_wrong', () => ({ signedBy: 'stranger' })],
  ['of a name of 10 kB', 'claims_wrong', () => ({ claims: { sub: 'x'.repeat(10_000) } })],
  ['of a name of 256 bytes', 'claims_wrong', () => ({ claims: { sub: 'x'.repeat(256) } })],
  ['of an empty name', 'claims_wrong', () => ({ claims: { sub: '' } })],
  ['of a name with a line break', 'claims_wrong', () => ({ claims: { sub: 'a\nb' } })],
  ['with an address of 256', 'claims_wrong', () => ({ claims: { email: 'x'.repeat(256) } })],
  ['with an address of two lines', 'claims_wrong', () => ({ claims: { email: 'a@b\nc' } })],
  ['with an address that is a list', 'claims_wrong', () => ({ claims: { email: ['a@b'] } })],
  ['with a person’s name of 256', 'claims_wrong', () => ({ claims: { name: 'x'.repeat(256) } })],
  ['with a name that turns what follows', 'claims_wrong', () => ({ claims: { name: '\u202eA' } })],
]

test.each(answers)('an ID token %s signs nobody in', async (_name, reason, twist) => {
  provider.twist = twist()
  const browser = world.browser()
  const seen = await browser.get(await wayBack(browser, provider))
  expect(seen.status).toBe(503)
  expect(seen.text).toContain(NOT_THERE)
  await expectRefused(world, browser, seen, `upstream_${reason}`)
})

const json = { 'content-type': 'application/json' }
const tokens: readonly Case[] = [
  ['10 MB beside the tokens', 'answer_wrong', () => ({ tokens: { x: 'x'.repeat(10_000_000) } })],
  [
    'a redirect',
    'answer_wrong',
    () => ({
      token: (response) =>
        response.writeHead(307, { location: `${elsewhere.origin}/token` }).end('{}'),
    }),
  ],
  [
    'HTML',
    'answer_wrong',
    () => ({
      token: (response) =>
        response.writeHead(200, { 'content-type': 'text/html' }).end('<script>x</script>'),
    }),
  ],
  ['nothing', 'answer_wrong', () => ({ token: (response) => response.writeHead(204).end() })],
  [
    'a list',
    'answer_wrong',
    () => ({ token: (response) => response.writeHead(200, json).end('[]') }),
  ],
  [
    'no ID token',
    'answer_wrong',
    () => ({
      token: (response) =>
        response.writeHead(200, json).end('{"access_token":"a","token_type":"Bearer"}'),
    }),
  ],
  [
    'that we are no client',
    'client_refused',
    () => ({
      token: (response) => response.writeHead(401, json).end('{"error":"invalid_client"}'),
    }),
  ],
  ['that it is out', 'out', () => ({ token: (response) => response.writeHead(503).end('<html>') })],
  ['a broken line', 'out', () => ({ token: (response) => response.destroy() })],
]

test.each(tokens)('a token endpoint that answers with %s', async (_name, reason, twist) => {
  provider.twist = twist()
  const browser = world.browser()
  const seen = await browser.get(await wayBack(browser, provider))
  expect(seen.status).toBe(503)
  expect(seen.text).not.toMatch(/<script/)
  await expectRefused(world, browser, seen, `upstream_${reason}`)
  expect(elsewhere.seen).toEqual([])
})

const backs: readonly (readonly [string, number, string, Twist['back']])[] = [
  ['with an error', 403, 'denied', { code: undefined, error: 'access_denied' }],
  ['with an unknown error', 403, 'denied', { code: undefined, error: '<script>' }],
  ['with a code of nobody', 403, 'code_refused', { code: 'x' }],
  ['without a code', 503, 'answer_wrong', { code: undefined }],
  ['with the issuer of another provider', 503, 'answer_wrong', { iss: 'https://evil.example' }],
  ['without the issuer', 503, 'answer_wrong', { iss: undefined }],
  [
    'with an error in the name of another provider',
    503,
    'answer_wrong',
    { code: undefined, error: 'access_denied', iss: 'https://evil.example' },
  ],
]

test.each(backs)('who comes back %s is not signed in', async (_name, status, reason, back) => {
  provider.twist = { ...(back && { back }) }
  const browser = world.browser()
  const seen = await browser.get(await wayBack(browser, provider))
  expect(seen.status).toBe(status)
  await expectRefused(world, browser, seen, `upstream_${reason}`)
})

const documents: readonly (readonly [string, string, () => Json])[] = [
  ['of another issuer', 'document_wrong', () => ({ issuer: other.issuer })],
  ['of a like issuer', 'document_wrong', () => ({ issuer: `${provider.issuer}/` })],
  [
    'without an authorization endpoint',
    'document_wrong',
    () => ({ authorization_endpoint: undefined }),
  ],
  ['that leads to a script', 'document_wrong', () => ({ authorization_endpoint: 'javascript:x' })],
  [
    'that leads over plain http',
    'document_wrong',
    () => ({ authorization_endpoint: 'http://evil.example/authorize' }),
  ],
  ['without a token endpoint', 'document_wrong', () => ({ token_endpoint: undefined })],
  ['with a token endpoint in a file', 'document_wrong', () => ({ token_endpoint: 'file:///etc' })],
  ['without keys', 'document_wrong', () => ({ jwks_uri: 7 })],
]

function asksForDocument(): number {
  return provider.seen.filter((path) => path.startsWith('/.well-known/')).length
}

test.each(documents)('a discovery document %s', async (_name, reason, metadata) => {
  provider.twist = { metadata: metadata() }
  const browser = world.browser()
  const before = asksForDocument()
  await expect(leave(browser)).rejects.toThrow('503')
  const seen = await browser.get(`${BASE}/oauth/login/upstream/partner?continue=account`)
  expect([seen.status, seen.text.includes(NOT_THERE)]).toEqual([503, true])
  expect((await world.told()).slice(-2).map(({ reason: told }) => told)).toEqual(
    Array(2).fill(`upstream_${reason}`),
  )
  // The second was answered without asking again, and a while later the provider is.
  expect(asksForDocument()).toBe(before + 1)
  provider.twist = {}
  clock.advance(5_000)
  expect(await leave(browser)).toContain(`${provider.issuer}/authorize?`)
})

test('a token endpoint in the network of the operator is not asked', async () => {
  provider.twist = { metadata: { token_endpoint: `${elsewhere.origin}/token` } }
  const browser = world.browser()
  const seen = await browser.get(await wayBack(browser, provider))
  expect(seen.status).toBe(503)
  await expectRefused(world, browser, seen, 'upstream_host_refused')
  expect(elsewhere.seen).toEqual([])
})
