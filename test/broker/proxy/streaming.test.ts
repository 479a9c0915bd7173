import { once } from 'node:events'
import { request as sendRequest, type ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import {
  ask,
  asking,
  codeOf,
  docs,
  eventually,
  onceAsked,
  openLine,
  startProxy,
  startRawUpstream,
  startUpstream,
} from './world.ts'

const MEGABYTE = 1_048_576

describe('an answer', () => {
  test('of server-sent events comes event by event, its head at once', async () => {
    let stream: ServerResponse | undefined
    const upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      stream = response
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const line = await openLine(port, asking(host, 'GET /docs/a HTTP/1.1'))
    await line.until('text/event-stream')
    for (const event of ['data: one\n\n', 'data: two\n\n']) {
      stream?.write(event)
      await line.until(event)
    }
    stream?.end()
    await line.until('\r\n0\r\n\r\n')
  })

  test('has no trailers', async () => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(200, { trailer: 'X-Sum' })
      response.write('hello')
      response.addTrailers({ 'X-Sum': 'secret' })
      response.end()
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    const answer = await ask(proxy, 'GET /docs/a')
    expect(JSON.stringify(answer)).not.toMatch(/x-sum|trailer|secret/i)
    expect(answer.body).toBe('5\r\nhello\r\n0\r\n\r\n')
  })

  test('comes before the request has ended, and the rest of that goes on', async () => {
    const upstream = await startUpstream((request, response) => {
      request.pipe(response)
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const chunked = ['Transfer-Encoding: chunked']
    const line = await openLine(
      port,
      asking(host, 'POST /docs/a HTTP/1.1', chunked, '3\r\none\r\n'),
    )
    await line.until('one')
    line.socket.write('3\r\ntwo\r\n')
    await line.until('two')
    line.socket.write('0\r\n\r\n')
    await line.until('\r\n0\r\n\r\n')
  })

  test('that ends before a body is read that has come leaves the connection to the next', async () => {
    const upstream = await startRawUpstream((socket) => {
      socket.once('data', (head: Buffer) => {
        const text = head.toString().startsWith('GET') ? 'next' : 'much'
        socket.end(`HTTP/1.1 413 X\r\nConnection: close\r\nContent-Length: 4\r\n\r\n${text}`)
      })
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const body = 'x'.repeat(MEGABYTE)
    const length = [`Content-Length: ${String(body.length)}`]
    const line = await openLine(port, asking(host, 'POST /docs/a HTTP/1.1', length, body))
    await line.until('much')
    line.socket.write(asking(host, 'GET /docs/b HTTP/1.1'))
    await line.until('next')
  })

  test('that ends before the request leaves the connection to the next', async () => {
    const upstream = await startUpstream((request, response) => {
      if (request.method === 'GET') response.end('next')
      else response.writeHead(413).end('too much')
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const head = asking(host, 'POST /docs/a HTTP/1.1', ['Content-Length: 8'], 'half')
    const line = await openLine(port, head)
    expect(await line.until('too much')).toContain('HTTP/1.1 413')
    line.socket.write(`half${asking(host, 'GET /docs/b HTTP/1.1')}`)
    await line.until('next')
  })
})

describe('back-pressure', () => {
  /** What sockets and streams hold between two ends; far less than what is sent. */
  const BETWEEN = 24 * MEGABYTE

  test('a caller that reads slowly makes the upstream wait', async () => {
    let sent = 0
    let isWaiting = false
    const upstream = await startUpstream((_, response) => {
      const more = (): void => {
        isWaiting = false
        while (sent < 48 * MEGABYTE) {
          sent += 65_536
          if (!response.write(Buffer.alloc(65_536))) {
            isWaiting = true
            response.once('drain', more)
            return
          }
        }
        response.end()
      }
      more()
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const outgoing = sendRequest({
      host: '127.0.0.1',
      port,
      path: '/docs/a',
      agent: false,
      headers: { host, 'lumo-broker': 'true' },
    })
    outgoing.end()
    const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream]
    await standsStill(() => sent)
    expect([isWaiting, sent < BETWEEN]).toEqual([true, true])
    let got = 0
    incoming.on('data', (chunk: Buffer) => (got += chunk.length))
    await once(incoming, 'end')
    expect(got).toBe(48 * MEGABYTE)
  })

  test('an upstream that reads slowly makes the caller wait', async () => {
    let resume = (): void => {}
    let got = 0
    const upstream = await startUpstream((request, response) => {
      resume = () => {
        request.on('data', (chunk: Buffer) => (got += chunk.length))
        request.on('end', () => response.end('done'))
      }
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const size = 48 * MEGABYTE
    const line = await openLine(
      port,
      asking(host, 'POST /docs/a HTTP/1.1', [`Content-Length: ${String(size)}`]),
    )
    let sent = 0
    const more = (): void => {
      while (sent < size) {
        sent += 65_536
        if (!line.socket.write(Buffer.alloc(65_536))) return
      }
    }
    line.socket.on('drain', more)
    more()
    await standsStill(() => sent)
    expect(sent).toBeLessThan(BETWEEN)
    resume()
    await line.until('done')
    expect(got).toBe(size)
  })
})

/** Until a number has not changed for many turns of the event loop. */
async function standsStill(read: () => number): Promise<void> {
  let [last, still] = [-1, 0]
  await eventually(() => {
    still = read() === last && last > 0 ? still + 1 : 0
    last = read()
    return still > 2_000
  })
}

describe('who hangs up', () => {
  test('before the answer has it aborted at the upstream', async () => {
    const upstream = await startRawUpstream((socket) => socket.resume())
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const line = await openLine(port, asking(host, 'GET /docs/a HTTP/1.1'))
    await eventually(() => (upstream.sockets[0]?.bytesRead ?? 0) > 0)
    line.socket.destroy()
    await eventually(() => upstream.sockets[0]?.closed === true)
  })

  test('in the middle of an answer has it aborted at the upstream', async () => {
    let isClosed = false
    const upstream = await startUpstream((_, response) => {
      response.write('event')
      response.on('close', () => {
        isClosed = true
      })
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const line = await openLine(port, asking(host, 'GET /docs/a HTTP/1.1'))
    await line.until('event')
    line.socket.destroy()
    await eventually(() => isClosed)
  })

  test('in the middle of its own body has it broken off at the upstream', async () => {
    const outcome: string[] = []
    const upstream = await startUpstream((request) => {
      request.on('data', (chunk: Buffer) => outcome.push(chunk.toString()))
      request.on('end', () => outcome.push('end'))
      request.on('error', () => outcome.push('error'))
    })
    const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
    const chunked = ['Transfer-Encoding: chunked']
    const line = await openLine(
      port,
      asking(host, 'POST /docs/a HTTP/1.1', chunked, '4\r\nhalf\r\n'),
    )
    await eventually(() => outcome.length === 1)
    line.socket.destroy()
    await eventually(() => outcome.length === 2)
    expect(outcome).toEqual(['half', 'error'])
  })
})

describe('an upstream that breaks off in the middle', () => {
  const heads = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', '1.1', 'end'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', '1.1', 'end'],
    // To HTTP/1.0 the end of the connection is the end of the body.
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
      '1.0',
      'reset',
    ],
  ] as const

  test.each(heads)(
    'of a body with %s (%s) breaks off the caller of HTTP/%s',
    async (_name, text, version, how) => {
      let end = (): void => {}
      const upstream = await startRawUpstream((socket) => {
        onceAsked(socket, () => socket.write(text))
        end = () => socket.resetAndDestroy()
      })
      const { host, port } = await startProxy({ routes: [docs(upstream.origin)] })
      const line = await openLine(port, asking(host, `GET /docs/a HTTP/${version}`))
      await line.until('half')
      end()
      expect(await line.over).toBe(how)
      expect(line.text()).not.toContain('\r\n0\r\n\r\n')
    },
  )

  test.each([
    ['before its answer', ''],
    ['in the middle of its head', 'HTTP/1.1 200 OK\r\nX: '],
  ])('%s is unavailable', async (_name, text) => {
    const upstream = await startRawUpstream((socket) => {
      onceAsked(socket, () => socket.end(text))
    })
    const proxy = await startProxy({ routes: [docs(upstream.origin)] })
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('502 upstream_unavailable')
  })
})
