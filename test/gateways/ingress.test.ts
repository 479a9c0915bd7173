import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  CANARY,
  openedAuthorization,
  type OpenedAuthorization,
} from '../broker/authorization/opened.ts'
import { requestText, sendRaw, type RawAnswer } from '../fakes/raw_http.ts'
import { APP_TEXT, startApi, startApp, type Api, type RecordingServer } from './api.ts'
import { documentedGateway, missing, type Gateway, type GatewayName } from './documented.ts'
import { startIngress } from './ingress.ts'

const section = { routes: [{ name: 'docs', audience: 'https://docs.example.com' }] }
const names: readonly GatewayName[] = ['nginx', 'envoy']
const ASK = '/v1/authorization/docs'
const GUARD = 'Lumo-Broker: true'

interface Outside {
  readonly name: string
  readonly line?: string
  readonly headers?: readonly string[]
  readonly body?: string
  /** 200 is the application's answer. */
  readonly status?: Readonly<Record<GatewayName, number>>
}

/** What somebody outside tries, for whom nothing is meant. `BROKER` and `EGRESS` are the ports of these. */
const tries: readonly Outside[] = [
  { name: 'the guard header', headers: [GUARD] },
  { name: 'the path of the listener', line: `GET ${ASK} HTTP/1.1`, headers: [GUARD] },
  { name: 'the same without the header', line: `GET ${ASK} HTTP/1.1` },
  {
    name: 'the host of the listener',
    line: `GET ${ASK} HTTP/1.1`,
    headers: ['Host: 127.0.0.1:BROKER', GUARD],
  },
  {
    name: 'the whole address of the listener',
    line: `GET http://127.0.0.1:BROKER${ASK} HTTP/1.1`,
    headers: [GUARD],
  },
  {
    name: 'the whole address of the gateway for the way out',
    line: 'GET http://127.0.0.1:EGRESS/ HTTP/1.1',
    headers: ['Host: 127.0.0.1:EGRESS', GUARD],
  },
  { name: 'the host of the API', headers: ['Host: docs.example.com', GUARD] },
  {
    name: 'an Authorization',
    line: `GET ${ASK} HTTP/1.1`,
    headers: ['Authorization: Bearer of-outside', GUARD],
  },
  { name: 'dot segments', line: `GET /x/..${ASK} HTTP/1.1`, headers: [GUARD] },
  { name: 'two slashes', line: `GET //127.0.0.1:BROKER${ASK} HTTP/1.1`, headers: [GUARD] },
  {
    name: 'another path and host in headers',
    headers: [
      GUARD,
      `X-Original-URL: ${ASK}`,
      `X-Rewrite-URL: ${ASK}`,
      `X-Envoy-Original-Path: ${ASK}`,
      'X-Forwarded-Host: 127.0.0.1:BROKER',
    ],
  },
  {
    name: 'a tunnel',
    line: 'CONNECT 127.0.0.1:BROKER HTTP/1.1',
    headers: ['Host: 127.0.0.1:BROKER', GUARD],
    status: { nginx: 400, envoy: 404 },
  },
  {
    name: 'a second request inside of a body',
    line: 'POST / HTTP/1.1',
    headers: [GUARD, 'Transfer-Encoding: chunked'],
    body: `0\r\n\r\nGET ${ASK} HTTP/1.1\r\nHost: localhost\r\n${GUARD}\r\n\r\n`,
    status: { nginx: 400, envoy: 400 },
  },
]

describe.each(names)('requests that come in through %s', (name) => {
  let api: Api
  let app: RecordingServer
  let broker: OpenedAuthorization
  let egress: Gateway
  let ingress: Gateway

  beforeAll(async () => {
    if (missing[name] !== undefined) return
    api = await startApi()
    app = await startApp()
    broker = await openedAuthorization({ section })
    egress = await documentedGateway(name, {
      brokerPort: broker.port,
      apiPort: api.port,
      apiCa: api.ca,
    })
    ingress = await startIngress(name, wish())
  })
  afterAll(async () => {
    if (missing[name] !== undefined) return
    for (const running of [ingress, egress, broker, app, api]) await running.close()
  })
  beforeEach(({ skip }) => {
    if (missing[name] !== undefined) skip(missing[name])
  })
  afterEach(() => {
    app?.seen.splice(0)
    broker?.authority.asked.splice(0)
    broker?.cache.clear()
  })

  const wish = () => ({ appPort: app.port, brokerPort: broker.port })

  /** Whatever comes back from inside is looked through for the token. */
  async function send(
    { line = 'GET / HTTP/1.1', headers = [], body }: Omit<Outside, 'name'>,
    port = ingress.port,
  ): Promise<RawAnswer> {
    const withHost = headers.some((header) => header.startsWith('Host: '))
    const host = withHost ? [] : ['Host: app.example.com']
    const text = requestText(line, [...host, ...headers], body)
      .replaceAll('BROKER', String(broker.port))
      .replaceAll('EGRESS', String(egress.port))
    const answer = await sendRaw(port, text)
    expect(JSON.stringify([answer, app.seen])).not.toContain(CANARY)
    return answer
  }

  test('the way out is open, or nothing here shows anything', async () => {
    const answer = await sendRaw(egress.port, requestText('GET / HTTP/1.1', ['Host: localhost']))
    expect([answer.status, api.seen.length]).toEqual([200, 1])
    api.seen.splice(0)
  })

  test.each(tries)('gain nothing by $name', async ({ status, ...request }) => {
    const answer = await send(request)
    const expected = status?.[name] ?? 200
    expect([answer.status, answer.body.includes(APP_TEXT)]).toEqual([expected, expected === 200])
    expect(answer.header('authorization')).toBeUndefined()
    expect([broker.authority.asked, api.seen]).toEqual([[], []])
  })

  describe('where the ingress asks the broker, as it never should', () => {
    test('and sets no header, nobody is let in', async () => {
      const wrong = await startIngress(name, { ...wish(), asks: 'without the header' })
      const statuses = [
        await send({}, wrong.port),
        await send({ headers: ['Authorization: Bearer of-outside'] }, wrong.port),
        await send({ line: `GET ${ASK} HTTP/1.1` }, wrong.port),
      ].map(({ status }) => status)
      expect(statuses).toEqual([403, 403, 403])
      expect([app.seen, broker.authority.asked, api.seen]).toEqual([[], [], []])
      await wrong.close()
    })

    // nginx passes all headers of the client on to what it asks, Envoy those that it is told to.
    const letIn = { nginx: 200, envoy: 403 } as const
    test(`and the client sets it, it is answered ${String(letIn[name])}, without the token`, async () => {
      const wrong = await startIngress(name, { ...wish(), asks: 'without the header' })
      const { status } = await send({ headers: [GUARD] }, wrong.port)
      expect([status, app.seen.length]).toEqual([letIn[name], letIn[name] === 200 ? 1 : 0])
      expect(api.seen).toEqual([])
      await wrong.close()
    })

    // Envoy passes on the host of the client, too, which is no name that the broker knows.
    test(`and sets the header, a client is answered ${String(letIn[name])}, without the token`, async () => {
      const wrong = await startIngress(name, { ...wish(), asks: 'with the header' })
      const { status } = await send({}, wrong.port)
      expect([status, app.seen.length]).toEqual([letIn[name], letIn[name] === 200 ? 1 : 0])
      expect(api.seen).toEqual([])
      await wrong.close()
    })
  })
})
