import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import {
  CALLBACK,
  newClientKey,
  peopledAuthority,
  peopledClients,
  type Peopled,
} from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import {
  basic,
  client,
  docs,
  files,
  secret,
  type Answer,
  type Json,
} from '../fakes/running_authority.ts'
import { turned } from './beside.ts'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  const user = {
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [CALLBACK],
    grants: [{ scopes: ['openid', 'profile', 'email'] }],
  }
  const clients = [
    ...peopledClients(await newClientKey()),
    client('hourly', { ...user, refreshLifetime: 3_600 }),
    client('idle', { ...user, refreshIdle: 600 }),
  ]
  world = await peopledAuthority({ clock, tenant: { clients } })
})

afterAll(() => world.stop())

const aText: unknown = expect.any(String)
const REFUSED = { status: 400, error: 'invalid_grant', code: undefined }
const SCOPE = 'openid profile email read:documents'

/** The refresh token of a user who has just signed in. */
let first: string

beforeEach(async () => {
  first = String((await world.signIn({ scope: SCOPE }))['refresh_token'])
})

const reasonOfLast = () => world.log.lines.at(-1)?.fields['reason']
const successorOf = ({ json }: Answer) => String(json['refresh_token'])

async function refused(answer: Promise<Answer>, reason: string): Promise<void> {
  expect(refusalOf(await answer)).toEqual(REFUSED)
  expect(reasonOfLast()).toBe(reason)
}

describe('a refresh token', () => {
  test('brings an access token of the same grant, and its successor', async () => {
    const { status, json, headers } = await world.refresh(first)
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('no-store')
    expect(json).toEqual({
      access_token: aText,
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: SCOPE,
      refresh_token: aText,
    })
    expect(json['refresh_token']).not.toBe(first)
    const { grant_id: grantId } = await world.introspect(json['refresh_token'], 'web')
    expect(decodeJwt(String(json['access_token']))).toMatchObject({
      sub: 'user_a',
      client_id: 'web',
      aud: 'web',
      scope: SCOPE,
      grant_id: grantId,
      auth_time: clock.now - 30,
      iat: clock.now,
    })
  })

  test('is rotated again and again', async () => {
    const seen = new Set([first])
    for (let n = 0; n < 20; n++) {
      const answer = await world.refresh([...seen].at(-1))
      expect(answer.status).toBe(200)
      seen.add(successorOf(answer))
      clock.advance(1_000)
    }
    expect(seen.size).toBe(21)
  })

  test('is taken in a JSON body and by post as well', async () => {
    const form = { client_id: 'web', client_secret: secret }
    expect((await world.refresh(first, form, {})).status).toBe(200)
  })
})

describe('a token of a refresh is for', () => {
  const wide = { resources: [docs, files], scope: 'openid read:documents' }

  test('the scope that was asked for, and the next again for all of it', async () => {
    const narrow = await world.refresh(first, { scope: 'read:documents' })
    expect(narrow.json['scope']).toBe('read:documents')
    const whole = await world.refresh(successorOf(narrow))
    expect(whole.json['scope']).toBe(SCOPE)
  })

  test('the resource that was asked for, and the next again for both', async () => {
    const { refresh_token: token } = await world.signIn(wide)
    const narrow = await world.refresh(token, { resource: docs })
    expect(decodeJwt(String(narrow.json['access_token']))).toMatchObject({ aud: docs })
    const whole = await world.refresh(successorOf(narrow))
    expect(decodeJwt(String(whole.json['access_token']))).toMatchObject({ aud: [docs, files] })
  })

  const beyond = [
    { name: 'a scope beyond the grant', form: { scope: `${SCOPE} read:reports` } },
    { name: 'a scope of nobody', form: { scope: 'admin' } },
    {
      name: 'a scope that the grant has not at this target',
      form: { scope: 'list:files', audience: files },
    },
  ]
  for (const { name, form } of beyond) {
    test(`not ${name}, and nothing is rotated`, async () => {
      const before = await world.introspect(first, 'web')
      expect(refusalOf(await world.refresh(first, form))).toEqual({
        status: 400,
        error: 'invalid_scope',
        code: undefined,
      })
      clock.advance(60_000)
      // It is still the one that can be used next, not one that comes too late.
      expect(await world.introspect(first, 'web')).toEqual(before)
      expect((await world.refresh(first)).status).toBe(200)
    })
  }

  test('not a resource beyond the grant, and nothing is rotated', async () => {
    const { refresh_token: token } = await world.signIn({ ...wide, resources: [docs] })
    for (const target of [files, 'https://elsewhere.example']) {
      const answer = await world.refresh(token, { resource: target })
      expect(refusalOf(answer)).toMatchObject({ status: 400, error: 'invalid_target' })
    }
    clock.advance(60_000)
    expect((await world.refresh(token)).status).toBe(200)
  })
})

describe('a family ends', () => {
  const signedIn = async (clientId: string) =>
    String((await world.signIn({ clientId }))['refresh_token'])

  test('after its whole life, however often it was rotated', async () => {
    let token = await signedIn('hourly')
    const as = basic('hourly', secret)
    for (const seconds of [1_000, 1_000, 1_599]) {
      clock.advance(seconds * 1_000)
      token = successorOf(await world.refresh(token, {}, as))
    }
    expect(await world.introspect(token, 'hourly')).toMatchObject({ exp: clock.now + 1 })
    clock.advance(1_000)
    await refused(world.refresh(token, {}, as), 'refresh_expired')
    expect(await world.introspect(token, 'hourly')).toEqual({ active: false })
  })

  test('after 30 days where nothing else is said, and not before', async () => {
    clock.jump((30 * 86_400 - 1) * 1_000)
    const answer = await world.refresh(first)
    expect(answer.status).toBe(200)
    clock.jump(1_000)
    await refused(world.refresh(successorOf(answer)), 'refresh_expired')
  })

  test('when it was not used for too long, where there is such a limit', async () => {
    let token = await signedIn('idle')
    const as = basic('idle', secret)
    for (const seconds of [599, 599, 599]) {
      clock.advance(seconds * 1_000)
      token = successorOf(await world.refresh(token, {}, as))
    }
    clock.advance(600_000)
    await refused(world.refresh(token, {}, as), 'refresh_idle')
  })

  test('for as long as its user is disabled', async () => {
    const { refresh_token: token } = await world.signIn({}, 'user_b')
    const setDisabled = (disabled: boolean) =>
      world.withStore((store) => store.setUserDisabled('acme-corp', 'user_b', disabled))
    await setDisabled(true)
    await refused(world.refresh(token), 'user_gone')
    await setDisabled(false)
    expect((await world.refresh(token)).status).toBe(200)
  })

  test('with its user, its client or its tenant, when these are revoked', async () => {
    const named = [
      { kind: 'subject', value: 'user_a' },
      { kind: 'client', value: 'web' },
      { kind: 'tenant', value: '' },
    ] as const
    for (const { kind, value } of named) {
      const { refresh_token: token } = await world.signIn()
      const times = { notBefore: clock.now, expiresAt: clock.now + 86_400 }
      const record = { tenant: 'acme-corp', kind, value, ...times }
      await world.withStore((store) => store.revoke([record]))
      await refused(world.refresh(token), 'refresh_revoked')
      clock.advance(1_000)
    }
  })
})

interface FalseToken {
  readonly name: string
  readonly of: (token: string, other: string) => string
}

const halves = (token: string) => token.split('.') as [string, string]
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** 43 characters hold two bits more than 32 bytes: decoders commonly let them be anything. */
function spelledOtherwise(token: string): string {
  const last = alphabet.indexOf(token.at(-1) ?? '')
  return `${token.slice(0, -1)}${alphabet[last ^ 1] ?? ''}`
}

const falseTokens: readonly FalseToken[] = [
  { name: 'another secret', of: (token) => turned(token, 60) },
  { name: 'another family', of: (token) => turned(token, 3) },
  { name: 'a later generation', of: (token) => turned(token, 25) },
  { name: 'another tag', of: (token) => turned(token, 40) },
  { name: 'the secret of another family', of: (a, b) => `${halves(a)[0]}.${halves(b)[1]}` },
  { name: 'its halves exchanged', of: (token) => halves(token).toReversed().join('.') },
  { name: 'its id alone', of: (token) => halves(token)[0] },
  { name: 'its secret alone', of: (token) => halves(token)[1] },
  { name: 'no secret', of: (token) => `${halves(token)[0]}.` },
  { name: 'a character less', of: (token) => token.slice(0, -1) },
  { name: 'a character more', of: (token) => `${token}A` },
  { name: 'a part more', of: (token) => `${token}.AAAA` },
  { name: 'another spelling of the last character', of: spelledOtherwise },
  { name: 'padding', of: (token) => `${token}=` },
  { name: 'a space before it', of: (token) => ` ${token}` },
  { name: 'a newline after it', of: (token) => `${token}\n` },
  { name: 'a NUL after it', of: (token) => `${token}\0` },
  { name: 'the other alphabet', of: (token) => `${token.slice(0, 20)}+${token.slice(21)}` },
  { name: 'something made up', of: () => `${'A'.repeat(48)}.${'A'.repeat(43)}` },
  { name: '20 000 characters', of: () => 'A'.repeat(20_000) },
]

describe('a refresh token is refused with', () => {
  for (const { name, of } of falseTokens) {
    test(`${name}, and the real one is as good as before`, async () => {
      const other = String((await world.signIn())['refresh_token'])
      const shown = of(first, other)
      expect(shown).not.toBe(first)
      await refused(world.refresh(shown), 'refresh_unknown')
      clock.advance(20_000)
      await refused(world.refresh(shown), 'refresh_unknown')
      const next = await world.refresh(first)
      expect(next.status).toBe(200)
      expect((await world.refresh(successorOf(next))).status).toBe(200)
    })
  }

  test('none at all, or an access token instead', async () => {
    const none = await world.refresh('')
    expect(refusalOf(none)).toMatchObject({ status: 400, error: 'invalid_request' })
    await refused(world.refresh(await world.userToken()), 'refresh_unknown')
  })
})

test('no refresh token is in the log', async () => {
  const answers: Json[] = [(await world.refresh(first)).json, (await world.refresh(first)).json]
  clock.advance(10_000)
  answers.push((await world.refresh(first)).json)
  expect(world.log.text()).not.toContain(first)
  for (const text of answers.map((json) => json['refresh_token'])) {
    if (text !== undefined) expect(world.log.text()).not.toContain(text)
  }
})
