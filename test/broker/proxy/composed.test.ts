import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startBroker } from '../../../src/compose/broker.ts'
import { resolveConfig } from '../../../src/config/load.ts'
import { proofAudience, proofClaims, proofOf } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { serve } from '../../fakes/loopback.ts'
import { freePorts, occupy, release } from '../../fakes/ports.ts'
import { testSurroundings } from '../../fakes/surroundings.ts'
import { ask, codeOf, docs, startUpstream } from './world.ts'

const TOKEN = '/t/acme-corp/api/v1/oauth/token'
const issued = { access_token: 'abc', token_type: 'Bearer', expires_in: 3_600, scope: 'read' }

/** A sidecar as it is composed, with a proxy, before an authority that issues to everybody. */
async function start(
  listen: (folder: string) => readonly string[],
  changes: object = {},
  more: object = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const [authority, upstream] = [
    await serve({ [TOKEN]: { body: JSON.stringify(issued) } }),
    await startUpstream(),
  ]
  onTestFinished(authority.close)
  const clock = new FakeClock()
  const surroundings = testSurroundings(clock)
  const file = join(folder, 'proof')
  await writeFile(file, proofOf(proofClaims(clock.now)))
  const broker = {
    listen: ['127.0.0.1:0'],
    authority: { url: authority.origin, tenant: 'acme-corp' },
    proof: { file, audience: proofAudience },
    proxy: { listen: listen(folder), routes: [docs(upstream.origin, changes)] },
    ...more,
  }
  const config = resolveConfig({ roles: ['broker'], broker }, {}).broker
  if (!config) throw new Error('the document has no broker')
  const running = await startBroker(config, undefined, surroundings)
  onTestFinished(() => running.stop(0))
  return { running, upstream, authority, folder }
}

function placeOf(address = ''): { readonly host: string; readonly port: number } {
  return { host: address, port: Number(address.split(':').at(-1)) }
}

test("a sidecar's proxy adds the workload's own token", async () => {
  const { running, upstream, authority } = await start(() => ['127.0.0.1:0'])
  const place = placeOf(running.proxyAddresses[0])
  for (let count = 0; count < 3; count += 1) {
    expect((await ask(place, 'GET /docs/a')).body).toBe('hello')
  }
  expect(upstream.seen.map(({ headers }) => headers.authorization)).toEqual(
    Array.from({ length: 3 }, () => 'Bearer abc'),
  )
  // One token for the pod itself, and one for the route.
  expect(authority.seen.length).toBeLessThanOrEqual(2)
})

test('a route for users has no token for a session that there is not', async () => {
  const { running, upstream } = await start(() => ['127.0.0.1:0'], { onBehalfOf: 'subject' })
  const place = placeOf(running.proxyAddresses[0])
  const answer = await ask(place, 'GET /docs/a', [`Lumo-Session: ${'A'.repeat(43)}`])
  expect(codeOf(answer)).toMatch(/^404 session_(unknown|lost)$/)
  const foreign = await ask(place, 'GET /docs/a', ['Lumo-Subject-Token: abc'])
  expect(foreign.status).toBe(400)
  expect(upstream.seen).toEqual([])
})

test('over a socket it is called localhost', async () => {
  const { folder } = await start((where) => [`unix:${join(where, 'proxy.sock')}`])
  const statusFor = (host: string) =>
    new Promise((resolve, reject) => {
      const headers = { host, 'lumo-broker': 'true' }
      const options = { socketPath: join(folder, 'proxy.sock'), path: '/docs/a', headers }
      get({ ...options, agent: false }, (incoming) => {
        incoming.resume()
        resolve(incoming.statusCode)
      }).on('error', reject)
    })
  expect(await statusFor('localhost')).toBe(200)
  expect(await statusFor('127.0.0.1:9181')).toBe(403)
})

test('where the broker cannot listen, its proxy does not either', async () => {
  const port = await freePorts([0, 1])
  const taken = await occupy(port)
  const proxy = port + 1
  const listen = [`127.0.0.1:${String(port)}`]
  await expect(start(() => [`127.0.0.1:${String(proxy)}`], {}, { listen })).rejects.toThrow(
    `the broker cannot listen on 127.0.0.1:${String(port)}: another program already does`,
  )
  // Nothing that listened still would keep the program from its end.
  await expect(ask(placeOf(`127.0.0.1:${String(proxy)}`), 'GET /docs/a')).rejects.toThrow()
  await release(taken)
})
