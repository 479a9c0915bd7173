import { connect } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { listeningBroker, settled, type ListeningBroker } from '../fakes/broker.ts'
import { requestText, sendRaw } from '../fakes/raw_http.ts'

let broker: ListeningBroker
let guard: readonly string[]

beforeEach(async () => {
  broker = await listeningBroker()
  guard = [`Host: ${broker.host}`, 'Lumo-Broker: true']
})

afterEach(() => broker.close())

/** Requests that two readers could take for different ones, each with what is answered before anything is looked at. */
const smuggled: readonly (readonly [name: string, lines: readonly string[], status: number])[] = [
  ['two lengths that differ', ['Content-Length: 3', 'Content-Length: 4'], 400],
  ['two equal lengths', ['Content-Length: 3', 'Content-Length: 3'], 400],
  ['a list of lengths', ['Content-Length: 3, 3'], 400],
  ['a length with a sign', ['Content-Length: +3'], 400],
  ['a negative length', ['Content-Length: -3'], 400],
  ['a length in hexadecimal', ['Content-Length: 0x3'], 400],
  ['a length and chunks', ['Content-Length: 3', 'Transfer-Encoding: chunked'], 400],
  ['chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 3'], 400],
  ['an unknown transfer coding', ['Transfer-Encoding: xchunked'], 400],
  ['chunked that is not last', ['Transfer-Encoding: chunked, identity'], 400],
  ['a space before the colon', ['Content-Length : 3'], 400],
  ['a folded header', ['X-One: a', ' b'], 400],
  ['a bare line feed in a name', ['X-One\n: a'], 400],
  ['a NUL in a value', ['X-One: a\0b'], 400],
  ['a line without a colon', ['nothing'], 400],
  ['an empty name', [': a'], 400],
]

describe('a request that can be read in two ways', () => {
  test.each(smuggled)('%s', async (_name, lines, status) => {
    const request = ['POST /v1/token HTTP/1.1', ...guard, ...lines, '', 'a=b'].join('\r\n')
    const answer = await sendRaw(broker.port, request)
    expect([answer.status, answer.body]).toEqual([status, ''])
    expect(broker.authority.asked).toEqual([])
  })

  test.each([
    ['no size', '\r\nabc\r\n0\r\n\r\n'],
    ['a size that is no number', 'xyz\r\nabc\r\n0\r\n\r\n'],
    ['a negative size', '-3\r\nabc\r\n0\r\n\r\n'],
    ['a size that is too large to be one', `${'f'.repeat(17)}\r\nabc\r\n0\r\n\r\n`],
    ['more than its size', '2\r\nabc\r\n0\r\n\r\n'],
    ['a bare line feed for an end', '3\nabc\n0\n\n'],
  ])('a chunk with %s', async (_name, body) => {
    const head = ['POST /v1/token HTTP/1.1', ...guard, 'Transfer-Encoding: chunked', '', '']
    const answer = await sendRaw(broker.port, head.join('\r\n') + body)
    expect(answer.status).toBe(400)
    expect(broker.authority.asked).toEqual([])
  })

  test('a second request in the body of the first is a body', async () => {
    const inner = `GET /v1/token HTTP/1.1\r\nHost: ${broker.host}\r\nLumo-Broker: true\r\n\r\n`
    const form = 'Content-Type: application/x-www-form-urlencoded'
    const answer = await sendRaw(
      broker.port,
      requestText('POST /v1/token HTTP/1.1', [...guard, form], inner),
    )
    // A name that there is not: one answer, to the request that was made.
    expect([answer.status, answer.body.split('HTTP/1.1').length]).toEqual([400, 1])
    expect(broker.authority.asked).toEqual([])
  })
})

const oversized: readonly (readonly [
  name: string,
  target: string,
  lines: readonly string[],
  answer: readonly [status: number, code: string],
])[] = [
  ['a query of 17 KB', `/v1/token?audience=${'a'.repeat(17_000)}`, [], [431, '']],
  ['a query of 10 000 pairs', `/v1/token?${'a&'.repeat(5_000)}`, [], [400, 'body_malformed']],
  ['a header of 17 KB', '/v1/token', [`X-One: ${'a'.repeat(17_000)}`], [431, '']],
  [
    'headers of 20 KB together',
    '/v1/token',
    Array.from({ length: 2_500 }, (_, at) => `X-${String(at)}: a`),
    [431, ''],
  ],
  [
    'two thousand short headers',
    '/v1/token',
    Array.from({ length: 2_000 }, () => 'a: b'),
    [200, ''],
  ],
  [
    'a scope of 10 000 words',
    `/v1/token?scope=${'a+'.repeat(5_000)}a`,
    [],
    [400, 'scope_malformed'],
  ],
  [
    'a very long audience',
    `/v1/token?audience=${'a'.repeat(5_000)}`,
    [],
    [400, 'target_malformed'],
  ],
]

describe('a request that is too much', () => {
  test.each(oversized)('%s', async (_name, target, lines, [status, code]) => {
    const answer = await sendRaw(
      broker.port,
      requestText(`GET ${target} HTTP/1.1`, [...guard, ...lines]),
    )
    const body = answer.body === '' ? {} : (JSON.parse(answer.body) as { code?: string })
    expect([answer.status, body.code ?? '']).toEqual([status, code])
  })
})

describe('a caller that goes away', () => {
  test('in mid-flight costs nobody else the answer', async () => {
    broker.authority.slowDown()
    const socket = connect({ host: '127.0.0.1', port: broker.port })
    socket.write(requestText('GET /v1/token HTTP/1.1', guard))
    while (broker.authority.asked.length === 0) await settled()
    const other = sendRaw(broker.port, requestText('GET /v1/token HTTP/1.1', guard))
    socket.destroy()
    await settled()
    broker.authority.release()
    expect((await other).status).toBe(200)
    expect(broker.authority.asked).toHaveLength(1)
  })

  test('with half of its body sent is not served', async () => {
    const socket = connect({ host: '127.0.0.1', port: broker.port })
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(
      ['POST /v1/token HTTP/1.1', ...guard, 'Content-Length: 100', '', 'audience='].join('\r\n'),
    )
    socket.end()
    socket.resume()
    await closed
    expect(broker.authority.asked).toEqual([])
  })
})

test('10 000 different audiences of one caller: each answered, memory bounded by the cache', async () => {
  let served = 0
  for (let at = 0; at < 10_000; at += 1) {
    const wish = broker.wishOf(`audience=https://a${String(at)}.example`)
    if ('code' in wish) throw new Error('not a wish')
    const result = await broker.getToken.byExchange(broker.workload, wish)
    if ('servable' in result) served += 1
  }
  expect(served).toBe(10_000)
  expect(broker.cache.size).toBe(100)
})
