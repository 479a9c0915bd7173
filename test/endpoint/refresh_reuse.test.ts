import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FakeClock } from '../fakes/clock.ts'
import { asWeb, peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { refusalOf } from '../fakes/refusal_cases.ts'
import { basic, docs, secret, type Answer, type Json } from '../fakes/running_authority.ts'

const clock = new FakeClock()
let world: Peopled

beforeAll(async () => {
  world = await peopledAuthority({ clock })
})

afterAll(() => world.stop())

const REFUSED = { status: 400, error: 'invalid_grant', code: undefined }
const DEAD = { active: false }

/** Of a user who has just signed in. */
let first: string
let access: unknown

beforeEach(async () => {
  const tokens = await world.signIn({ scope: 'openid read:documents' })
  first = String(tokens['refresh_token'])
  access = tokens['access_token']
})

const successorOf = ({ status, json, text }: Answer): string => {
  if (status !== 200) throw new Error(text)
  return String(json['refresh_token'])
}
const refreshed = async (token: string) => successorOf(await world.refresh(token))

async function refused(answer: Promise<Answer>, reason: string): Promise<void> {
  expect(refusalOf(await answer)).toEqual(REFUSED)
  expect(world.log.lines.at(-1)?.fields['reason']).toBe(reason)
}

const alarms = async (): Promise<readonly Json[]> => {
  const rows = await world.withStore((store) => store.auditTail('acme-corp', 1_000))
  return rows
    .map(({ text }) => JSON.parse(text) as Json)
    .filter(({ event }) => event === 'oauth.security.refresh_reuse_detected')
}

describe('inside the window, an old token brings', () => {
  test('the very same successor, and access tokens of their own', async () => {
    const answers = [await world.refresh(first)]
    for (const ms of [0, 5_000, 4_999]) {
      clock.advance(ms)
      answers.push(await world.refresh(first))
    }
    expect(new Set(answers.map(successorOf)).size).toBe(1)
    expect(new Set(answers.map(({ json }) => json['access_token'])).size).toBe(4)
    expect((await world.refresh(successorOf(answers[0] as Answer))).status).toBe(200)
  })

  test('the same one to 50 that ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => world.refresh(first)))
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    expect(new Set(answers.map(successorOf)).size).toBe(1)
    const [one] = answers
    expect(await world.introspect(one && successorOf(one), 'web')).toMatchObject({ active: true })
    expect(await world.introspect(first, 'web')).toEqual(DEAD)
  })

  test('nothing to another client, and that ends nothing', async () => {
    const successor = await refreshed(first)
    const asOther = basic('other-web', secret)
    await refused(world.refresh(first, {}, asOther), 'refresh_of_another_client')
    await refused(world.refresh(successor, {}, asOther), 'refresh_of_another_client')
    expect(await refreshed(first)).toBe(successor)
  })

  test('a narrower scope, if that is asked for', async () => {
    const successor = await refreshed(first)
    const { json } = await world.refresh(first, { scope: 'read:documents' })
    expect(json).toMatchObject({ scope: 'read:documents', refresh_token: successor })
  })
})

describe('the window ends with the first use of the successor:', () => {
  test('the old token is refused, and nothing is ended', async () => {
    const second = await refreshed(first)
    const third = await refreshed(second)
    clock.advance(5_000)
    await refused(world.refresh(first), 'refresh_late')
    expect(await world.introspect(access)).toMatchObject({ active: true })
    // Another answer that was lost: the second token still has its window.
    expect(await refreshed(second)).toBe(third)
    const fourth = await refreshed(third)
    await refused(world.refresh(second), 'refresh_late')
    clock.advance(60_000)
    expect((await world.refresh(fourth)).status).toBe(200)
  })

  test('as it is for each that is older still', async () => {
    const tokens = [first]
    for (let n = 0; n < 5; n++) tokens.push(await refreshed(tokens.at(-1) ?? ''))
    for (const token of tokens.slice(0, 4)) await refused(world.refresh(token), 'refresh_late')
    expect((await world.refresh(tokens.at(-1))).status).toBe(200)
  })
})

interface Reuse {
  readonly name: string
  /** How many tokens follow on the one that comes back. */
  readonly followers: number
  readonly afterMs: number
}

const reuses: readonly Reuse[] = [
  { name: 'as its window ends', followers: 1, afterMs: 10_000 },
  { name: 'a day later', followers: 1, afterMs: 86_400_000 },
  { name: 'when its successor was used', followers: 2, afterMs: 10_000 },
  { name: 'when it is long forgotten', followers: 30, afterMs: 10_000 },
]

describe('after its window, an old token ends its family', () => {
  for (const { name, followers, afterMs } of reuses) {
    test(name, async () => {
      const answers: Json[] = []
      let token = first
      for (let n = 0; n < followers; n++) {
        const answer = await world.refresh(token)
        answers.push(answer.json)
        token = successorOf(answer)
      }
      const narrowed = await world.exchange({ subject_token: String(access), audience: docs })
      const derived = narrowed.json['access_token']
      expect(await world.introspect(derived)).toMatchObject({ active: true })
      clock.jump(afterMs)
      const before = (await alarms()).length

      await refused(world.refresh(first), 'refresh_reused')
      for (const one of [access, derived, ...answers.map((json) => json['access_token'])]) {
        expect(await world.introspect(one)).toEqual(DEAD)
      }
      expect(await world.introspect(token, 'web')).toEqual(DEAD)
      await refused(world.refresh(token), 'refresh_revoked')
      const rows = await alarms()
      expect(rows.slice(before)).toMatchObject([
        { client_id: 'web', subject: 'user_a', grant: 'refresh_token', severity: 'high' },
      ])
    })
  }

  test('one millisecond before that it does not', async () => {
    const second = await refreshed(first)
    clock.jump(9_999)
    expect(await refreshed(first)).toBe(second)
  })

  test('but no other family of the same user and client', async () => {
    const other = String((await world.signIn())['refresh_token'])
    await refreshed(first)
    clock.advance(10_000)
    await refused(world.refresh(first), 'refresh_reused')
    expect((await world.refresh(other)).status).toBe(200)
  })

  test('and of 20 that come back at once none has a token', async () => {
    const second = await refreshed(first)
    clock.advance(10_000)
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.refresh(first)))
    expect(answers.map(refusalOf)).toEqual(Array.from({ length: 20 }, () => REFUSED))
    await refused(world.refresh(second), 'refresh_revoked')
  })
})

const strangers = [
  { name: 'another client', headers: basic('other-web', secret), status: 400 },
  { name: 'a public client', headers: {}, form: { client_id: 'spa' }, status: 400 },
  { name: 'its client with a wrong secret', headers: basic('web', 'wrong'), status: 401 },
  { name: 'its client without a secret', headers: {}, form: { client_id: 'web' }, status: 401 },
  { name: 'a client without the grant', headers: basic('service_b', secret), status: 400 },
  { name: 'nobody', headers: {}, status: 401 },
]

describe('an old token ends nothing when it is shown by', () => {
  for (const { name, headers, form = {}, status } of strangers) {
    test(name, async () => {
      const second = await refreshed(first)
      clock.advance(20_000)
      const before = (await alarms()).length
      expect((await world.refresh(first, form, headers)).status).toBe(status)
      expect(await alarms()).toHaveLength(before)
      expect(await world.introspect(access)).toMatchObject({ active: true })
      expect((await world.refresh(second, {}, asWeb)).status).toBe(200)
    })
  }
})

test('a false secret behind a real id ends nothing, and is no reuse', async () => {
  const second = await refreshed(first)
  clock.advance(20_000)
  const made = `${first.slice(0, -5)}AAAAA`
  await refused(world.refresh(made), 'refresh_unknown')
  expect((await world.refresh(second)).status).toBe(200)
})
