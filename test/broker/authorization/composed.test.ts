import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startBroker } from '../../../src/compose/broker.ts'
import { resolveConfig } from '../../../src/config/load.ts'
import { proofAudience, proofClaims, proofOf } from '../../fakes/broker.ts'
import { serve } from '../../fakes/loopback.ts'
import { freePorts, occupy, release } from '../../fakes/ports.ts'
import { requestText, sendRaw } from '../../fakes/raw_http.ts'
import { testSurroundings } from '../../fakes/surroundings.ts'

const TOKEN = '/t/acme-corp/api/v1/oauth/token'
const issued = { access_token: 'abc', token_type: 'Bearer', expires_in: 3_600, scope: 'read' }
const ASK = 'GET /v1/authorization/docs HTTP/1.1'
const asGateway = (port: number) => [`Host: 127.0.0.1:${String(port)}`, 'Lumo-Broker: true']

/** A broker as it is composed for a pod, before an authority that issues to everybody. */
async function start(section: object) {
  const folder = await mkdtemp(join(tmpdir(), 'authorization-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const authority = await serve({ [TOKEN]: { body: JSON.stringify(issued) } })
  onTestFinished(authority.close)
  const surroundings = testSurroundings()
  const file = join(folder, 'proof')
  await writeFile(file, proofOf(proofClaims(Math.floor(surroundings.clock.wall() / 1_000))))
  const { broker } = resolveConfig(
    {
      roles: ['broker'],
      broker: {
        listen: ['127.0.0.1:0'],
        authority: { url: authority.origin, tenant: 'acme-corp' },
        proof: { file, audience: proofAudience },
        ...section,
      },
    },
    {},
  )
  if (!broker) throw new Error('the document has no broker')
  const running = await startBroker(broker, undefined, surroundings)
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (!isStopped) await running.stop(0)
    isStopped = true
  }
  onTestFinished(stop)
  return { running, stop }
}

function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}

const route = { name: 'docs', audience: 'https://docs.example.com' }

test('a broker with the section serves tokens to gateways, until it ends', async () => {
  const port = await freePorts([0])
  const { running, stop } = await start({
    authorization: { listen: [`127.0.0.1:${String(port)}`], routes: [route] },
  })
  const answer = await sendRaw(port, requestText(ASK, asGateway(port)))
  expect([answer.status, answer.header('authorization')]).toEqual([200, 'Bearer abc'])
  // On its own listener only.
  const own = Number(running.addresses[0]?.split(':')[1])
  expect((await sendRaw(own, requestText(ASK, asGateway(own)))).status).toBe(404)
  await stop()
  expect(await connects(port)).toBe(false)
})

test('a broker without it serves none', async () => {
  const { running } = await start({})
  const own = Number(running.addresses[0]?.split(':')[1])
  expect((await sendRaw(own, requestText(ASK, asGateway(own)))).status).toBe(404)
})

test('an address that is taken is said, and nothing is left open', async () => {
  const port = await freePorts([0, 1])
  const taken = await occupy(port)
  const broker = port + 1
  await expect(
    start({
      listen: [`127.0.0.1:${String(broker)}`],
      authorization: { listen: [`127.0.0.1:${String(port)}`], routes: [route] },
    }),
  ).rejects.toThrow(
    `the authorization listener cannot listen on 127.0.0.1:${String(port)}: another program already does`,
  )
  expect(await connects(broker)).toBe(false)
  await release(taken)
})
