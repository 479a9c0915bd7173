import { describe, expect, test } from 'vitest'
import { sendRaw } from '../../fakes/raw_http.ts'
import {
  ask,
  codeOf,
  docs,
  onceAsked,
  startProxy,
  startRawUpstream,
  startUpstream,
} from './world.ts'

const HIDDEN = 'GET /docs/hidden HTTP/1.1\r\nHost: x\r\n\r\n'

/** Requests whose end two programs see in two places. None of them, and nothing that hides in them, goes on. */
const requests: readonly (readonly [name: string, head: string, body: string])[] = [
  [
    'a length and chunks',
    'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
    `0\r\n\r\n${HIDDEN}`,
  ],
  [
    'chunks and a length',
    'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
    `0\r\n\r\n${HIDDEN}`,
  ],
  ['two lengths', 'Content-Length: 0\r\nContent-Length: 42\r\n', HIDDEN],
  ['two equal lengths', 'Content-Length: 4\r\nContent-Length: 4\r\n', 'text'],
  ['a list of lengths', 'Content-Length: 4, 4\r\n', 'text'],
  ['a signed length', 'Content-Length: +4\r\n', 'text'],
  ['a length in hex', 'Content-Length: 0x4\r\n', 'text'],
  ['a space before the colon', 'Content-Length : 4\r\n', 'text'],
  ['a coding with a space before the colon', 'Transfer-Encoding : chunked\r\n', '0\r\n\r\n'],
  ['a coding that is none', 'Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'],
  ['chunked twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'],
  ['chunked before another', 'Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'],
  ['a coding behind a tab', 'Transfer-Encoding:\tgzip, chunked\r\n', '0\r\n\r\n'],
  ['bare line feeds', 'X: y\nContent-Length: 4\r\n', 'text'],
  ['a bare carriage return', 'X: y\rZ: 1\r\n', ''],
  ['a folded line', 'X: y\r\n folded\r\n', ''],
  ['a folded coding', 'Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'],
  ['a NUL in a field', 'X: a\0b\r\n', ''],
  ['a chunk length that is none', 'Transfer-Encoding: chunked\r\n', 'x\r\n'],
  ['a chunk with a bare line feed', 'Transfer-Encoding: chunked\r\n', '4\ntext\n0\n\n'],
]

describe('a request with', () => {
  test.each(requests)('%s does not go on', async (_name, head, body) => {
    const upstream = await startUpstream((request, response) => {
      request.on('error', () => {})
      request.on('end', () => response.end())
      request.resume()
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    const start = `POST /docs/a HTTP/1.1\r\nHost: ${proxy.host}\r\nLumo-Broker: true\r\nConnection: close\r\n`
    const answer = await sendRaw(proxy.port, `${start}${head}\r\n${body}`)
    expect([400, 502].includes(answer.status) || Number.isNaN(answer.status)).toBe(true)
    expect(upstream.seen.map(({ url }) => url)).not.toContain('/base/hidden')
    // What broke off in its body had begun to go on; nothing else had.
    if (!body.includes('x\r\n') && !body.includes('4\n')) expect(upstream.seen).toEqual([])
  })
})

const UNUSABLE = '502 upstream_unusable'

/** Answers whose end two programs would see in two places, and what else is none. */
const answers: readonly (readonly [name: string, answer: string, outcome: string])[] = [
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    UNUSABLE,
  ],
  [
    'chunks and a length',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    UNUSABLE,
  ],
  [
    'two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
    UNUSABLE,
  ],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\nhello', UNUSABLE],
  ...['gzip, chunked', 'chunked, chunked', 'identity', 'gzip'].map(
    (coding) =>
      [
        `the transfer coding ${coding}`,
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\n\r\n2\r\nhi\r\n0\r\n\r\n`,
        UNUSABLE,
      ] as const,
  ),
  [
    'two transfer codings',
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    UNUSABLE,
  ],
  ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello', UNUSABLE],
  [
    'a folded line',
    'HTTP/1.1 200 OK\r\nX: y\r\n folded\r\nContent-Length: 5\r\n\r\nhello',
    UNUSABLE,
  ],
  ['a NUL in a field', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 5\r\n\r\nhello', UNUSABLE],
  ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', UNUSABLE],
  [
    'an upgrade that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n',
    '502 upstream_unavailable',
  ],
  [
    'a 100 that nobody asked for before it',
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    '502 upstream_unavailable',
  ],
]

describe('an answer with', () => {
  test.each(answers)('%s is not passed on', async (_name, text, outcome) => {
    const upstream = await startRawUpstream((socket) => {
      onceAsked(socket, () => socket.write(text))
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe(outcome)
    expect(proxy.log.lines.map(({ level, fields }) => [level, fields['route']])).toEqual([
      ['warn', 'docs'],
    ])
  })

  test('a second one behind it answers nobody', async () => {
    const first = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'
    let count = 0
    const upstream = await startRawUpstream((socket) => {
      socket.on('data', () => {
        count += 1
        socket.write(
          count === 1 ? `${first}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil` : first,
        )
      })
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    expect((await ask(proxy, 'GET /docs/a')).body).toBe('hello')
    expect((await ask(proxy, 'GET /docs/b')).body).toBe('hello')
  })
})
