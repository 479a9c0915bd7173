import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TENANT_ISSUER } from '../fakes/acting_world.ts'
import { ACCESS } from '../fakes/acting.ts'
import { proofOf, settled } from '../fakes/broker.ts'
import { userToken } from '../fakes/delegating.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'
import { actingBroker, type ActingBroker } from './delegation_places.ts'

let broker: ActingBroker
let guard: readonly string[]

beforeEach(async () => {
  broker = await actingBroker()
  guard = [`Host: ${broker.host}`, 'Lumo-Broker: true']
})

afterEach(() => broker.close())

type Claims = Readonly<Record<string, unknown>>

const FORM = 'Content-Type: application/x-www-form-urlencoded'
const JSON_TYPE = 'Content-Type: application/json'

async function outcomeOf(line: string, more: readonly string[] = [], body?: string) {
  const answer = await sendRaw(
    broker.port,
    requestText(`${line} HTTP/1.1`, [...guard, ...more], body),
  )
  const { code = '' } = (answer.body === '' ? {} : JSON.parse(answer.body)) as { code?: string }
  return [answer.status, code]
}

const subjectForm = (token: string) =>
  new URLSearchParams({ subject_token: token, subject_token_type: ACCESS }).toString()

describe('a name in a path that is none', () => {
  const names: readonly (readonly [name: string, outcome: readonly unknown[]])[] = [
    ['', [404, 'unknown']],
    ['..', [404, 'unknown']],
    ['%2e%2e', [404, 'unknown']],
    ['%2e%2e%2ftoken', [404, 'unknown']],
    ['a%2fb', [404, 'unknown']],
    ['%00', [404, 'unknown']],
    ['%C3%A4', [404, 'unknown']],
    ['a;b', [404, 'unknown']],
    ['__proto__', [404, 'unknown']],
    ['a'.repeat(52), [404, 'unknown']],
    ['a'.repeat(101), [400, 'body_malformed']],
    ['a'.repeat(12_000), [400, 'body_malformed']],
    ['a'.repeat(17_000), [431, '']],
    ['%zz', [400, 'body_malformed']],
    ['%C3', [400, 'body_malformed']],
    ['a?b=c', [400, 'parameter_unknown']],
    ['a?', [400, 'parameter_unknown']],
    ['a/b', [404, 'route_unknown']],
    ['/a', [404, 'route_unknown']],
  ]
  test.each(names)('%#: %.20s', async (name, [status, code]) => {
    const of = (kind: string) => [status, code === 'unknown' ? `${kind}_unknown` : code]
    expect(await outcomeOf(`GET /v1/exchange/${name}`)).toEqual(of('handle'))
    expect(await outcomeOf(`DELETE /v1/sessions/${name}`)).toEqual(of('session'))
  })

  test("another's is none, right as it may be: a session is no handle, and a handle no session", async () => {
    const { path = '' } = broker.request('handle')
    const handle = path.slice('/v1/exchange/'.length)
    expect(await outcomeOf(`DELETE /v1/sessions/${handle}`)).toEqual([404, 'session_unknown'])
    expect(await outcomeOf(`GET /v1/exchange/${broker.session}`)).toEqual([404, 'handle_unknown'])
    const spoilt = broker.session.toUpperCase()
    expect(await outcomeOf(`DELETE /v1/sessions/${spoilt}`)).toEqual([404, expect.any(String)])
    expect(await outcomeOf(`DELETE /v1/sessions/${broker.session}`)).toEqual([204, ''])
  })
})

describe('a subject token that is odd', () => {
  const nested = (depth: number): object =>
    depth === 0 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) }
  const odd: readonly (readonly [name: string, claims: Claims, code: string])[] = [
    ['an end of no time', { exp: 1e308 }, 'subject_foreign'],
    ['an end after all JSON', { exp: 1e14 }, 'subject_foreign'],
    ['an end before all time', { exp: -1 }, 'subject_expired'],
    ['an end in words', { exp: '9999999999' }, 'subject_foreign'],
    ['no end', { exp: undefined }, 'subject_foreign'],
    ['a number for a subject', { sub: 1 }, 'subject_foreign'],
    ['several issuers', { iss: [TENANT_ISSUER] }, 'subject_foreign'],
    ['a list of actors', { act: [] }, 'subject_foreign'],
    ['no actor', { act: null }, 'subject_foreign'],
    ['an actor in words', { act: 'agent:a' }, 'subject_foreign'],
    ['an actor without a name', { act: { iss: TENANT_ISSUER } }, 'subject_foreign'],
    ['actors without an end', { act: nested(1_000) }, 'subject_foreign'],
    ['one actor more than are read', { act: nested(8) }, 'subject_foreign'],
  ]
  test.each(odd)('%s', async (_name, claims, code) => {
    const token = userToken(broker.clock, claims)
    expect(await outcomeOf('POST /v1/exchange', [FORM], subjectForm(token))).toEqual([400, code])
    expect(await outcomeOf('POST /v1/sessions', [FORM], subjectForm(token))).toEqual([400, code])
  })

  test.each([
    ['nothing in it', '..'],
    ['letters', 'a.b.c'],
    ['other letters', 'ä.ö.ü'],
    ['NUL', '\0'],
    ['a list', proofOf([] as unknown as Claims)],
    ['60 000 characters', `${'a'.repeat(20_000)}.${'a'.repeat(20_000)}.${'a'.repeat(20_000)}`],
  ])('%s', async (_name, token) => {
    for (const path of ['/v1/exchange', '/v1/sessions']) {
      const outcome = await outcomeOf(`POST ${path}`, [FORM], subjectForm(token))
      expect(outcome).toEqual([400, 'subject_foreign'])
    }
  })
})

describe('a body that is odd', () => {
  test.each([
    [JSON_TYPE, '{"session":"a","session":"b"}', 'body_malformed'],
    [JSON_TYPE, '{"session":["a"]}', 'parameter_malformed'],
    [JSON_TYPE, '{"session":1}', 'parameter_malformed'],
    [JSON_TYPE, '{"session":null}', 'parameter_malformed'],
    [JSON_TYPE, '{"session":""}', 'parameter_malformed'],
    [JSON_TYPE, '{"__proto__":{"session":"a"}}', 'parameter_malformed'],
    [JSON_TYPE, '{"session":"a","audience":{}}', 'parameter_malformed'],
    [JSON_TYPE, '{"session":"a","audience":[["b"]]}', 'parameter_malformed'],
    [JSON_TYPE, '[]', 'body_malformed'],
    [JSON_TYPE, '['.repeat(30_000), 'body_malformed'],
    [JSON_TYPE, '', 'subject_missing'],
    [FORM, '', 'subject_missing'],
    [FORM, 'session=%', 'body_malformed'],
    [FORM, 'session=%00&session=a', 'parameter_repeated'],
    [FORM, 'a&'.repeat(30_000), 'body_malformed'],
    [`${FORM}; charset=latin1`, 'session=a', 'media_type'],
    [`${FORM}\r\n${JSON_TYPE}`, 'session=a', 'media_type'],
    [`${FORM}\r\nContent-Encoding: gzip`, 'session=a', 'media_type'],
    ['X-One: a', 'session=a', 'media_type'],
    [FORM, '{"session":"a"}', 'media_type'],
  ])('%s %.40s: %s', async (type, body, code) => {
    expect(await outcomeOf('POST /v1/exchange', [type], body)).toEqual([400, code])
  })

  test('what was read is not remembered for a request that says more', async () => {
    const body = `session=${broker.session}`
    expect(await outcomeOf('POST /v1/exchange', [FORM], body)).toEqual([200, ''])
    for (const [more, code] of [
      ['DPoP: a', 'dpop_unsupported'],
      [JSON_TYPE, 'media_type'],
      ['Content-Encoding: gzip', 'media_type'],
    ] as const) {
      expect(await outcomeOf('POST /v1/exchange', [FORM, more], body)).toEqual([400, code])
    }
    expect(await outcomeOf('POST /v1/exchange?a=b', [FORM], body)).toEqual([400, 'query_refused'])
  })
})

test('1 000 subject tokens of one caller: each answered, and what is remembered bounded', async () => {
  const codes = new Set<string>()
  for (let at = 0; at < 1_000; at += 1) {
    broker.actFor({ jti: String(at) })
    const { status, json } = await broker.ask('exchange')
    codes.add(`${String(status)} ${String(json['code'])}`)
  }
  expect([...codes]).toEqual(['200 undefined'])
  // 100 without a session, and the one session.
  expect([...broker.workload.subjects.all()]).toHaveLength(101)
})

test('a caller that goes away in mid-exchange costs nobody else the answer', async () => {
  const before = broker.authority.asked.length
  broker.authority.slowDown()
  const { body = '' } = broker.request('exchange')
  const request = requestText('POST /v1/exchange HTTP/1.1', [...guard, FORM], String(body))
  const socket = connect({ host: '127.0.0.1', port: broker.port })
  socket.write(request)
  while (broker.authority.asked.length === before) await settled()
  const other = sendRaw(broker.port, request)
  socket.destroy()
  await settled()
  broker.authority.release()
  expect((await other).status).toBe(200)
  expect(broker.authority.asked).toHaveLength(before + 1)
})
