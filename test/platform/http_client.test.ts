import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { HttpFailure, isLoopbackHost, nodeHttpClient } from '../../src/platform/http_client.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'
import { serve } from '../fakes/loopback.ts'
import { answering, open, speaking } from '../fakes/peer.ts'

const http = nodeHttpClient(systemClock, {})

describe('a proxy of the environment', () => {
  test('sees nothing of what stays on this machine', async () => {
    const seen: unknown[] = []
    const proxy = await answering((request, response) => {
      seen.push(request.url)
      response.end('from the proxy')
    })
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']
    const proxied = nodeHttpClient(
      systemClock,
      Object.fromEntries(names.map((name) => [name, `http://${proxy}`])),
    )
    const server = await serve({ '/x': { body: 'from the server' } })
    onTestFinished(server.close)
    expect((await proxied(requestTo(`${server.origin}/x`))).body).toBe('from the server')
    await proxied(requestTo(`https://${server.host}/x`)).catch(() => undefined)
    expect(seen).toEqual([])
  })
})

describe('an answer', () => {
  test('has its status, its headers and its body', async () => {
    const headers = { 'content-type': 'text/plain', 'cache-control': 'no-store' }
    const server = await serve({ '/x': { status: 418, headers, body: 'größer' } })
    onTestFinished(server.close)
    const answer = await http(requestTo(`${server.origin}/x`))
    expect([answer.status, answer.body]).toEqual([418, 'größer'])
    expect(answer.header('cache-control')).toBe('no-store')
    expect(answer.header('retry-after')).toBeUndefined()
  })

  test('whose header stands twice has both', async () => {
    const host = await answering((_, response) => {
      response.setHeader('dpop-nonce', ['a', 'b']).end()
    })
    expect((await http(requestTo(`http://${host}`))).header('dpop-nonce')).toBe('a, b')
  })

  test('comes to what was asked', async () => {
    const seen: unknown[] = []
    const host = await answering((request, response) => {
      const { method, url, headers } = request
      request.on('data', (chunk) => seen.push(String(chunk)))
      request.on('end', () => {
        seen.push(method, url, headers['content-length'], headers['content-type'], headers.accept)
        response.end()
      })
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await http(requestTo(`http://${host}/token?x=1`, { method: 'POST', headers, body: 'ä=ö' }))
    expect(seen).toEqual([
      'ä=ö',
      'POST',
      '/token?x=1',
      '5',
      'application/x-www-form-urlencoded',
      'application/json',
    ])
  })

  test.each([301, 302, 303, 307, 308])(
    'that is a redirect (%i) is given as it is',
    async (status) => {
      const elsewhere = await serve({ '/there': { body: 'there' } })
      onTestFinished(elsewhere.close)
      const headers = { location: `${elsewhere.origin}/there` }
      const server = await serve({ '/here': { status, headers, body: 'moved' } })
      onTestFinished(server.close)
      const answer = await http(requestTo(`${server.origin}/here`))
      expect([answer.status, answer.body]).toEqual([status, 'moved'])
      expect(answer.header('location')).toBe(headers.location)
      expect(elsewhere.seen).toEqual([])
    },
  )

  test.each([
    [999, [200, 'x'.repeat(999)]],
    [1_000, [200, 'x'.repeat(1_000)]],
    [1_001, ['answer_too_large', 'HOST: the answer could not be read']],
    [1_000_000, ['answer_too_large', 'HOST: the answer could not be read']],
  ])('of %i bytes where 1000 are allowed', async (size, expected) => {
    const host = await answering((_, response) => response.end('x'.repeat(size)))
    expect(await outcomeOf(http(requestTo(`http://${host}`)))).toEqual(
      expected.map((part) => (typeof part === 'string' ? part.replace('HOST', host) : part)),
    )
  })

  test('without an end is cut off at the cap', async () => {
    const host = await answering((_, response) => {
      const more = (error?: Error | null): void => {
        if (!error) response.write('x'.repeat(500), more)
      }
      more()
    })
    expect((await outcomeOf(http(requestTo(`http://${host}`))))[0]).toBe('answer_too_large')
  })
})

describe('no answer', () => {
  const words: readonly (readonly [
    name: string,
    handle: (socket: Socket) => void,
    code: string,
  ])[] = [
    [
      'the connection is reset',
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
      'broken_off',
    ],
    ['the connection ends', (socket) => socket.once('data', () => socket.end()), 'broken_off'],
    [
      'the answer is cut off',
      (socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc')),
      'broken_off',
    ],
    [
      'a chunk is cut off',
      (socket) =>
        socket.once('data', () =>
          socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab'),
        ),
      'broken_off',
    ],
    ['it is not HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n\r\n'), 'cannot_connect'],
  ]
  test.each(words)('when %s', async (_, handle, code) => {
    const host = await speaking(handle)
    expect((await outcomeOf(http(requestTo(`http://${host}`))))[0]).toBe(code)
  })

  test('when nobody listens', async () => {
    const server = await serve({})
    await server.close()
    expect(await outcomeOf(http(requestTo(server.origin)))).toEqual([
      'cannot_connect',
      `${server.host}: ECONNREFUSED`,
    ])
  })

  test('after a kept connection was closed is not taken for an outage', async () => {
    const sockets: Socket[] = []
    const server = createServer((_, response) => response.end('first'))
    server.on('connection', (socket: Socket) => sockets.push(socket))
    const host = await open(server)
    await http(requestTo(`http://${host}`))
    for (const socket of sockets) socket.destroy()
    const [code] = await outcomeOf(http(requestTo(`http://${host}`)))
    expect(['broken_off', 200]).toContain(code)
  })
})

describe('the message of a failure', () => {
  const failing: readonly (readonly [name: string, handle: (socket: Socket) => void])[] = [
    ['a reset', (socket) => socket.once('data', () => socket.resetAndDestroy())],
    ['nonsense', (socket) => socket.once('data', () => socket.end('canary-answer\r\n\r\n'))],
    [
      'an answer that is too large',
      (socket) =>
        socket.once('data', () =>
          socket.end(`HTTP/1.1 200 OK\r\nx: canary-header\r\n\r\n${'canary-answer'.repeat(100)}`),
        ),
    ],
  ]
  test.each(failing)('after %s holds nothing that was sent or answered', async (_, handle) => {
    const host = await speaking(handle)
    const request = requestTo(
      `http://canary-user:canary-password@${host}/canary-path?canary-query`,
      {
        method: 'POST',
        headers: { authorization: 'Bearer canary-token' },
        body: 'client_secret=canary-secret',
      },
    )
    const failure: unknown = await http(request).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(HttpFailure)
    expect((failure as HttpFailure).message.startsWith(`${host}: `)).toBe(true)
    expect((failure as HttpFailure).stack).not.toContain('canary')
    expect((failure as HttpFailure).cause).toBeUndefined()
  })
})

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['127.255.255.254', true],
  ['::1', true],
  ['[::1]', true],
  ['LOCALHOST', false],
  ['localhost.', false],
  ['a.localhost', false],
  ['localhost.example', false],
  ['127.0.0.1.example', false],
  ['127.0.0', false],
  ['1.127.0.0.1', false],
  ['0.0.0.0', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['169.254.169.254', false],
  ['10.0.0.1', false],
  ['', false],
])('%o cannot leave the machine: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected)
})
