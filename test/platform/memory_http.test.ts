import { expect, test } from 'vitest'
import { memoryHttp } from '../../src/platform/memory_http.ts'

const request = { method: 'GET', path: '/a?b=c', headers: {}, body: undefined } as const

test('a handler is asked as over the network, but from nowhere', async () => {
  const http = memoryHttp((incoming, outgoing) => {
    const { method, url, headersDistinct, socket } = incoming
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      outgoing.writeHead(201, { 'x-two': ['1', '2'] }).end(
        JSON.stringify({
          method,
          url,
          one: headersDistinct['x-one'],
          address: socket.remoteAddress ?? null,
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
  })
  const body = Buffer.from('hello')
  const answer = await http({ ...request, method: 'POST', headers: { 'x-one': '1' }, body }, 1_000)
  expect([answer.status, answer.header('x-two')]).toEqual([201, '1, 2'])
  expect(JSON.parse(answer.body)).toEqual({
    method: 'POST',
    url: '/a?b=c',
    one: ['1'],
    address: null,
    body: 'hello',
  })
})

test.each([
  [1_000, 'an answer'],
  [1_001, 'answer_too_large'],
])('an answer of %i bytes where 1 000 are read: %s', async (length, expected) => {
  const http = memoryHttp((_incoming, outgoing) => outgoing.end('x'.repeat(length)))
  const outcome = await http(request, 1_000).then(
    () => 'an answer',
    (error: unknown) => error,
  )
  expect(outcome).toBe(expected)
})

test('a handler that breaks off is no answer', async () => {
  const http = memoryHttp((_incoming, outgoing) => outgoing.destroy())
  await expect(http(request, 1_000)).rejects.toThrow()
})

test('many at once do not mix', async () => {
  const http = memoryHttp((incoming, outgoing) => outgoing.end(incoming.url))
  const paths = Array.from({ length: 100 }, (_, index) => `/${String(index)}`)
  const answers = await Promise.all(paths.map((path) => http({ ...request, path }, 1_000)))
  expect(answers.map(({ body }) => body)).toEqual(paths)
})
