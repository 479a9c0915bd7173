import type { OutgoingHttpHeaders } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { byBasic, guarded, guardValue, inBody } from '../fakes/drop_in.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'
import {
  FORM,
  JSON_BODY,
  sendHttp,
  type Answer,
  type HttpWish,
} from '../fakes/running_authority.ts'

let broker: ListeningBroker

beforeEach(async () => {
  broker = await listeningBroker({ dropIn: guarded })
})

afterEach(() => broker.close())

const P = '/t/acme-corp/api/v1'
const bearer = { authorization: 'Bearer a.b.c' }

const send = ({ headers, ...wish }: HttpWish = {}): Promise<Answer> =>
  sendHttp(broker.port, { path: `${P}/agents/me`, headers: { ...bearer, ...headers }, ...wish })

const outcomeOf = ({ status, json }: Answer) => [status, json['code']]

describe('what goes on', () => {
  test.each([
    ['GET', `${P}/oauth/userinfo`],
    ['POST', `${P}/oauth/userinfo`],
    ['POST', `${P}/oauth/revoke`],
    ['GET', '/orgs/acme-corp/api/v1/agents/me'],
    ['POST', `${P}/agents/ask`],
    ['GET', `${P}/authz/permissions`],
    ['POST', '/api/v1/authz/check'],
  ])('%s %s', async (method, path) => {
    expect((await send({ method, path })).json).toEqual({ good: true })
    expect(broker.link.asked).toMatchObject([{ method, query: '', totalTimeoutMs: 10_000 }])
  })

  test('whether or not the token routes are on', async () => {
    const off = await listeningBroker()
    try {
      const answer = await sendHttp(off.port, { path: `${P}/agents/me`, headers: bearer })
      expect(answer.status).toBe(200)
    } finally {
      await off.close()
    }
  })

  test("the caller's own headers, as far as the authority needs them, and none of ours", async () => {
    const passed = {
      authorization: 'Bearer a.b.c',
      'content-type': 'application/json',
      accept: 'application/json, */*',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    }
    await send({
      method: 'POST',
      path: `${P}/agents/ask`,
      headers: {
        ...passed,
        cookie: 'session=1',
        'x-api-key': 'lmk_1',
        'user-agent': 'agent/1',
        'lumo-broker': 'true',
        tracestate: 'a=b',
        'accept-encoding': 'gzip',
        'content-encoding': 'Identity',
      },
      body: '{"action":"x"}',
    })
    expect(broker.link.asked[0]?.headers).toEqual(passed)
    expect(Buffer.from(broker.link.asked[0]?.body ?? '').toString()).toBe('{"action":"x"}')
  })

  test.each([
    '00-00000000000000000000000000000000-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01',
    '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    'canary',
  ])('no traceparent %s', async (traceparent) => {
    await send({ headers: { traceparent } })
    expect(broker.link.asked[0]?.headers).toEqual(bearer)
  })

  test('a body byte for byte', async () => {
    const body = Buffer.from([0, 255, 10, 13, 128])
    await send({
      method: 'POST',
      path: `${P}/agents/x`,
      headers: { 'content-type': 'application/octet-stream' },
      body,
    })
    expect(Buffer.from(broker.link.asked[0]?.body ?? '')).toEqual(body)
  })

  test.each(['a=b&c=%2f', 'a', `a=${'x'.repeat(2_046)}`, '!$&()*+,;=:@/?'])(
    'a query of a GET: %s',
    async (query) => {
      await send({ path: `/api/v1/authz/permissions?${query}` })
      expect(broker.link.asked[0]?.query).toBe(query)
    },
  )
})

describe('what is refused', () => {
  test.each<[string, OutgoingHttpHeaders, readonly unknown[]]>([
    ['an empty one', { authorization: '' }, [401, 'authorization_missing']],
    ['a scheme alone', { authorization: 'Bearer' }, [401, 'authorization_missing']],
    ['another scheme', { authorization: 'Negotiate abc' }, [401, 'authorization_missing']],
    ['two credentials in one', { authorization: 'Bearer a b' }, [401, 'authorization_missing']],
    ['the scheme DPoP', { authorization: 'DPoP a.b.c' }, [400, 'dpop_not_forwarded']],
    ['a DPoP proof', { dpop: 'a.b.c' }, [400, 'dpop_not_forwarded']],
    [
      'two media types',
      { 'content-type': ['text/plain', 'application/json'] as never },
      [400, 'body_malformed'],
    ],
    ['a body that is compressed', { 'content-encoding': 'gzip' }, [400, 'media_type']],
    ['an encoding that is none', { 'content-encoding': '' }, [400, 'media_type']],
    ['two encodings', { 'content-encoding': 'identity, gzip' }, [400, 'media_type']],
    ['what a proxy adds', { 'x-forwarded-for': '10.0.0.1' }, [403, 'forwarded_request']],
    ['what a browser adds', { origin: 'http://attacker.example' }, [403, 'forwarded_request']],
    ['another host', { host: 'attacker.example' }, [403, 'host_not_allowed']],
  ])('%s', async (_name, headers, expected) => {
    const answer = await send({ headers })
    expect(outcomeOf(answer)).toEqual(expected)
    expect(answer.headers['www-authenticate']).toBe(expected[0] === 401 ? 'Bearer' : undefined)
    expect(broker.link.asked).toEqual([])
  })

  test('no Authorization', async () => {
    const answer = await sendHttp(broker.port, { path: `${P}/agents/me` })
    expect(outcomeOf(answer)).toEqual([401, 'authorization_missing'])
    expect(broker.link.asked).toEqual([])
  })

  test('two Authorization headers', async () => {
    const text = requestText(`GET ${P}/agents/me HTTP/1.1`, [
      `Host: ${broker.host}`,
      'Authorization: Bearer a.b.c',
      'Authorization: Bearer d.e.f',
    ])
    expect((await sendRaw(broker.port, text)).status).toBe(401)
    expect(broker.link.asked).toEqual([])
  })

  test.each<[string, HttpWish, readonly unknown[]]>([
    ['another tenant', { path: '/t/globex/api/v1/agents/me' }, [404, 'tenant_unknown']],
    ['a path of no list', { path: `${P}/admin/agents` }, [404, 'route_unknown']],
    ['a path that climbs', { path: `${P}/agents/../admin` }, [404, 'route_unknown']],
    ['an unreadable escape', { path: `${P}/agents/a%zz` }, [400, 'body_malformed']],
    ['one that is cut off', { path: '/api/v1/authz/a%' }, [400, 'body_malformed']],
    [
      'one in an absolute target',
      { path: `http://attacker.example${P}/agents/%zz` },
      [403, 'host_not_allowed'],
    ],
    ['one elsewhere', { path: '/v1/%zz' }, [403, 'guard_header_missing']],
    ['an encoded slash', { path: `${P}/agents/a%2fb` }, [404, 'route_unknown']],
    ['introspection', { method: 'POST', path: `${P}/oauth/introspect` }, [404, 'route_unknown']],
    ['PUT', { method: 'PUT' }, [405, 'method_not_allowed']],
    ['DELETE', { method: 'DELETE', path: `${P}/agents/1` }, [405, 'method_not_allowed']],
    ['OPTIONS', { method: 'OPTIONS' }, [405, 'method_not_allowed']],
    ...['TRACE', 'PROPFIND', 'QUERY'].map((method): [string, HttpWish, readonly unknown[]] => [
      method,
      { method },
      [405, 'method_not_allowed'],
    ]),
    ['GET of revocation', { path: `${P}/oauth/revoke` }, [405, 'method_not_allowed']],
    [
      'a query of userinfo',
      { path: `${P}/oauth/userinfo?access_token=x` },
      [400, 'query_not_forwarded'],
    ],
    [
      'a query of a POST',
      { method: 'POST', path: `${P}/agents/ask?a=b` },
      [400, 'query_not_forwarded'],
    ],
    [
      'a query of 2 049 characters',
      { path: `${P}/agents/me?${'x'.repeat(2_049)}` },
      [400, 'query_not_forwarded'],
    ],
    [
      'a body of more than 64 KiB',
      { method: 'POST', headers: JSON_BODY, body: 'x'.repeat(65_537) },
      [413, 'body_too_large'],
    ],
  ])('%s', async (_name, wish, expected) => {
    expect(outcomeOf(await send(wish))).toEqual(expected)
    expect(broker.link.asked).toEqual([])
  })
})

describe('a revocation', () => {
  const path = `${P}/oauth/revoke`
  const revoke = (form: Readonly<Record<string, string>>, headers: OutgoingHttpHeaders = {}) =>
    sendHttp(broker.port, {
      method: 'POST',
      path,
      headers: { ...FORM, ...headers },
      body: new URLSearchParams(form).toString(),
    })
  const token = 'a.b.c'

  test.each<[string, Readonly<Record<string, string>>, OutgoingHttpHeaders]>([
    ['in the body', { token, client_id: 'self', client_secret: guardValue }, {}],
    ['by Basic', { token }, byBasic],
  ])(
    'whose client shows the guard value %s goes on as the token alone',
    async (_name, form, headers) => {
      expect((await revoke({ ...form, token_type_hint: 'access_token' }, headers)).status).toBe(200)
      const [asked] = broker.link.asked
      expect(asked?.headers).toEqual(FORM)
      expect(Buffer.from(asked?.body ?? '').toString()).toBe(
        `token=${token}&token_type_hint=access_token`,
      )
    },
  )

  test.each<[string, Readonly<Record<string, string>>, OutgoingHttpHeaders]>([
    ['a bearer token', { token }, bearer],
    ['credentials of the authority', { token }, { authorization: 'Basic d2ViOnNlY3JldA==' }],
  ])('whose client shows %s goes on as it is', async (_name, form, headers) => {
    await revoke(form, headers)
    expect(broker.link.asked[0]?.headers).toEqual({ ...FORM, ...headers })
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['nothing', { token }],
    ['another secret', { token, client_id: 'self', client_secret: 'x' }],
    ['a client_id alone', { token, client_id: 'self' }],
    ['the guard value for another client', { token, client_id: 'web', client_secret: guardValue }],
  ])('whose client shows %s is refused', async (_name, form) => {
    expect(outcomeOf(await revoke(form))).toEqual([401, 'authorization_missing'])
    expect(broker.link.asked).toEqual([])
  })

  test.each<[string, Readonly<Record<string, string>>, OutgoingHttpHeaders]>([
    ['in the body and a bearer token', inBody, bearer],
    ['in the body and credentials', inBody, { authorization: 'Basic d2ViOnNlY3JldA==' }],
    ['in the body and another scheme', inBody, { authorization: 'Negotiate abc' }],
    ['by Basic and another secret', { client_id: 'self', client_secret: 'x' }, byBasic],
  ])('whose client shows the guard value %s is refused', async (_name, shown, headers) => {
    expect(outcomeOf(await revoke({ token, ...shown }, headers))).toEqual([400, 'client_twice'])
    // Without a token, too, the guard value goes nowhere.
    expect(outcomeOf(await revoke({ ...shown }, headers))).toEqual([400, 'client_twice'])
    expect(broker.link.asked).toEqual([])
  })

  test('that is encoded is refused, whatever its client shows', async () => {
    const encoding = { 'content-encoding': 'gzip' }
    expect(outcomeOf(await revoke({ token, ...inBody }, encoding))).toEqual([400, 'media_type'])
    expect(broker.link.asked).toEqual([])
  })

  /** The token that `/v1/token` serves. */
  const served = async () => {
    const request = ['Lumo-Broker: true', `Host: ${broker.host}`]
    const { body } = await sendRaw(broker.port, requestText('GET /v1/token HTTP/1.1', request))
    return (JSON.parse(body) as { access_token: string }).access_token
  }

  test.each([
    { name: 'of what is held here', status: 200, other: undefined, isKept: false },
    { name: 'of something else', status: 200, other: 'a.b.c', isKept: true },
    { name: 'that the authority refused', status: 401, other: undefined, isKept: true },
  ])('$name: the same token is served after it: $isKept', async ({ status, other, isKept }) => {
    const held = await served()
    broker.link.answer({ status })
    await revoke({ token: other ?? held }, { authorization: `Bearer ${held}` })
    expect((await served()) === held).toBe(isKept)
  })
})
