import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ACCESS } from '../fakes/acting.ts'
import { memberOf } from '../../src/exchange/introspection.ts'
import { TENANT_ISSUER } from '../fakes/acting_world.ts'
import { FakeClock } from '../fakes/clock.ts'
import { claimsOf, userToken } from '../fakes/delegating.ts'
import type { Answer } from '../fakes/running_authority.ts'
import { mutation, rubbish } from '../fuzz/mutations.ts'
import { share } from '../fuzz/share.ts'
import { actingBroker, GUARD, type ActingBroker } from './delegation_places.ts'
import { describedBroker, sendTo } from './described.ts'

const contract = describedBroker()
const clock = new FakeClock()
let broker: ActingBroker

beforeAll(async () => {
  broker = await actingBroker()
})

afterAll(() => broker.close())

const good = userToken(clock, { sub: 'user_of_the_test', act: { sub: 'agent:first' } })

/** Claims of a subject token, each of them right or odd. */
const composedToken = fc
  .record(
    {
      iss: fc.oneof({ weight: 8, arbitrary: fc.constant<unknown>(TENANT_ISSUER) }, fc.jsonValue()),
      sub: fc.oneof(fc.constant('user_b'), fc.string(), fc.jsonValue()),
      client_id: fc.oneof(fc.constantFrom('app', 'doc-analyst'), fc.jsonValue()),
      act: fc.oneof(
        fc.constantFrom<unknown>({ sub: 'agent:doc-analyst' }, { sub: 'a', act: { sub: 'b' } }),
        fc.jsonValue(),
      ),
      exp: fc.oneof(
        fc.constantFrom<unknown>(clock.now + 600, clock.now + 10, 1e308, -0.5, 1e15),
        fc.double(),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  )
  .map((claims) => userToken(clock, claims))

const token = fc.oneof(
  fc.constant(good),
  mutation.map((mutate) => mutate(good)),
  composedToken,
  rubbish,
)
const text = fc.oneof(fc.constantFrom('a', 'urn:a', 'read:documents', ''), fc.string(), rubbish)
const tokenType = fc.oneof({ weight: 5, arbitrary: fc.constant(ACCESS) }, text)

/** Members of a request; where there is a session, it is the broker's own by the word `SESSION`. */
const members = fc.record(
  {
    subject_token: token,
    subject_token_type: tokenType,
    session: fc.oneof(fc.constant('SESSION'), text),
    audience: fc.oneof(text, fc.array(text, { maxLength: 4 })),
    resource: text,
    scope: text,
    agent: text,
    actor_token: token,
  },
  { requiredKeys: [] },
)

type Members = Readonly<Record<string, string | readonly string[] | undefined>>

const formOf = (body: Members) =>
  new URLSearchParams(
    Object.entries(body).flatMap(([name, value]) =>
      [value ?? []].flat().map((one): [string, string] => [name, one]),
    ),
  ).toString()

const usual = { subject_token: good, subject_token_type: ACCESS }
const body = fc.oneof(
  token.map((subject_token) => formOf({ ...usual, subject_token })),
  members.map(formOf),
  members.map((each) => JSON.stringify(each)),
  mutation.map((mutate) => mutate(formOf({ ...usual, audience: 'a', scope: 'b' }))),
  mutation.map((mutate) => mutate(JSON.stringify({ ...usual, audience: ['a'] }))),
  fc.json(),
  rubbish,
)

const type = fc.constantFrom(
  'application/x-www-form-urlencoded',
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'a',
)
const path = fc.constantFrom('/v1/exchange', '/v1/exchange', '/v1/sessions')

/** Holds an answer against the description; whoever gets a token gets one of whom they have shown. */
async function judge(method: string, path: string, answer: Answer, sent: string): Promise<void> {
  const said = { status: answer.status, code: answer.json['code'] }
  expect(said).not.toMatchObject({ status: 500 })
  if (contract.find(method, path))
    expect([said, contract.faultsOf(method, path, answer)]).toEqual([said, []])
  if (answer.status === 201) {
    const ended = { method: 'DELETE', path: `/v1/sessions/${String(answer.json['session'])}` }
    expect((await sendTo(broker, { ...ended, headers: GUARD })).status).toBe(204)
  }
  if (answer.status !== 200) return
  const { sub } = claimsOf(String(answer.json['access_token']))
  expect(answer.json['sub']).toBe(sub)
  expect(subjectsIn(sent)).toContain(sub)
}

/** Of all that a body could be read as; a mark of byte order before it counts for nothing. */
function subjectsIn(sent: string): readonly unknown[] {
  if (sent.includes(broker.session)) return ['user_a']
  const read = sent.replace(/^\uFEFF/, '')
  const ofForm = new URLSearchParams(read).get('subject_token')
  return [ofForm, memberOf(read, 'subject_token')].map((shown) =>
    typeof shown === 'string' ? claimsOf(shown)['sub'] : undefined,
  )
}

test('a body: never a fault of ours, always as described, and never for another subject', async () => {
  await fc.assert(
    fc.asyncProperty(path, body, type, async (path, text, type) => {
      const sent = text.replaceAll('SESSION', broker.session)
      const headers = { ...GUARD, 'content-type': type }
      const answer = await sendTo(broker, { method: 'POST', path, body: sent, headers })
      await judge('POST', path, answer, sent)
    }),
    share(0.05),
  )
})

test('a name in a path: never a fault of ours, always as described, and nothing for one that is not right', async () => {
  const { session } = broker
  const handle = String(broker.request('handle').path).slice('/v1/exchange/'.length)
  const name = fc.oneof(
    mutation.map((mutate) => mutate(session)),
    mutation.map((mutate) => mutate(handle)),
    rubbish,
    rubbish.map((text) => encodeURIComponent(text.toWellFormed())),
  )
  await fc.assert(
    fc.asyncProperty(fc.boolean(), name, async (isHandle, name) => {
      // What no client would send, and what is right all the same once it is left out.
      const written = name.replaceAll(/[^\x21-\x7e]/g, '')
      fc.pre(written !== session && written !== handle)
      const [method, path] = isHandle
        ? ['GET', `/v1/exchange/${written}`]
        : ['DELETE', `/v1/sessions/${written}`]
      const answer = await sendTo(broker, { method, path, headers: GUARD })
      expect([400, 404, 405, 431]).toContain(answer.status)
      await judge(method, path, answer, '')
    }),
    share(0.025),
  )
})
