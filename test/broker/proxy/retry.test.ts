import { describe, expect, test } from 'vitest'
import { BrokerError } from '../../../src/broker/errors.ts'
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
  type Answering,
} from './world.ts'

/** An upstream that takes the tokens that `isGood` lets pass, and tells each body that it read. */
async function start(isGood: (token: string) => boolean, refuse?: Answering) {
  const bodies: number[] = []
  let isFirst = false
  const upstream = await startUpstream((request, response) => {
    const token = request.headers.authorization?.slice('Bearer '.length) ?? ''
    let bytes = 0
    request.on('data', (chunk: Buffer) => (bytes += chunk.length))
    request.on('end', () => {
      bodies.push(bytes)
      if (isFirst || isGood(token)) response.end(`hello ${token}`)
      else if (refuse) refuse(request, response)
      else response.writeHead(401, { 'www-authenticate': 'Bearer' }).end('no')
    })
  })
  const proxy = await startProxy({ routes: [docs(upstream.origin)] })
  // A token that was asked for long ago.
  isFirst = true
  await ask(proxy, 'GET /docs/first')
  isFirst = false
  proxy.clock.advance(11_000)
  upstream.seen.length = 0
  bodies.length = 0
  return { upstream, proxy, bodies }
}

const second = (token: string): boolean => token === 'own-2'

describe('a 401', () => {
  test.each([
    ['without a body', 'GET', undefined],
    ['with a small body', 'POST', 'x'.repeat(65_536)],
  ])('to a request %s is tried again, with another token', async (_name, method, body) => {
    const { upstream, proxy, bodies } = await start(second)
    const answer = await ask(proxy, `${method} /docs/a`, [], body)
    expect([answer.status, answer.body.includes('hello own-2')]).toEqual([200, true])
    expect(upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer own-1',
      'Bearer own-2',
    ])
    expect(bodies).toEqual([body?.length ?? 0, body?.length ?? 0])
    expect(proxy.bearers.rejected).toEqual(['own-1'])
  })

  test('to a body of more than 64 KiB is handed on', async () => {
    const { upstream, proxy } = await start(second)
    const answer = await ask(proxy, 'POST /docs/a', [], 'x'.repeat(65_537))
    expect([answer.status, answer.header('www-authenticate')]).toEqual([401, 'Bearer'])
    expect([upstream.seen.length, proxy.bearers.rejected]).toEqual([1, []])
  })

  test('for a token of the last ten seconds is handed on', async () => {
    const { upstream, proxy } = await start(() => false)
    expect((await ask(proxy, 'GET /docs/a')).status).toBe(401)
    expect(upstream.seen).toHaveLength(2)
    for (let count = 0; count < 5; count += 1) await ask(proxy, 'GET /docs/a')
    expect(upstream.seen).toHaveLength(7)
    expect(proxy.bearers.rejected).toEqual(['own-1'])
  })

  test('of the second token is handed on, whatever it is', async () => {
    let status = 401
    const { upstream, proxy } = await start(
      () => false,
      (_, response) => {
        response.writeHead(status).end('tea')
        status = 418
      },
    )
    expect((await ask(proxy, 'GET /docs/a')).status).toBe(418)
    expect(upstream.seen).toHaveLength(2)
  })

  test('where no other token can be had is answered with why', async () => {
    const { upstream, proxy } = await start(
      () => false,
      (_, response) => {
        proxy.bearers.refusal = new BrokerError('authority_unavailable')
        response.writeHead(401).end()
      },
    )
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('503 authority_unavailable')
    expect(upstream.seen).toHaveLength(1)
  })

  test('with a body that does not end costs no more than a little', async () => {
    let isClosed = false
    const { proxy } = await start(second, (_, response) => {
      response.writeHead(401)
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
        response.once('drain', more)
      }
      response.on('close', () => {
        isClosed = true
      })
      more()
    })
    const instead = proxy.bearers.instead.bind(proxy.bearers)
    proxy.bearers.instead = async (...wish) => {
      await eventually(() => isClosed)
      return instead(...wish)
    }
    expect((await ask(proxy, 'GET /docs/a')).status).toBe(200)
  })
})

describe('a 401 whose body never comes to its end', () => {
  /** An upstream that says 401 to the first token, and begins a body; it answers others once that connection is closed. */
  async function startEndless() {
    const upstream = await startRawUpstream((socket) => {
      onceAsked(socket, (head) => {
        if (head.includes('Bearer own-1')) {
          socket.write('HTTP/1.1 401 No\r\nContent-Length: 60000\r\n\r\nx')
          return
        }
        void eventually(isClosed).then(() =>
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
        )
      })
    })
    const isClosed = (): boolean => upstream.sockets[0]?.closed === true
    const proxy = await startProxy({ routes: [docs(upstream.origin, { timeout: 5 })] })
    // A token that was asked for long ago.
    void proxy.bearers.of({}, {} as never, undefined)
    proxy.clock.advance(11_000)
    const open = () => openLine(proxy.port, asking(proxy.host, 'GET /docs/a HTTP/1.1'))
    return { upstream, proxy, open, isClosed }
  }

  /** No other token is to be had for now. */
  function withhold({ bearers }: Awaited<ReturnType<typeof startProxy>>): () => boolean {
    let isAsked = false
    bearers.instead = () => {
      isAsked = true
      return new Promise(() => {})
    }
    return () => isAsked
  }

  test('is let go of before the request is sent again', async () => {
    const { upstream, open } = await startEndless()
    await (await open()).until('hello')
    expect(upstream.sockets).toHaveLength(2)
  })

  test('ends with its caller', async () => {
    const { proxy, open, isClosed } = await startEndless()
    const isAsked = withhold(proxy)
    const line = await open()
    await eventually(isAsked)
    line.socket.destroy()
    await eventually(isClosed)
  })

  test('is not waited for longer than `timeout`', async () => {
    const { upstream, proxy, open, isClosed } = await startEndless()
    const isAsked = withhold(proxy)
    const line = await open()
    await eventually(isAsked)
    for (let second = 0; second < 8; second += 1) {
      // What is read for nobody is no sign of life.
      upstream.sockets[0]?.write('x')
      proxy.clock.advance(1_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await line.until('upstream_timeout')
    await eventually(isClosed)
  })

  test('ends where there is no other token', async () => {
    const { proxy, open, isClosed } = await startEndless()
    proxy.bearers.instead = () => Promise.resolve(new BrokerError('authority_unavailable'))
    await (await open()).until('authority_unavailable')
    await eventually(isClosed)
  })
})

test('a short body of a 401 leaves its connection to the next', async () => {
  const upstream = await startRawUpstream((socket) => {
    socket.on('data', (chunk: Buffer) => {
      const isGood = chunk.toString().includes('own-2')
      socket.write(`HTTP/1.1 ${isGood ? '200 OK' : '401 No'}\r\nContent-Length: 2\r\n\r\nhi`)
    })
  })
  const proxy = await startProxy({ routes: [docs(upstream.origin)] })
  void proxy.bearers.of({}, {} as never, undefined)
  proxy.clock.advance(11_000)
  for (const path of ['a', 'b']) expect((await ask(proxy, `GET /docs/${path}`)).status).toBe(200)
  expect(upstream.sockets.map(({ closed }) => closed)).toEqual([false, false])
})
