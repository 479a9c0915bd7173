import { createHash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import { basic, docs, secret, type Json } from '../fakes/running_authority.ts'

type Form = Readonly<Record<string, string>>

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const DEAD = { active: false }
const REFUSED = { status: 400, error: 'invalid_grant', code: undefined }
const verifier = 'v'.repeat(43)
const bound = {
  codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
  codeChallengeMethod: 'S256',
  scope: 'openid read:documents',
}

const reasonOfLast = () => world.log.lines.at(-1)?.fields['reason']

async function auditOf(event: string): Promise<readonly Json[]> {
  const rows = await world.withStore((store) => store.auditTail('acme-corp', 3))
  return rows.map(({ text }) => JSON.parse(text) as Json).filter((row) => row['event'] === event)
}

/** A code that was used once, and all that the first use made. */
interface Used {
  readonly code: string
  readonly access: unknown
  readonly refresh: unknown
  /** Narrowed from the access token. */
  readonly derived: unknown
}

let used: Used

beforeEach(async () => {
  const code = await world.code(bound)
  const { json } = await world.redeem(code, { code_verifier: verifier })
  const { access_token: access, refresh_token: refresh } = json
  const narrowed = await world.exchange({ subject_token: String(access), audience: docs })
  expect([typeof access, typeof refresh, narrowed.status]).toEqual(['string', 'string', 200])
  used = { code, access, refresh, derived: narrowed.json['access_token'] }
})

async function isAlive(): Promise<readonly unknown[]> {
  const access = await world.introspect(used.access)
  const derived = await world.introspect(used.derived)
  const refresh = await world.introspect(used.refresh, 'web')
  return [access['active'], derived['active'], refresh['active']]
}

interface SecondUse {
  readonly name: string
  readonly form?: Form
  readonly after?: number
}

const again: readonly SecondUse[] = [
  { name: 'as the first', form: { code_verifier: verifier } },
  { name: 'with a wrong verifier', form: { code_verifier: 'w'.repeat(43) } },
  { name: 'without verifier' },
  {
    name: 'with another redirect',
    form: { code_verifier: verifier, redirect_uri: 'https://other.example/callback' },
  },
  {
    name: 'with a resource that it was not for',
    form: { code_verifier: verifier, resource: 'https://elsewhere.example' },
  },
  { name: 'with a scope too wide', form: { code_verifier: verifier, scope: 'admin' } },
  { name: 'after its end', form: { code_verifier: verifier }, after: 1_200_000 },
]

describe('a code that comes again ends all that came of it:', () => {
  for (const { name, form, after = 0 } of again) {
    test(name, async () => {
      clock.advance(after)
      expect(await isAlive()).toEqual([true, true, true])
      expect(refusalOf(await world.redeem(used.code, form))).toEqual(REFUSED)
      expect(reasonOfLast()).toBe('code_reused')
      expect(await isAlive()).toEqual([false, false, false])
      expect(refusalOf(await world.refresh(used.refresh))).toEqual(REFUSED)
      expect(reasonOfLast()).toBe('refresh_revoked')
    })
  }

  test('the tokens of a refresh too, and userinfo and exchange see it', async () => {
    const { json } = await world.refresh(used.refresh)
    await world.redeem(used.code, { code_verifier: verifier })
    const token = String(json['access_token'])
    expect(await world.introspect(token)).toEqual(DEAD)
    expect(refusalOf(await world.refresh(json['refresh_token']))).toEqual(REFUSED)
    const userinfo = await world.send({
      path: '/t/acme-corp/api/v1/oauth/userinfo',
      headers: { authorization: `Bearer ${token}` },
    })
    expect(refusalOf(userinfo)).toMatchObject({ status: 401, error: 'invalid_token' })
    const exchanged = await world.exchange({ subject_token: token, audience: docs })
    expect(refusalOf(exchanged)).toMatchObject({ status: 400, error: 'invalid_request' })
  })

  test('and an audit row says so, beside that of the refusal', async () => {
    await world.redeem(used.code, { code_verifier: verifier })
    expect(await auditOf('oauth.security.code_reuse_detected')).toMatchObject([
      { client_id: 'web', outcome: 'denied', severity: 'high', reason: 'code_reused' },
    ])
    expect(await auditOf('token.refused')).toMatchObject([{ reason: 'code_reused' }])
  })
})

describe('nobody else can end it so:', () => {
  const strangers = [
    { name: 'another client', headers: basic('other-web', secret), status: 400 },
    { name: 'a wrong secret', headers: basic('web', 'wrong'), status: 401 },
    { name: 'nobody', headers: {}, status: 401 },
    { name: 'a public client', headers: {}, form: { client_id: 'spa' }, status: 400 },
  ]
  for (const { name, headers, form = {}, status } of strangers) {
    test(name, async () => {
      const whole = { code_verifier: verifier, ...form }
      expect((await world.redeem(used.code, whole, headers)).status).toBe(status)
      expect(await isAlive()).toEqual([true, true, true])
    })
  }
})

describe('of a code that is used twice at once', () => {
  test.each([2, 20])('%i times, one has tokens at most, and they are dead', async (times) => {
    const code = await world.code(bound)
    const all = await Promise.all(
      Array.from({ length: times }, () => world.redeem(code, { code_verifier: verifier }, asWeb)),
    )
    const served = all.filter(({ status }) => status === 200)
    expect(served.length).toBeLessThanOrEqual(1)
    expect(all.filter(({ json }) => json['error'] === 'invalid_grant')).toHaveLength(
      times - served.length,
    )
    for (const { json } of served) {
      expect(await world.introspect(json['access_token'])).toEqual(DEAD)
      expect(refusalOf(await world.refresh(json['refresh_token']))).toEqual(REFUSED)
    }
  })
})

test('the alarm is on record, however much noise came from the same address before', async () => {
  const noisy = await peopledAuthority({ clock, limits: { failuresPerMinute: 1 } })
  onTestFinished(() => noisy.stop())
  const redirectUri = 'https://spa.example/callback'
  const code = await noisy.code({ ...bound, clientId: 'spa', redirectUri })
  const redeem = () =>
    noisy.redeem(code, { client_id: 'spa', redirect_uri: redirectUri, code_verifier: verifier }, {})
  expect((await redeem()).status).toBe(200)
  for (let n = 0; n < 2; n++) await noisy.post({ grant_type: 'client_credentials' }, {})
  expect((await redeem()).status).toBe(429)
  const [row] = await noisy.withStore((store) => store.auditTail('acme-corp', 1))
  expect(JSON.parse(row?.text ?? '{}')).toMatchObject({
    event: 'oauth.security.code_reuse_detected',
    severity: 'high',
  })
})
