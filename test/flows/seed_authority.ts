import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { frontDoor } from '../fakes/front_door.ts'
import { CALLBACK, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { client, secret, type Json } from '../fakes/running_authority.ts'
import { argumentsOf, page, type Filling } from './seed_page.ts'

const shell = promisify(execFile)

/** Of the verifier on the page: the pair of RFC 7636 appendix B. */
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
/** The client of the page. */
export const CLIENT = 'abc123def456'
export const identity = ['openid', 'profile', 'email']
export const registered = ['read:reports', 'write:data', 'read:users', 'read:documents']
export const pkce = { codeChallenge: CHALLENGE, codeChallengeMethod: 'S256' }

const clients = [
  client(CLIENT, {
    grantTypes: ['authorization_code', 'client_credentials', 'refresh_token'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: [...registered, ...identity] }],
  }),
  client('service_b', {
    grantTypes: ['client_credentials', 'token_exchange'],
    grants: [{ scopes: registered }],
    delegation: { scopes: ['read:documents'] },
  }),
  {
    id: 'mobile',
    methods: ['none'],
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: identity }],
  },
]

/** The tenant of the pages, and a shell with curl before it. */
export interface SeedAuthority {
  readonly authority: Peopled
  readonly clock: FakeClock
  readonly origin: string
  /** The arguments of a command of the pages, with host, ids and secrets put in, and whatever else is given. */
  argumentsOf(command: string, more?: Filling): readonly string[]
  run(command: string, more?: Filling): Promise<Json>
  /** Exchanges a code as if `user_a` had come back from the authorize endpoint, by the command of the page. */
  redeem(scope?: string): Promise<Json>
  refresh(token: unknown, command?: string): Promise<Json>
  stop(): Promise<void>
}

const roles = `
roles:
  - { name: reader, permissions: [document.view], clients: [${CLIENT}] }
`

/** Plain HTTP on the loopback, and the bare origin as issuer, as the page has it. */
export async function seedAuthority(rolesFolder?: string): Promise<SeedAuthority> {
  const door = await frontDoor()
  const clock = new FakeClock()
  const folder = await mkdtemp(join(tmpdir(), 'lumo-seed-'))
  await writeFile(join(folder, 'roles.yaml'), roles)
  const authority = await peopledAuthority({
    origin: door.origin,
    clock,
    tenant: { issuer: 'origin', algorithm: 'RS256', clients, roles: rolesFolder ?? folder },
  })
  door.leadTo(authority.port)
  const filling = {
    'https://app.lumoauth.dev': door.origin,
    CLIENT_ID: CLIENT,
    CLIENT_SECRET: secret,
    YOUR_CLIENT_ID: CLIENT,
    YOUR_CLIENT_SECRET: secret,
  }
  const withFilling: SeedAuthority['argumentsOf'] = (command, more = {}) =>
    argumentsOf(command, { ...filling, ...more })
  const run: SeedAuthority['run'] = async (command, more) =>
    JSON.parse(await curl(withFilling(command, more))) as Json
  return {
    authority,
    clock,
    origin: door.origin,
    argumentsOf: withFilling,
    run,
    redeem: async (scope = identity.join(' ')) => {
      const code = await authority.code({ clientId: CLIENT, scope, ...pkce })
      return run(page.authorizationCode.command, { SplxlOBeZQQYbYS6WxSbIA: code })
    },
    refresh: (token, command = page.refreshToken.command) =>
      run(command, { 'dGhpcyBpcyBhIHJlZnJlc2ggdG9rZW4...': String(token) }),
    stop: async () => {
      await authority.stop()
      await door.close()
      await rm(folder, { recursive: true })
    },
  }
}

/** Nothing of whoever runs this may change what curl does: neither their curlrc nor a proxy. */
export async function curl(args: readonly string[]): Promise<string> {
  const { stdout } = await shell('curl', args, { env: { PATH: process.env['PATH'] } })
  return stdout
}

/** The same members as on the page, with the same values where they are no tokens. */
export function expectAsShown(answer: Json, shown: string): void {
  const expected = JSON.parse(shown) as Json
  expect(Object.keys(answer).toSorted()).toEqual(Object.keys(expected).toSorted())
  for (const [name, value] of Object.entries(expected)) {
    if (name.endsWith('_token')) expect(answer[name]).toBeTypeOf('string')
    else expect(answer[name]).toBe(value)
  }
}
