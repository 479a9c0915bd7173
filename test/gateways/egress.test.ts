import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ExchangeFailure } from '../../src/exchange/exchanger.ts'
import { LocalPolicy } from '../../src/policy/local/local_policy.ts'
import {
  CANARY,
  inTime,
  openedAuthorization,
  type OpenedAuthorization,
} from '../broker/authorization/opened.ts'
import { requestText, sendRaw, type RawAnswer } from '../fakes/raw_http.ts'
import { API_TEXT, startApi, type Api } from './api.ts'
import {
  documentedGateway,
  missing,
  replaced,
  type Gateway,
  type GatewayName,
} from './documented.ts'

const section = {
  hosts: ['docs.example.com'],
  routes: [
    { name: 'docs', audience: 'https://docs.example.com' },
    { name: 'other', audience: 'https://other.example.com' },
  ],
}
const names: readonly GatewayName[] = ['nginx', 'envoy']

describe.each(names)('requests that leave the pod through %s', (name) => {
  let api: Api
  let broker: OpenedAuthorization
  let gateway: Gateway

  beforeAll(async () => {
    if (missing[name] !== undefined) return
    api = await startApi()
    broker = await openedAuthorization({ section })
    gateway = await documentedGateway(name, places())
  })
  afterAll(async () => {
    if (missing[name] !== undefined) return
    await gateway.close()
    await broker.close()
    await api.close()
  })
  beforeEach(({ skip }) => {
    if (missing[name] !== undefined) skip(missing[name])
  })
  afterEach(() => {
    api.seen.splice(0)
    broker.authority.asked.splice(0)
    broker.authority.recover()
    broker.usePolicy(undefined)
    broker.cache.clear()
  })

  const places = () => ({ brokerPort: broker.port, apiPort: api.port, apiCa: api.ca })

  /** Everything that the program gets back is looked through for the token. */
  async function send(
    line = 'GET / HTTP/1.1',
    headers: readonly string[] = [],
    body?: string,
    port = gateway.port,
  ): Promise<RawAnswer> {
    const text = requestText(line, ['Host: localhost', ...headers], body)
    const answer = await inTime(broker, sendRaw(port, text))
    expect(JSON.stringify(answer)).not.toContain(CANARY)
    return answer
  }

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s takes the token to the API, and not to the program',
    async (method) => {
      const answer = await send(`${method} /files/1?x=2 HTTP/1.1`)
      expect([answer.status, answer.body.includes(API_TEXT)]).toEqual([200, method !== 'HEAD'])
      expect(api.seen).toMatchObject([
        {
          method,
          path: '/files/1?x=2',
          headers: {
            host: 'docs.example.com',
            authorization: expect.stringMatching(new RegExp(`^Bearer ${CANARY}-\\d+$`)) as string,
          },
        },
      ])
      expect(api.seen[0]?.headers['lumo-broker']).toBeUndefined()
    },
  )

  test('the token is asked for once', async () => {
    await send()
    await send('GET /another HTTP/1.1')
    expect(broker.authority.asked).toHaveLength(1)
  })

  test('a body arrives as it was sent', async () => {
    const body = 'x'.repeat(200_000)
    await send('POST / HTTP/1.1', [], body)
    expect(api.seen.map((one) => one.body === body)).toEqual([true])
  })

  const targets = [
    '/..%2fother',
    '/%2e%2e/other',
    '/x/../../other',
    '//other',
    '/?audience=https://x',
  ]
  test.each(targets)('the target %s gets the token of no other route', async (target) => {
    await send(`GET ${target} HTTP/1.1`)
    const audiences = broker.authority.asked.flatMap((asked) => asked.audiences)
    expect(audiences.filter((one) => one !== 'https://docs.example.com')).toEqual([])
  })

  type Sent = readonly [string, readonly string[], Readonly<Record<GatewayName, number>>]
  const own = 'Authorization: Bearer of-the-program'
  const authorizations: readonly Sent[] = [
    ['one Authorization', [own], { nginx: 200, envoy: 200 }],
    ['two of them', [own, 'authorization: Basic of-the-program'], { nginx: 400, envoy: 200 }],
    ['one that is empty', ['Authorization:'], { nginx: 200, envoy: 200 }],
  ]
  test.each(authorizations)(
    '%s of the program never reaches the API',
    async (_what, headers, { [name]: status }) => {
      expect((await send('GET / HTTP/1.1', headers)).status).toBe(status)
      const sent = api.seen.map((one) => one.headers.authorization)
      expect(sent.map((one) => one?.startsWith(`Bearer ${CANARY}-`))).toEqual(
        status === 200 ? [true] : [],
      )
      expect(JSON.stringify(api.seen)).not.toContain('of-the-program')
    },
  )

  const refused: readonly (readonly [string, readonly string[]])[] = [
    ['a subject token', ['Lumo-Subject-Token: abc']],
    ['a session', ['Lumo-Session: abc']],
  ]
  test.each(refused)('%s is refused, and the API gets nothing', async (_what, headers) => {
    expect((await send('GET / HTTP/1.1', headers)).status).toBe(403)
    expect(api.seen).toEqual([])
  })

  test('an authority that is out is 503, and the API gets nothing', async () => {
    broker.authority.fail(new ExchangeFailure('outage', 'connect', 'it refused the connection'))
    expect((await send('GET / HTTP/1.1', ['Authorization: Bearer mine'])).status).toBe(503)
    expect(api.seen).toEqual([])
  })

  test('what the local policy does not allow is 403, and the API gets nothing', async () => {
    const document = { workloads: [{ name: 'others', allow: [{ audience: 'https://a.example' }] }] }
    const bytes = Buffer.from(JSON.stringify(document))
    broker.usePolicy(LocalPolicy.parse([{ path: 'policy.yaml', bytes }]))
    expect((await send()).status).toBe(403)
    expect(api.seen).toEqual([])
  })

  const broken: readonly (readonly [string, Readonly<Record<GatewayName, number>>, object])[] = [
    ['a used-up limit', { nginx: 503, envoy: 429 }, { rateLimit: { perSecond: 1, burst: 1 } }],
    [
      'a route that is not configured',
      { nginx: 503, envoy: 404 },
      { section: { routes: [{ name: 'docs-2', audience: 'https://docs.example.com' }] } },
    ],
  ]
  test.each(broken)('%s ends in %j', async (_what, { [name]: status }, wish) => {
    const other = await openedAuthorization({ section, ...wish })
    other.workload.rate.take()
    const beside = await documentedGateway(name, { ...places(), brokerPort: other.port })
    expect((await send(undefined, [], undefined, beside.port)).status).toBe(status)
    expect(api.seen).toEqual([])
    await beside.close()
    await other.close()
  })

  test('without a broker it is 503, and the API gets nothing', async () => {
    const gone = await openedAuthorization({ section })
    const beside = await documentedGateway(name, { ...places(), brokerPort: gone.port })
    await gone.close()
    expect((await send(undefined, [], undefined, beside.port)).status).toBe(503)
    expect(api.seen).toEqual([])
    await beside.close()
  })

  test('the broker can be on a socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'authorization-'))
    const path = join(folder, 'a.sock')
    const other = await openedAuthorization({ section: { ...section, listen: [`unix:${path}`] } })
    const at = `127.0.0.1:${String(broker.port)}`
    const tcp = `socket_address: { address: 127.0.0.1, port_value: ${String(broker.port)} }`
    const beside = await documentedGateway(name, places(), (config) =>
      name === 'nginx'
        ? replaced(config, at, `unix:${path}`)
        : replaced(config, tcp, `pipe: { path: ${path} }`),
    )
    expect((await send(undefined, [], undefined, beside.port)).status).toBe(200)
    expect([other.authority.asked.length, broker.authority.asked.length]).toEqual([1, 0])
    await beside.close()
    await other.close()
    await rm(folder, { recursive: true })
  })

  const hosts: readonly (readonly [string, Readonly<Record<GatewayName, number>>])[] = [
    ['127.0.0.1:8081', { nginx: 200, envoy: 200 }],
    ['docs.example.com', { nginx: 200, envoy: 200 }],
    ['other.example.com', { nginx: 200, envoy: 403 }],
  ]
  test.each(hosts)('the host %s ends in %j', async (host, { [name]: status }) => {
    const text = requestText('GET / HTTP/1.1', [`Host: ${host}`])
    expect((await inTime(broker, sendRaw(gateway.port, text))).status).toBe(status)
    expect(api.seen).toHaveLength(status === 200 ? 1 : 0)
  })

  test('a gateway that does not set the guard header gets nothing', async () => {
    const without = {
      nginx: 'proxy_set_header Lumo-Broker true;',
      envoy: `headers_to_add: [{ key: lumo-broker, value: 'true' }]`,
    }
    const beside = await documentedGateway(name, places(), (config) =>
      replaced(config, without[name], name === 'nginx' ? '' : '{}'),
    )
    expect((await send(undefined, [], undefined, beside.port)).status).toBe(403)
    expect((await send(undefined, ['Lumo-Broker: true'], undefined, beside.port)).status).toBe(403)
    expect([api.seen, broker.authority.asked]).toEqual([[], []])
    await beside.close()
  })
})
