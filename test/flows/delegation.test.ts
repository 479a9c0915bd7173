import { decodeJwt } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { beginSession, exchangeAs, sendAs, subjectForm } from '../fakes/acting.ts'
import type { RevocationRecord } from '../../src/store/records.ts'
import { FakeClock } from '../fakes/clock.ts'
import { peopledAuthority, type Peopled } from '../fakes/peopled_authority.ts'
import { docs, type Answer } from '../fakes/running_authority.ts'
import { runBroker, type ComposedBroker } from '../fakes/running_broker.ts'

/** An authority and brokers with one clock: real sockets, and time that passes as the tests say. */
let clock: FakeClock
let authority: Peopled
let broker: ComposedBroker
let second: ComposedBroker
let userToken: string

beforeAll(async () => {
  clock = new FakeClock()
  authority = await peopledAuthority({ clock })
  await authority.allow('user_a', 'doc-analyst', ['read:documents'])
  await authority.allow('user_a', 'orchestrator', ['read:documents', 'read:reports'])
  await authority.allow('user_a', 'specialist', ['read:documents'])
  broker = await runBroker(authority, 'doc-analyst', {
    clock,
    broker: { delegation: { sessionIdle: 60 } },
  })
  second = await runBroker(authority, 'orchestrator', { clock })
})

afterAll(async () => {
  await broker.stop()
  await second.stop()
  await authority.stop()
})

beforeEach(async () => {
  userToken = await authority.userToken({ scope: 'read:documents read:reports' })
})

const codeOf = ({ status, json }: Answer) => [status, json['code']]
const tokenIn = ({ json, text }: Answer): string => {
  if (typeof json['access_token'] !== 'string') throw new Error(text)
  return json['access_token']
}

/** Lets a second pass again and again, until it is so. */
async function inTime(isSo: () => Promise<void>): Promise<void> {
  await vi.waitFor(
    async () => {
      clock.advance(1_000)
      await isSo()
    },
    { timeout: 20_000, interval: 20 },
  )
}

describe('acting for a user', () => {
  test('by a subject token: the token, its end and the chain', async () => {
    const answer = await exchangeAs(broker, {
      ...subjectForm(userToken),
      audience: docs,
      scope: 'read:documents',
    })
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({
      access_token: expect.any(String) as string,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: expect.any(Number) as number,
      scope: 'read:documents',
      sub: 'user_a',
      act: {
        sub: 'agent:doc-analyst',
        iss: 'https://auth.example/t/acme-corp/api/v1',
        client_id: 'doc-analyst',
      },
      actor_chain: ['agent:doc-analyst'],
    })
    expect(decodeJwt(tokenIn(answer))).toMatchObject({
      sub: 'user_a',
      aud: docs,
      scope: 'read:documents',
      act: { sub: 'agent:doc-analyst' },
    })
  })

  test('the same again comes from what is held', async () => {
    const form = { ...subjectForm(userToken), audience: docs, scope: 'read:documents' }
    const one = await exchangeAs(broker, form)
    const two = await exchangeAs(broker, form)
    expect(tokenIn(two)).toBe(tokenIn(one))
  })

  test('two hops: the chain grows, in the order of delegation', async () => {
    const first = await exchangeAs(second, { ...subjectForm(userToken), scope: 'read:documents' })
    const answer = await exchangeAs(broker, {
      ...subjectForm(tokenIn(first)),
      audience: docs,
      scope: 'read:documents',
    })
    expect(answer.json).toMatchObject({
      sub: 'user_a',
      act: { sub: 'agent:doc-analyst', act: { sub: 'agent:orchestrator' } },
      actor_chain: ['agent:orchestrator', 'agent:doc-analyst'],
    })
  })

  test.each<[string, (token: string) => Promise<Answer>, readonly unknown[]]>([
    ['nobody', () => exchangeAs(broker, { audience: docs }), [400, 'subject_missing']],
    [
      'itself',
      async () => exchangeAs(broker, subjectForm(await authority.agentToken('doc-analyst'))),
      [400, 'subject_own'],
    ],
    ['a text', () => exchangeAs(broker, subjectForm('abc')), [400, 'subject_foreign']],
    [
      'a user of another tenant',
      () => {
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
        const iss = 'https://auth.example/t/globex/api/v1'
        const claims = { iss, sub: 'user_a', exp: clock.now + 600 }
        return exchangeAs(broker, subjectForm(`${part({ alg: 'ES256' })}.${part(claims)}.AAAA`))
      },
      [400, 'subject_foreign'],
    ],
    [
      'a forged user',
      (token) => exchangeAs(broker, subjectForm(token.replace(/\.[^.]*$/, `.${'A'.repeat(86)}`))),
      [400, 'exchange_refused'],
    ],
    [
      'more than the user has',
      (token) =>
        exchangeAs(broker, { ...subjectForm(token), audience: docs, scope: 'write:documents' }),
      [400, 'exchange_refused'],
    ],
    [
      'a subject and a session',
      (token) => exchangeAs(broker, { ...subjectForm(token), session: 'a' }),
      [400, 'subject_twice'],
    ],
    [
      'a session, and what a subject is',
      () =>
        exchangeAs(broker, {
          session: 'a',
          subject_token_type: subjectForm('')['subject_token_type'] ?? '',
        }),
      [400, 'subject_twice'],
    ],
    [
      'a subject of no type',
      (token) => exchangeAs(broker, { subject_token: token }),
      [400, 'subject_missing'],
    ],
    [
      'what nobody knows',
      (token) => exchangeAs(broker, { ...subjectForm(token), actor_token: 'a' }),
      [400, 'parameter_unknown'],
    ],
  ])('is refused: %s', async (_what, ask, expected) => {
    expect(codeOf(await ask(userToken))).toEqual(expected)
  })
})

describe('a session', () => {
  test('holds tokens, and ends with them', async () => {
    const session = await beginSession(broker, userToken)
    const answer = await exchangeAs(broker, { session, audience: docs, scope: 'read:documents' })
    const token = tokenIn(answer)
    expect((await authority.introspect(token))['active']).toBe(true)
    const ended = await sendAs(broker, 'DELETE', `/v1/sessions/${session}`)
    expect([ended.status, ended.text]).toEqual([204, ''])
    expect((await authority.introspect(token))['active']).toBe(false)
    expect(codeOf(await exchangeAs(broker, { session, audience: docs }))).toEqual([
      404,
      'session_unknown',
    ])
    expect(codeOf(await sendAs(broker, 'DELETE', `/v1/sessions/${session}`))).toEqual([
      404,
      'session_unknown',
    ])
    // The user's own token is none of its business.
    expect((await authority.introspect(userToken))['active']).toBe(true)
  })

  test('ends what another agent came by through it, within 30 s', async () => {
    const session = await beginSession(second, userToken)
    const handed = tokenIn(await exchangeAs(second, { session, scope: 'read:documents' }))
    const form = { ...subjectForm(handed), audience: docs, scope: 'read:documents' }
    expect((await exchangeAs(broker, form)).status).toBe(200)
    expect((await sendAs(second, 'DELETE', `/v1/sessions/${session}`)).status).toBe(204)
    const endedAt = clock.monotonic()
    await inTime(async () => {
      expect(codeOf(await exchangeAs(broker, form))).toEqual([400, 'exchange_refused'])
    })
    expect(clock.monotonic() - endedAt).toBeLessThanOrEqual(30_000)
  })

  test('ends with idle time, and its tokens with it', async () => {
    const session = await beginSession(broker, userToken)
    const token = tokenIn(
      await exchangeAs(broker, { session, audience: docs, scope: 'read:documents' }),
    )
    clock.advance(59_000)
    expect(
      (await exchangeAs(broker, { session, audience: docs, scope: 'read:documents' })).status,
    ).toBe(200)
    clock.advance(60_000)
    expect(codeOf(await exchangeAs(broker, { session, audience: docs }))).toEqual([
      404,
      'session_unknown',
    ])
    await inTime(async () => {
      expect((await authority.introspect(token))['active']).toBe(false)
    })
  })

  test('of another pod, and of an earlier run', async () => {
    const session = await beginSession(broker, userToken)
    expect(codeOf(await exchangeAs(second, { session }))).toEqual([404, 'session_lost'])
    const other = await runBroker(authority, 'doc-analyst', { clock })
    expect(codeOf(await exchangeAs(other, { session }))).toEqual([404, 'session_lost'])
    await other.stop()
  })
})

describe('a user who has yet to agree', () => {
  const ask = async (sub: string) => {
    const token = await authority.userToken({ clientId: 'other-web', scope: 'read:documents' }, sub)
    const form = { ...subjectForm(token), audience: docs, scope: 'read:documents' }
    return { form, answer: await exchangeAs(broker, form) }
  }
  const decide = (approval: unknown, decision: 'approved' | 'denied') =>
    authority.withStore((store) =>
      store.decideApproval('acme-corp', 'user_b', String(approval), decision, clock.now),
    )

  test('a handle, and the token once they have', async () => {
    const { form, answer } = await ask('user_b')
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({
      status: 'pending',
      handle: expect.any(String) as string,
      approval: expect.any(String) as string,
      expires_in: 600,
    })
    const path = `/v1/exchange/${String(answer.json['handle'])}`
    expect(answer.headers['location']).toBe(path)
    expect((await exchangeAs(broker, form)).json['handle']).toBe(answer.json['handle'])
    expect((await sendAs(broker, 'GET', path)).status).toBe(202)
    expect(codeOf(await sendAs(second, 'GET', path))).toEqual([404, 'handle_lost'])
    await decide(answer.json['approval'], 'approved')
    await inTime(async () => {
      expect((await sendAs(broker, 'GET', path)).json).toMatchObject({
        status: 'approved',
        sub: 'user_b',
        scope: 'read:documents',
        actor_chain: ['agent:doc-analyst'],
      })
    })
    expect((await exchangeAs(broker, form)).status).toBe(200)
  })
})

describe('a revocation', () => {
  const form = (session: string) => ({ session, audience: docs, scope: 'read:documents' })
  const revoke = (kind: RevocationRecord['kind'], value: string) =>
    authority.withStore((store) =>
      store.revoke([
        { tenant: 'acme-corp', kind, value, notBefore: clock.now, expiresAt: clock.now + 86_400 },
      ]),
    )

  test.each<[RevocationRecord['kind'], (token: string) => unknown, readonly unknown[]]>([
    ['grant', (token) => decodeJwt(token)['grant_id'], [400, 'exchange_refused']],
    ['jti', (token) => decodeJwt(token).jti, [200, undefined]],
    ['subject', (token) => decodeJwt(token).sub, [400, 'exchange_refused']],
  ])('of the %s reaches what is held within 30 s', async (kind, valueOf, after) => {
    const session = await beginSession(broker, userToken)
    const token = tokenIn(await exchangeAs(broker, form(session)))
    await revoke(kind, String(valueOf(token)))
    const revokedAt = clock.monotonic()
    await inTime(async () => {
      const answer = await exchangeAs(broker, form(session))
      expect(answer.json['access_token']).not.toBe(token)
      expect(codeOf(answer)).toEqual(after)
    })
    expect(clock.monotonic() - revokedAt).toBeLessThanOrEqual(30_000)
    // Tokens of the next test are not of this second.
    clock.advance(1_000)
  })
})
