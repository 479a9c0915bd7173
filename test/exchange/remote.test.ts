import { createServer as createPlainServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import {
  createServer as createSocketServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ExchangeFailure, type ExchangeRequest } from '../../src/exchange/exchanger.ts'
import { remoteExchanger } from '../../src/exchange/remote.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { makeCa, type TestCa } from '../fakes/certificates.ts'
import { FakeClock } from '../fakes/clock.ts'

const PROOF = 'proof-header.proof-payload.proof-signature'
const request: ExchangeRequest = {
  subjectToken: PROOF,
  subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
  audiences: ['https://docs.example.com'],
  resources: [],
  scope: ['read'],
  clientId: undefined,
  urgent: true,
}
const answer = { access_token: 'abc', token_type: 'Bearer', expires_in: 600, scope: 'read' }
const issued = { accessToken: 'abc', scope: 'read', lifetimeSeconds: 600 }

const running: { server: Server; sockets: Set<Socket> }[] = []

afterEach(async () => {
  for (const { server, sockets } of running.splice(0)) {
    for (const socket of sockets) socket.destroy()
    await new Promise((closed) => server.close(closed))
  }
})

async function start(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  running.push({ server, sockets })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return (server.address() as AddressInfo).port
}

const plainServer = (listener: RequestListener) => start(createPlainServer(listener))
/** Writes these bytes as soon as a request begins, and then ends the connection in some way. */
const rawServer = (text: string, end: (socket: Socket) => void) =>
  start(
    createSocketServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => {
        socket.write(text, () => {
          end(socket)
        })
      })
    }),
  )

function exchangerAt(
  url: string,
  { ca, clock = new FakeClock() }: { ca?: () => string; clock?: FakeClock } = {},
) {
  return remoteExchanger(
    {
      tokenUrl: new URL('/t/acme-corp/api/v1/oauth/token', url),
      ca: ca ?? (() => undefined),
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
    },
    nodeHttpClient(clock, {}),
  )
}

const at = (port: number, scheme = 'http') => `${scheme}://127.0.0.1:${String(port)}`

/** Kind and error of a failure that gives nothing of the request away. */
async function failureAt(...given: Parameters<typeof exchangerAt>) {
  const result = await exchangerAt(...given).exchange(request)
  if (!(result instanceof ExchangeFailure)) return result
  for (const secret of PROOF.split('.')) expect(JSON.stringify(result)).not.toContain(secret)
  return [result.kind, result.error]
}

describe('an authority that answers', () => {
  test('gets the exchange as a form, and its token is taken', async () => {
    const seen: unknown[] = []
    const port = await plainServer((incoming, response) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        const { method, url, headers } = incoming
        seen.push({
          method,
          url,
          type: headers['content-type'],
          length: headers['content-length'],
          body,
        })
        response.end(JSON.stringify(answer))
      })
    })
    expect(await exchangerAt(at(port)).exchange(request)).toEqual(issued)
    const body =
      'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange' +
      `&subject_token=${PROOF}&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt` +
      '&audience=https%3A%2F%2Fdocs.example.com&scope=read'
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/t/acme-corp/api/v1/oauth/token',
        type: 'application/x-www-form-urlencoded',
        length: String(body.length),
        body,
      },
    ])
  })

  test.each([
    [400, { error: 'invalid_target' }, ['relayed', 'invalid_target']],
    [403, { error: 'access_denied' }, ['refused', 'access_denied']],
    [503, { error: 'temporarily_unavailable' }, ['outage', 'authority_unavailable']],
  ])('%i %j is judged', async (status, body, expected) => {
    const port = await plainServer((_incoming, response) => {
      response.writeHead(status).end(JSON.stringify(body))
    })
    expect(await failureAt(at(port))).toEqual(expected)
  })

  test('its Retry-After is passed on', async () => {
    const port = await plainServer((_incoming, response) => {
      response.writeHead(503, { 'retry-after': '9' }).end()
    })
    expect(await exchangerAt(at(port)).exchange(request)).toMatchObject({ retryAfterSeconds: 9 })
  })

  test.each([301, 302, 303, 307, 308])('a redirect by %i is not followed', async (status) => {
    const paths: (string | undefined)[] = []
    const port = await plainServer((incoming, response) => {
      paths.push(incoming.url)
      response.writeHead(status, { location: '/elsewhere' }).end(JSON.stringify(answer))
    })
    expect(await failureAt(at(port))).toEqual(['outage', 'authority_answer_unusable'])
    expect(paths).toEqual(['/t/acme-corp/api/v1/oauth/token'])
  })

  test.each([
    [65_536, ['outage', 'authority_answer_unusable']],
    [65_537, ['outage', 'authority_answer_too_large']],
    [10_000_000, ['outage', 'authority_answer_too_large']],
  ])('with %i bytes', async (bytes, expected) => {
    const port = await plainServer((_incoming, response) => {
      response.end('x'.repeat(bytes))
    })
    expect(await failureAt(at(port))).toEqual(expected)
  })
})

describe('an authority that does not', () => {
  test('because nobody listens', async () => {
    const port = await plainServer(() => {})
    await new Promise((closed) => running.pop()?.server.close(closed))
    expect(await failureAt(at(port))).toEqual(['outage', 'authority_cannot_connect'])
  })

  test.each([
    [4_999, 'waiting'],
    [5_000, ['outage', 'authority_timeout']],
  ])('because it is silent, after %i ms', async (ms, expected) => {
    const asked = Promise.withResolvers<void>()
    const port = await plainServer(() => {
      asked.resolve()
    })
    const clock = new FakeClock()
    const failure = failureAt(at(port), { clock })
    await asked.promise
    clock.advance(ms)
    const patience = new Promise((resolve) => setImmediate(resolve, 'waiting'))
    expect(await Promise.race([failure, patience])).toEqual(expected)
  })

  test('because its TLS never comes to an end', async () => {
    const connected = Promise.withResolvers<void>()
    const port = await start(
      createSocketServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', () => {
          connected.resolve()
        })
      }),
    )
    const clock = new FakeClock()
    const failure = failureAt(at(port, 'https'), { clock })
    await connected.promise
    clock.advance(2_000)
    expect(await failure).toEqual(['outage', 'authority_connect_timeout'])
  })

  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'
  test.each<[string, string, (socket: Socket) => void, string]>([
    ['resets before it answers', '', (socket) => socket.resetAndDestroy(), 'broken_off'],
    ['hangs up before it answers', '', (socket) => socket.end(), 'broken_off'],
    [
      'resets within its head',
      head.slice(0, 20),
      (socket) => socket.resetAndDestroy(),
      'broken_off',
    ],
    ['resets within its body', `${head}{"acc`, (socket) => socket.resetAndDestroy(), 'broken_off'],
    ['hangs up within its body', `${head}{"acc`, (socket) => socket.end(), 'broken_off'],
    ['speaks something else', 'SSH-2.0-x\r\n', (socket) => socket.end(), 'cannot_connect'],
  ])('because it %s', async (_name, text, end, error) => {
    const port = await rawServer(text, end)
    expect(await failureAt(at(port))).toEqual(['outage', `authority_${error}`])
  })
})

describe('over TLS', () => {
  let trusted: TestCa
  let foreign: TestCa

  beforeAll(async () => {
    trusted = await makeCa('trusted')
    foreign = await makeCa('foreign')
  })

  async function tlsServer() {
    const pair = await trusted.issue()
    return start(
      createTlsServer(pair, (_incoming, response) => response.end(JSON.stringify(answer))),
    )
  }

  test('with the CA that is configured', async () => {
    const url = at(await tlsServer(), 'https')
    expect(await exchangerAt(url, { ca: () => trusted.pem }).exchange(request)).toEqual(issued)
  })

  test.each<[string, () => (() => string) | undefined]>([
    ['a foreign CA', () => () => foreign.pem],
    ['the trust of the system', () => undefined],
  ])('%s: the certificate is not trusted', async (_name, ca) => {
    const given = ca()
    const url = at(await tlsServer(), 'https')
    expect(await failureAt(url, given ? { ca: given } : {})).toEqual([
      'outage',
      'authority_tls_untrusted',
    ])
  })

  test('a CA that is swapped counts from the next exchange on', async () => {
    const url = at(await tlsServer(), 'https')
    let ca = foreign.pem
    const exchanger = exchangerAt(url, { ca: () => ca })
    const untrusted = { kind: 'outage', error: 'authority_tls_untrusted' }
    expect(await exchanger.exchange(request)).toMatchObject(untrusted)
    ca = trusted.pem
    expect(await exchanger.exchange(request)).toEqual(issued)
    ca = foreign.pem
    expect(await exchanger.exchange(request)).toMatchObject(untrusted)
    ca = `${foreign.pem}\n${trusted.pem}`
    expect(await exchanger.exchange(request)).toEqual(issued)
  })

  test('a server that speaks no TLS cannot be connected to', async () => {
    const port = await plainServer((_incoming, response) => response.end(JSON.stringify(answer)))
    const url = at(port, 'https')
    expect(await failureAt(url, { ca: () => trusted.pem })).toEqual([
      'outage',
      'authority_cannot_connect',
    ])
  })
})
