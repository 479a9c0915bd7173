import { createServer, type Server } from 'node:http'
import { writeFile, rm } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { resolveConfig } from '../../../src/config/load.ts'
import { RelyingParty } from '../../../src/endpoint/sign_in/upstream/relying_party.ts'
import { UpstreamRefusal } from '../../../src/endpoint/sign_in/upstream/refusal.ts'
import { systemFiles } from '../../../src/platform/files.ts'
import { nodeHttpClient } from '../../../src/platform/http_client.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { tenantWith } from '../../fakes/config_documents.ts'
import type { Json } from '../../fakes/running_authority.ts'
import { fakeProvider, type FakeProvider } from './upstream_provider.ts'
import { secretFile, upstreamAt } from './upstream_steps.ts'

const binding = {
  state: 'state',
  nonce: 'nonce',
  verifier: 'v'.repeat(43),
  redirectUri: 'https://auth.example/callback',
}

const clock = new FakeClock()
let provider: FakeProvider
let file: string

beforeAll(async () => {
  provider = await fakeProvider(clock)
  file = await secretFile()
})

afterEach(() => {
  provider.twist = {}
})

afterAll(() => provider.close())

function party(more: Json = {}): RelyingParty {
  const upstreams = [upstreamAt(provider.issuer, file, more)]
  const config = resolveConfig(tenantWith({ upstreams }), {}).authority?.tenants[0]?.upstreams[0]
  if (!config) throw new Error('no upstream')
  return new RelyingParty(config, { http: nodeHttpClient(clock, {}), files: systemFiles, clock })
}

/** Sends somebody there and back; who it is, or why nobody. */
async function signIn(relying: RelyingParty): Promise<string | undefined> {
  const url = await relying.authorizationUrl(binding, undefined)
  if (url instanceof UpstreamRefusal) return url.code
  const back = new URL(provider.signIn(url.href))
  const identity = await relying.identify(back.search.slice(1), binding)
  return identity instanceof UpstreamRefusal ? identity.code : identity.subject
}

test('a token endpoint that hangs is given up after five seconds', async () => {
  provider.twist = {
    token: () => {
      clock.advance(5_000)
    },
  }
  expect(await signIn(party())).toBe('upstream_out')
})

test('a provider that is not there is asked once in five seconds, however often people come', async () => {
  let asked = 0
  const server = createServer((_request, response) => {
    asked += 1
    response.writeHead(503).end()
  })
  const relying = party({ issuer: await originOf(server) })
  const codes = await Promise.all([1, 2, 3].map(() => signIn(relying)))
  expect([codes, asked]).toEqual([Array(3).fill('upstream_out'), 1])
  expect([await signIn(relying), asked]).toEqual(['upstream_out', 1])
  clock.advance(5_000)
  expect([await signIn(relying), asked]).toEqual(['upstream_out', 2])
  server.closeAllConnections()
  server.close()
})

test('its document serves for an hour, and for a day while it cannot be fetched anew', async () => {
  const relying = party()
  const documents = () => provider.seen.filter((path) => path.startsWith('/.well-known/')).length
  const before = documents()
  expect(await signIn(relying)).toBe('subject-1')
  clock.advance(3_599_000)
  expect([await signIn(relying), documents()]).toEqual(['subject-1', before + 1])
  clock.advance(1_000)
  provider.twist = { metadata: { issuer: 'https://evil.example' } }
  expect([await signIn(relying), documents()]).toEqual(['subject-1', before + 2])
  clock.advance(82_800_000)
  expect(await signIn(relying)).toBe('upstream_document_wrong')
})

test('a secret that changes is taken up, and one that is gone is no fault of the person', async () => {
  const own = await secretFile()
  const relying = party({ clientSecretFile: own })
  expect(await signIn(relying)).toBe('subject-1')
  await writeFile(own, 'another')
  expect(await signIn(relying)).toBe('upstream_client_refused')
  await writeFile(own, '\n')
  expect(await signIn(relying)).toBe('upstream_file_unreadable')
  await rm(own)
  expect(await signIn(relying)).toBe('upstream_file_unreadable')
})

test('with a CA that is none nobody is asked', async () => {
  expect(await signIn(party({ caFile: '/nowhere/ca.pem' }))).toBe('upstream_file_unreadable')
})

async function originOf(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${String(address.port)}`
}
