import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../fakes/running_authority.ts'
import {
  CLIENT,
  curl,
  expectAsShown,
  identity,
  pkce,
  registered,
  seedAuthority,
  type SeedAuthority,
} from './seed_authority.ts'
import { page, type Filling } from './seed_page.ts'

let seed: SeedAuthority

beforeAll(async () => {
  seed = await seedAuthority()
})

afterAll(() => seed.stop())

describe('the tables of parameters', () => {
  const without = (command: string, ...lines: readonly string[]): string =>
    lines.reduce((text, line) => {
      if (!text.includes(line)) throw new Error(`the command has no ${line}`)
      return text.replace(line, '')
    }, command)

  test('client_credentials without scope: what is registered, and it can be asked for again', async () => {
    const bare = without(page.clientCredentials.command, '-d "scope=read:reports write:data"')
    const { scope } = await seed.run(bare)
    expect(String(scope).split(' ').toSorted()).toEqual([...registered, ...identity].toSorted())
    const again = await seed.run(page.clientCredentials.command, {
      'read:reports write:data': String(scope),
    })
    expect(again['scope']).toBe(scope)
  })

  test('refresh_token with client_id and client_secret in the body', async () => {
    const { refresh_token: token } = await seed.redeem()
    const asPost = page.refreshToken.command.replace(
      '-u "CLIENT_ID:CLIENT_SECRET"',
      '-d "client_id=CLIENT_ID" -d "client_secret=CLIENT_SECRET"',
    )
    const answer = await seed.refresh(token, asPost)
    expect(answer['refresh_token']).toBeTypeOf('string')
  })

  test('a public client has no client_secret, at either grant', async () => {
    const code = await seed.authority.code({
      clientId: 'mobile',
      scope: identity.join(' '),
      ...pkce,
    })
    const answer = await seed.run(
      without(page.authorizationCode.command, '-d "client_secret=YOUR_CLIENT_SECRET" \\\n'),
      { SplxlOBeZQQYbYS6WxSbIA: code, [CLIENT]: 'mobile' },
    )
    expectAsShown(answer, page.authorizationCode.response)
    const asPublic = page.refreshToken.command.replace(
      '-u "CLIENT_ID:CLIENT_SECRET"',
      '-d "client_id=mobile"',
    )
    expect(await seed.refresh(answer['refresh_token'], asPublic)).toMatchObject({
      scope: identity.join(' '),
    })
  })

  test('without PKCE there is no code_verifier', async () => {
    const code = await seed.authority.code({ clientId: CLIENT })
    const verifier = ' \\\n-d "code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"'
    const answer = await seed.run(without(page.authorizationCode.command, verifier), {
      SplxlOBeZQQYbYS6WxSbIA: code,
    })
    expectAsShown(answer, page.authorizationCode.response)
  })
})

describe('the table of errors', () => {
  const refusals: readonly {
    readonly name: string
    readonly error: string
    readonly status: number
    readonly command: string
    readonly change: Filling
  }[] = [
    {
      name: 'a missing parameter',
      error: 'invalid_request',
      status: 400,
      command: page.clientCredentials.command,
      change: { 'grant_type=client_credentials': 'grant_type=' },
    },
    {
      name: 'a wrong secret',
      error: 'invalid_client',
      status: 401,
      command: page.clientCredentials.command,
      change: { CLIENT_SECRET: 'wrong' },
    },
    {
      name: 'a code that nobody issued',
      error: 'invalid_grant',
      status: 400,
      command: page.authorizationCode.command,
      change: {},
    },
    {
      name: 'a refresh token that nobody issued',
      error: 'invalid_grant',
      status: 400,
      command: page.refreshToken.command,
      change: {},
    },
    {
      name: 'a scope beyond the registration',
      error: 'invalid_scope',
      status: 400,
      command: page.clientCredentials.command,
      change: { 'write:data': 'admin' },
    },
    {
      name: 'a grant type that there is not',
      error: 'unsupported_grant_type',
      status: 400,
      command: page.clientCredentials.command,
      change: { client_credentials: 'password' },
    },
  ]

  test.each(refusals)('$error: $name', async ({ error, status, command, change }) => {
    const args = seed.argumentsOf(command, change)
    const [body = '', statusLine] = (await curl([...args, '-w', '\n%{http_code}'])).split('\n')
    expect(statusLine).toBe(String(status))
    const answer = JSON.parse(body) as Json
    expect(answer['error']).toBe(error)
    expect(answer['error_description']).toBeTypeOf('string')
    expect(Object.keys(answer)).toEqual(Object.keys(JSON.parse(page.refusal.response) as Json))
  })
})
