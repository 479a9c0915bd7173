import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startAuthority, type RunningAuthority } from '../../src/compose/authority.ts'
import type { HttpClient } from '../../src/platform/http_client.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster, type TokenChanges } from '../fakes/cluster.ts'
import {
  authorityConfig,
  client,
  exchangeOf,
  FORM,
  formBody,
  JWT,
  newFolder,
  sendHttp,
  type Answer,
  type Json,
} from '../fakes/running_authority.ts'
import { encodeParts, signParts } from '../fakes/sts/signed_token.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

const AUDIENCE = 'https://auth.example/t/acme-corp/api/v1'
const REQUEST = 'urn:ietf:params:aws:token-type:aws4_request'

/** A server that takes every connection, says nothing, and counts. */
class Trap {
  connections = 0
  readonly #server: Server = createServer((socket) => {
    this.connections += 1
    socket.on('error', () => {}).destroy()
  })

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve)
    })
    return this
  }

  get origin(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
  }
}

const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now, { audience: AUDIENCE })
const attacker = new FakeCluster(() => clock.now, { audience: AUDIENCE })
/** Nobody configured it. */
const foreign = new Trap()
/** The issuer and the STS of providers that are configured. */
const listed = new Trap()

const surroundings = testSurroundings(clock)
let asked = 0
const http: HttpClient = (request) => {
  asked += 1
  return surroundings.http(request)
}

/** Sockets to other hosts that this process began to open, whoever did; each request of a test is one. */
let sockets = 0
const count = (): void => {
  sockets += 1
}

let folder: string
let running: RunningAuthority

async function tenants(): Promise<readonly Json[]> {
  const provider = (name: string, more: Json): Json => ({ name, kind: 'kubernetes', ...more })
  return [
    {
      slug: 'acme-corp',
      providers: [
        provider('prod', { issuers: [cluster.issuer], keys: { inline: await cluster.jwks() } }),
        provider('listed', { issuers: [listed.origin], keys: { discovery: true } }),
        {
          name: 'aws',
          kind: 'aws',
          form: 'signed-request',
          accounts: ['111122223333'],
          regions: ['eu-west-1'],
          stsEndpoint: listed.origin,
        },
      ],
      clients: [client('reporter')],
    },
  ]
}

beforeAll(async () => {
  await Promise.all([foreign.start(), listed.start()])
  folder = await newFolder()
  const config = await authorityConfig(folder, cluster, { tenants, policy: 'agents: []' })
  running = await startAuthority(config, { ...surroundings, http })
  subscribe('net.client.socket', count)
})

afterAll(async () => {
  unsubscribe('net.client.socket', count)
  await running.stop(0)
  await Promise.all([foreign.stop(), listed.stop(), rm(folder, { recursive: true })])
})

beforeEach(() => {
  foreign.connections = 0
  listed.connections = 0
  asked = 0
  sockets = 0
})

function post(form: Readonly<Record<string, string>>): Promise<Answer> {
  const port = Number(running.addresses[0]?.split(':')[1])
  return sendHttp(port, { ...formBody(form), headers: FORM })
}

/** Everything that went out, but for the requests of the test itself. */
const wentOut = (requests: number) => ({
  foreign: foreign.connections,
  listed: listed.connections,
  asked,
  sockets: sockets - requests,
})
const nothing = { foreign: 0, listed: 0, asked: 0, sockets: 0 }

type Case = readonly [name: string, changes: () => TokenChanges]

const key = attacker.privateKey
const at = (path: string) => `${foreign.origin}${path}`

const tokens: readonly Case[] = [
  ['an issuer that is a server here', () => ({ claims: { iss: foreign.origin }, key })],
  ['such an issuer with a path', () => ({ claims: { iss: at('/realms/x') }, key })],
  [
    'such an issuer, by name',
    () => ({ claims: { iss: foreign.origin.replace('127.0.0.1', 'localhost') }, key }),
  ],
  [
    'such an issuer, with credentials',
    () => ({ claims: { iss: foreign.origin.replace('//', '//a:b@') }, key }),
  ],
  ['an issuer on the network', () => ({ claims: { iss: 'https://issuer.example' }, key })],
  [
    'the issuer that is configured, with a slash more',
    () => ({ claims: { iss: `${listed.origin}/` }, key }),
  ],
  [
    'the issuer that is configured, for another audience',
    () => ({ claims: { iss: listed.origin, aud: ['https://other.example'] }, key }),
  ],
  [
    'the issuer that is configured, for two audiences',
    () => ({ claims: { iss: listed.origin, aud: [AUDIENCE, 'x'] }, key }),
  ],
  [
    'the issuer that is configured, with another algorithm',
    () => ({ claims: { iss: listed.origin }, header: { alg: 'PS256' }, key }),
  ],
  ['an audience that is a server here', () => ({ claims: { aud: [foreign.origin] } })],
  ['jku', () => ({ header: { jku: at('/keys') }, key })],
  ['x5u', () => ({ header: { x5u: at('/certificate') }, key })],
  [
    'jku of the issuer that is configured',
    () => ({ claims: { iss: listed.origin }, header: { jku: `${listed.origin}/keys` }, key }),
  ],
  ['kid that is a URL', () => ({ header: { kid: at('/key') }, key })],
  [
    'claims that are URLs',
    () => ({
      claims: { jwks_uri: at('/keys'), _claim_sources: { a: { endpoint: at('/claims') } } },
      key,
    }),
  ],
]

describe('a token causes no connection: it has', () => {
  test.each(tokens)('%s', async (_, changes) => {
    const token = await attacker.token(changes())
    const { status, json } = await post(exchangeOf(token))
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: 'invalid_request' })
    expect(wentOut(1)).toEqual(nothing)
  })

  test.each(['actor_token', 'client_assertion'])('an unknown issuer, as %s', async (name) => {
    const token = await attacker.token({
      claims: { iss: foreign.origin },
      header: { jku: at('/k') },
    })
    const type =
      name === 'actor_token' ? JWT : 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const good = await cluster.token()
    const { status } = await post(exchangeOf(good, { [name]: token, [`${name}_type`]: type }))
    expect([400, 401]).toContain(status)
    expect(wentOut(1)).toEqual(nothing)
  })

  test('an unknown issuer, a hundred times at once', async () => {
    const token = await attacker.token({ claims: { iss: foreign.origin } })
    await Promise.all(Array.from({ length: 100 }, () => post(exchangeOf(token))))
    expect(wentOut(100)).toEqual(nothing)
  })
})

const credentials = { accessKeyId: 'AKIAABCDEFGHIJKLMNOP', secretAccessKey: 'x' }

function requestFor(audience: string, change: (url: string) => string = (url) => url): string {
  const parts = signParts({ credentials, audience, at: clock.now })
  return encodeParts({ ...parts, url: change(parts.url) })
}

const requests: readonly (readonly [name: string, request: () => string])[] = [
  ['an unknown audience', () => requestFor('https://other.example')],
  ['the audience of another tenant', () => requestFor('https://auth.example/t/globex/api/v1')],
  ['an audience that is a server here', () => requestFor(foreign.origin)],
  [
    'our audience, and a URL of a server here',
    () => requestFor(AUDIENCE, (url) => url.replace(/^https:..[^/]*/, foreign.origin)),
  ],
  [
    'our audience, and a host of STS as user name',
    () =>
      requestFor(AUDIENCE, (url) => url.replace('.com/', `.com@${new URL(foreign.origin).host}/`)),
  ],
  [
    'our audience, and another region',
    () =>
      encodeParts(
        signParts({ credentials, audience: AUDIENCE, at: clock.now, region: 'eu-west-2' }),
      ),
  ],
  [
    'our audience, long ago',
    () => encodeParts(signParts({ credentials, audience: AUDIENCE, at: clock.now - 3_600 })),
  ],
]

describe('a signed request causes no connection: it has', () => {
  test.each(requests)('%s', async (_, request) => {
    const { status } = await post(exchangeOf(request(), { subject_token_type: REQUEST }))
    expect(status).toBe(400)
    expect(wentOut(1)).toEqual(nothing)
  })
})

describe('what is configured is asked, so the counters count', () => {
  test('the issuer of a token', async () => {
    const token = await attacker.token({ claims: { iss: listed.origin } })
    expect((await post(exchangeOf(token))).status).toBe(503)
    expect(wentOut(1)).toEqual({ foreign: 0, listed: 1, asked: 1, sockets: 1 })
  })

  test('the STS of a signed request', async () => {
    const form = exchangeOf(requestFor(AUDIENCE), { subject_token_type: REQUEST })
    expect((await post(form)).status).toBe(503)
    expect(wentOut(1)).toEqual({ foreign: 0, listed: 1, asked: 1, sockets: 1 })
  })
})
