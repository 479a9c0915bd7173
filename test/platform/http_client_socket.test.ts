import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'
import { answering, speaking } from '../fakes/peer.ts'
import { stubBroker } from '../fakes/stub_broker.ts'

const http = nodeHttpClient(systemClock, {})
let folder: string
let socketPath: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-socket-'))
  socketPath = join(folder, 'a.sock')
})

afterEach(() => rm(folder, { recursive: true }))

describe('a Unix socket', () => {
  test('is asked instead of the address, and the host is that of the URL', async () => {
    const elsewhere: unknown[] = []
    const host = await answering((request, response) => {
      elsewhere.push(request.url)
      response.end()
    })
    const stub = await stubBroker({ listenOn: { path: socketPath } })
    onTestFinished(stub.close)
    const { status } = await http(requestTo(`http://${host}/x`, { socketPath }))
    expect([status, stub.seen, elsewhere]).toMatchObject([
      200,
      [{ path: '/x', headers: { host } }],
      [],
    ])
    // A kept connection to the socket is never taken for one to the address.
    expect((await http(requestTo(`http://${host}/y`))).status).toBe(200)
    expect([stub.seen.length, elsewhere]).toEqual([1, ['/y']])
  })

  test('is named where it is not there', async () => {
    expect(await outcomeOf(http(requestTo('http://localhost/', { socketPath })))).toEqual([
      'cannot_connect',
      `${socketPath}: ENOENT`,
    ])
  })
})

describe('a request that is broken off', () => {
  test('before an answer', async () => {
    const end = new AbortController()
    const host = await speaking((socket) => {
      socket.once('data', () => {
        end.abort()
      })
    })
    expect(await outcomeOf(http(requestTo(`http://${host}/`, { signal: end.signal })))).toEqual([
      'broken_off',
      `${host}: ABORT_ERR`,
    ])
  })

  test('within an answer', async () => {
    const end = new AbortController()
    const host = await speaking((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc', () => {
        end.abort()
      })
    })
    const [code] = await outcomeOf(http(requestTo(`http://${host}/`, { signal: end.signal })))
    expect(code).toBe('broken_off')
  })

  test('before it began', async () => {
    const host = await answering((_request, response) => response.end())
    const [code] = await outcomeOf(
      http(requestTo(`http://${host}/`, { signal: AbortSignal.abort() })),
    )
    expect(code).toBe('broken_off')
  })
})
