import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuthorizationRequest } from '../../src/endpoint/authorize/issue_code.ts'
import { OAuthError } from '../../src/oauth/errors.ts'
import { FakeClock } from '../fakes/clock.ts'
import {
  CALLBACK,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { client, docs, files } from '../fakes/running_authority.ts'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  const desk = client('desk', {
    grantTypes: ['authorization_code'],
    redirectUris: [
      'http://localhost/callback',
      'http://[::1]/callback',
      'http://127.0.0.1:8080/callback',
      'com.example.app:/callback',
    ],
  })
  const clients = [...peopledClients(await newClientKey()), desk]
  world = await peopledAuthority({ clock, tenant: { clients } })
})

afterAll(() => world.stop())

const challenge = { codeChallenge: 'c'.repeat(43), codeChallengeMethod: 'S256' }

async function issue(request: Partial<AuthorizationRequest>, sub = 'user_a', tenant = 'acme-corp') {
  const whole = { clientId: 'web', redirectUri: CALLBACK, scope: 'openid', ...request }
  return world.running.issueCode(tenant, whole, { sub, authTime: clock.now })
}

interface IssueRefusal {
  readonly name: string
  readonly request: Partial<AuthorizationRequest>
  readonly sub?: string
  readonly code: string
  readonly detail?: string
}

const method = 'code_challenge_method must be S256'
const malformed = { code: 'parameter_malformed' } as const

const refusals: readonly IssueRefusal[] = [
  { name: 'no such client', request: { clientId: 'x' }, ...malformed, detail: 'no such client' },
  {
    name: 'a client without the grant',
    request: { clientId: 'service_b' },
    code: 'grant_not_allowed',
  },
  {
    name: 'no such user',
    request: {},
    sub: 'user_z',
    ...malformed,
    detail: 'no such user',
  },
  {
    name: 'a challenge in plain',
    request: { ...challenge, codeChallengeMethod: 'plain' },
    ...malformed,
    detail: method,
  },
  {
    name: 'a challenge whose method is missing, which would be plain',
    request: { codeChallenge: challenge.codeChallenge },
    ...malformed,
    detail: method,
  },
  {
    name: 'a method in another case',
    request: { ...challenge, codeChallengeMethod: 's256' },
    ...malformed,
    detail: method,
  },
  {
    name: 'a method without challenge',
    request: { codeChallengeMethod: 'S256' },
    ...malformed,
    detail: 'code_challenge_method without code_challenge',
  },
  ...['', 'c'.repeat(42), 'c'.repeat(44), `${'c'.repeat(42)}=`, `${'c'.repeat(43)}\n`].map(
    (codeChallenge) => ({
      name: `a challenge of the form ${JSON.stringify(codeChallenge)}`,
      request: { codeChallenge, codeChallengeMethod: 'S256' },
      ...malformed,
      detail: 'code_challenge is malformed',
    }),
  ),
  {
    name: 'a public client without challenge',
    request: { clientId: 'spa', redirectUri: 'https://spa.example/callback' },
    ...malformed,
    detail: 'a public client needs a code_challenge',
  },
  {
    name: 'a nonce of 513 characters',
    request: { nonce: 'n'.repeat(513) },
    ...malformed,
    detail: 'nonce is too long',
  },
  { name: 'a malformed scope', request: { scope: 'a  b' }, code: 'scope_malformed' },
  { name: 'a scope beyond the client', request: { scope: 'admin' }, code: 'scope_not_allowed' },
  {
    name: 'a scope that the client has elsewhere',
    request: { scope: 'write:documents', resources: [files] },
    code: 'scope_not_allowed',
  },
  {
    name: 'a relative resource',
    request: { resources: ['/documents'] },
    code: 'target_malformed',
  },
  {
    name: 'a resource with a fragment',
    request: { resources: [`${docs}#part`] },
    code: 'target_malformed',
  },
  {
    name: 'a resource beyond the client',
    request: { resources: ['https://elsewhere.example'] },
    code: 'target_not_allowed',
  },
  {
    name: 'more resources than fit a token of the client',
    request: { clientId: 'other-web', resources: [docs, files] },
    code: 'targets_too_many',
  },
]

describe('no code for', () => {
  for (const { name, request, sub, code, detail } of refusals) {
    test(name, async () => {
      const refusal = await issue(request, sub)
      expect(refusal).toBeInstanceOf(OAuthError)
      expect(refusal).toMatchObject({ code, detail })
    })
  }

  test('a user who is disabled', async () => {
    const setDisabled = (disabled: boolean) =>
      world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', disabled))
    await setDisabled(true)
    expect(await issue({}, 'user_b')).toMatchObject({ detail: 'no such user' })
    await setDisabled(false)
    expect(await issue({}, 'user_b')).toEqual(expect.any(String))
  })

  test('a tenant that is not there', async () => {
    expect(await issue({}, 'user_a', 'nobody')).toBeUndefined()
  })
})

const NEAR_CALLBACK = [
  '',
  'https://myapp.com',
  'https://myapp.com/',
  'https://myapp.com/callback/',
  'https://myapp.com/callback/x',
  'https://myapp.com/callback?x=1',
  'https://myapp.com/callback?',
  'https://myapp.com/callback#',
  'https://myapp.com/callback#x',
  'https://myapp.com/Callback',
  'https://myapp.com/x/../callback',
  'https://myapp.com/./callback',
  'https://myapp.com//callback',
  'https://myapp.com/%63allback',
  'https://myapp.com:443/callback',
  'https://myapp.com:8443/callback',
  'https://myapp.com./callback',
  'https://MyApp.com/callback',
  'HTTPS://myapp.com/callback',
  'http://myapp.com/callback',
  'https://user@myapp.com/callback',
  'https://myapp.com@evil.example/callback',
  'https://myapp.com.evil.example/callback',
  'https://evilmyapp.com/callback',
  'https://www.myapp.com/callback',
  'https:\\\\myapp.com\\callback',
  ' https://myapp.com/callback',
  'https://myapp.com/callback ',
  'https://myapp.com/callback\n',
  'https://myapp.com/callback\0',
  'javascript:alert(1)//https://myapp.com/callback',
]

const NEAR_LOOPBACK = [
  'https://127.0.0.1:50123/callback',
  'http://127.0.0.1:50123/callback/',
  'http://127.0.0.1:50123/callback?x=1',
  'http://127.0.0.1:50123/callback#x',
  'http://127.0.0.1:50123/other',
  'http://127.0.0.1:50123',
  'http://127.0.0.1:/callback',
  'http://127.0.0.1:123456/callback',
  'http://127.0.0.1:-1/callback',
  'http://127.0.0.1:80x/callback',
  'http://127.0.0.1:50123@evil.example/callback',
  'http://127.0.0.1:50123.evil.example/callback',
  'http://127.0.0.1.evil.example:50123/callback',
  'http://user@127.0.0.1:50123/callback',
  'http://127.0.0.2:50123/callback',
  'http://127.1:50123/callback',
  'http://0x7f000001:50123/callback',
  'http://2130706433:50123/callback',
  'http://localhost:50123/callback',
  'http://[::1]:50123/callback',
  'HTTP://127.0.0.1:50123/callback',
]

const NEAR_DESK = [
  'http://localhost:50123/callback',
  'http://localhost:80/callback',
  'http://localhost./callback',
  'http://[::1]:50123/callback/',
  'http://[0:0:0:0:0:0:0:1]:50123/callback',
  'http://[::ffff:127.0.0.1]:50123/callback',
  'http://::1:50123/callback',
  'com.example.app://callback',
  'com.example.app:/callback/x',
  'com.example.app:callback',
]

describe.each([
  { clientId: 'web', near: NEAR_CALLBACK },
  { clientId: 'spa', near: NEAR_LOOPBACK },
  { clientId: 'desk', near: NEAR_DESK },
])('$clientId did not register', ({ clientId, near }) => {
  test.each(near)('%j', async (redirectUri) => {
    const refusal = await issue({ clientId, redirectUri, ...challenge })
    expect(refusal).toMatchObject({ ...malformed, detail: 'redirect_uri is not registered' })
  })
})

describe('a redirect is as it was registered,', () => {
  test.each([
    ['web', CALLBACK],
    ['other-web', 'https://other.example/callback'],
    ['spa', 'https://spa.example/callback'],
    ['spa', 'http://127.0.0.1/callback'],
    ['spa', 'http://127.0.0.1:1/callback'],
    ['spa', 'http://127.0.0.1:65535/callback'],
    ['desk', 'http://127.0.0.1/callback'],
    ['desk', 'http://127.0.0.1:9090/callback'],
    ['desk', 'http://[::1]/callback'],
    ['desk', 'http://[::1]:50123/callback'],
    ['desk', 'http://localhost/callback'],
    ['desk', 'com.example.app:/callback'],
  ])('for %s: %s', async (clientId, redirectUri) => {
    const whole = { clientId, redirectUri, ...challenge }
    const consent = { sub: 'user_a', authTime: clock.now }
    const code = await world.running.issueCode('acme-corp', whole, consent)
    // 256 bits in base64url.
    expect(code).toMatch(/^[\w-]{43}$/)
  })
})
