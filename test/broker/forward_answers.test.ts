import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listeningBroker, settled, type ListeningBroker } from '../fakes/broker.ts'
import { sendHttp, type Answer } from '../fakes/running_authority.ts'

let broker: ListeningBroker

beforeEach(async () => {
  broker = await listeningBroker()
})

afterEach(async () => {
  broker.link.release()
  await broker.close()
})

const P = '/t/acme-corp/api/v1'
const bearer = { authorization: 'Bearer a.b.c' }

const send = (): Promise<Answer> =>
  sendHttp(broker.port, { path: `${P}/agents/me`, headers: bearer })

const outcomeOf = ({ status, json }: Answer) => [status, json['code']]

describe('what comes back', () => {
  test.each([200, 201, 202, 400, 401, 403, 404, 409, 429, 500, 503])(
    '%i as it is',
    async (status) => {
      const headers = {
        'content-type': 'application/problem+json; charset=utf-8',
        'www-authenticate': 'Bearer error="invalid_token"',
        'retry-after': '7',
      }
      broker.link.answer({
        status,
        body: '{"a":1}',
        headers: {
          ...headers,
          'set-cookie': 'a=b',
          location: '/x',
          'access-control-allow-origin': '*',
          server: 'x',
        },
      })
      const answer = await send()
      expect([answer.status, answer.text]).toEqual([status, '{"a":1}'])
      expect(answer.headers).toMatchObject({
        ...headers,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      for (const name of ['set-cookie', 'location', 'access-control-allow-origin', 'server']) {
        expect(answer.headers[name]).toBeUndefined()
      }
    },
  )

  test.each([
    'application/json',
    'application/json;charset=UTF-8',
    'text/plain',
    'text/plain; charset="utf-8"',
  ])('a body of type %s', async (type) => {
    broker.link.answer({ headers: { 'content-type': type }, body: '1' })
    expect((await send()).text).toBe('1')
  })

  test('no body at all', async () => {
    broker.link.answer({ status: 204, headers: {}, body: '' })
    expect(await send()).toMatchObject({ status: 204, text: '' })
  })

  test.each<[string, Parameters<typeof broker.link.answer>[0]]>([
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example' }, body: '' }],
    ['a redirect with JSON', { status: 307 }],
    ['304', { status: 304, body: '' }],
    ['a page', { headers: { 'content-type': 'text/html' }, body: '<p>' }],
    [
      'JSON of another charset',
      { headers: { 'content-type': 'application/json; charset=utf-16' } },
    ],
    ['octets', { headers: { 'content-type': 'application/octet-stream' } }],
    ['a body without type', { headers: {} }],
  ])('but not %s', async (_name, page) => {
    broker.link.answer(page)
    const answer = await send()
    expect(outcomeOf(answer)).toEqual([503, 'authority_answer_unusable'])
    expect(answer.headers).toMatchObject({ 'retry-after': '1', 'cache-control': 'no-store' })
    expect(answer.headers.location).toBeUndefined()
  })

  test.each([
    ['unavailable', 'authority_unavailable'],
    ['unusable', 'authority_answer_unusable'],
  ] as const)('of an authority that is %s', async (failure, code) => {
    broker.link.fail(failure)
    expect(outcomeOf(await send())).toEqual([503, code])
  })

  test('is counted, by its code', async () => {
    await send()
    broker.link.answer({ status: 403 })
    await send()
    broker.link.fail('unavailable')
    await send()
    const text = await broker.metrics.text()
    for (const code of ['200', '403', '503']) {
      expect(text).toContain(`lumo_forwarded_total{code="${code}"} 1`)
    }
  })
})

test('64 of a workload at once, and no more', async () => {
  broker.link.slowDown()
  const running = Array.from({ length: 64 }, () => send())
  while (broker.link.asked.length < 64) await settled()
  expect(outcomeOf(await send())).toEqual([503, 'overloaded'])
  broker.link.release()
  expect((await Promise.all(running)).map(({ status }) => status)).toEqual(running.map(() => 200))
  expect((await send()).status).toBe(200)
})

test("they count for the workload's rate", async () => {
  const limited = await listeningBroker({ rate: { perSecond: 1, burst: 1 } })
  try {
    const ask = () => sendHttp(limited.port, { path: `${P}/agents/me`, headers: bearer })
    expect((await ask()).status).toBe(200)
    expect(outcomeOf(await ask())).toEqual([429, 'rate_limited'])
  } finally {
    await limited.close()
  }
})
