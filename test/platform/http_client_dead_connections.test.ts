import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'

/** A server whose connections of before go dead, as behind a router that forgot them; new ones are served. */
let connections: Socket[]
let dead: Set<Socket>
let close: () => void
let url: string

beforeEach(async () => {
  connections = []
  dead = new Set()
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => socket.destroy())
    socket.on('data', () => {
      if (!dead.has(socket)) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`
  close = () => {
    server.close()
    for (const socket of connections) socket.destroy()
  }
})

afterEach(() => {
  close()
})

test('one kept connection that gives no answer costs one time-out, however many were kept', async () => {
  const http = nodeHttpClient(systemClock, {})
  const ask = () => outcomeOf(http(requestTo(url, { totalTimeoutMs: 200 })))
  await Promise.all([ask(), ask(), ask()])
  expect(connections).toHaveLength(3)
  dead = new Set(connections)
  expect((await ask())[0]).toBe('timeout')
  expect(await ask()).toEqual([200, 'ok'])
  expect(connections).toHaveLength(4)
})
