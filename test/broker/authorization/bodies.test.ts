import { METHODS } from 'node:http'
import { describe, expect, test } from 'vitest'
import { sendRaw } from '../../fakes/raw_http.ts'
import { ask, DOCS, GUARD, HOST, open } from './asking.ts'
import { CANARY } from './opened.ts'

describe('the method', () => {
  test.each(METHODS.filter((method) => method !== 'CONNECT'))('%s is served', async (method) => {
    const answer = await ask(await open(), { method })
    expect([answer.status, answer.header('authorization')]).toEqual([200, `Bearer ${CANARY}-1`])
  })

  test('CONNECT ends the connection', async () => {
    const { status } = await ask(await open(), { method: 'CONNECT', target: '127.0.0.1:1' })
    expect(status).toBeNaN()
  })
})

describe('a body', () => {
  const chunked = [HOST, GUARD, 'Transfer-Encoding: chunked']
  const chunkOf = (bytes: number) => `${bytes.toString(16)}\r\n${'x'.repeat(bytes)}\r\n`
  const next = `GET ${DOCS} HTTP/1.1\r\n${HOST}\r\n${GUARD}\r\nConnection: close\r\n\r\n`
  const sent = (headers: readonly string[], body: string) =>
    ['POST /v1/authorization/plain HTTP/1.1', ...headers, '', body].join('\r\n')
  const answersIn = (text: string) => text.match(/HTTP\/1\.1 /g)?.length ?? 0

  test.each([
    [65_536, 1],
    [65_537, 0],
    [1_000_000, 0],
  ])('of %d bytes leaves the connection good for %d more', async (bytes, more) => {
    const { port } = await open()
    const headers = [HOST, GUARD, `Content-Length: ${String(bytes)}`]
    const { status, body } = await sendRaw(port, sent(headers, 'x'.repeat(bytes) + next))
    expect([status, answersIn(body)]).toEqual([200, more])
  })

  test('in chunks within the bound leaves it good, too', async () => {
    const { port } = await open()
    const { status, body } = await sendRaw(
      port,
      sent(chunked, `${chunkOf(60_000)}0\r\n\r\n${next}`),
    )
    expect([status, answersIn(body)]).toEqual([200, 1])
  })

  test('in chunks beyond it ends the connection', async () => {
    const { port, authority } = await open()
    await sendRaw(
      port,
      sent(chunked, `${chunkOf(40_000)}${chunkOf(40_000)}0\r\n\r\n${next}`),
    ).catch(() => undefined)
    // The request behind it was not read.
    expect(authority.asked.map(({ audiences }) => audiences)).not.toContainEqual([
      'https://docs.example.com',
    ])
  })
})
