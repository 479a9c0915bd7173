import { writeFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { createConnection, type NetConnectOpts } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startBroker } from '../../src/compose/broker.ts'
import { resolveConfig } from '../../src/config/load.ts'
import { proofAudience, proofClaims, proofOf, settled } from '../fakes/broker.ts'
import { FakeClock } from '../fakes/clock.ts'
import { serve } from '../fakes/loopback.ts'
import { freePorts } from '../fakes/ports.ts'
import { testSurroundings } from '../fakes/surroundings.ts'

const TOKEN = '/t/acme-corp/api/v1/oauth/token'
const issued = { access_token: 'abc', token_type: 'Bearer', expires_in: 3_600, scope: 'read' }

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A broker as it is composed for a pod, before an authority that issues to everybody. */
async function start(broker: (folder: string) => object) {
  const folder = await mkdtemp(join(tmpdir(), 'composed-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const authority = await serve({ [TOKEN]: { body: JSON.stringify(issued) } })
  onTestFinished(authority.close)
  const clock = new FakeClock()
  const surroundings = testSurroundings(clock)
  const file = join(folder, 'proof')
  await writeFile(file, proofOf(proofClaims(clock.now)))
  const config = resolveConfig(
    {
      roles: ['broker'],
      broker: {
        authority: { url: authority.origin, tenant: 'acme-corp' },
        proof: { file, audience: proofAudience },
        ...broker(folder),
      },
    },
    {},
  ).broker
  if (!config) throw new Error('the document has no broker')
  const running = await startBroker(config, undefined, surroundings)
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (!isStopped) await running.stop(0)
    isStopped = true
  }
  onTestFinished(stop)
  return { folder, clock, authority, running, stop, log: surroundings.log }
}

function ask(socketPath: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const path = '/v1/token'
    const sent = { 'Lumo-Broker': 'true', ...headers }
    get({ socketPath, path, headers: sent, agent: false }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString()) as Answer['body']
        resolve({ status: incoming.statusCode ?? 0, body })
      })
    }).on('error', reject)
  })
}

function connects(options: NetConnectOpts): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(options)
    socket.once('connect', () => {
      socket.destroy()
      resolve('connected')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? '')
    })
  })
}

describe('a broker on a socket', () => {
  const onSocket = () => start((folder) => ({ listen: [`unix:${join(folder, 'b.sock')}`] }))

  test('serves tokens there, and nowhere else', async () => {
    const { folder, running } = await onSocket()
    const path = join(folder, 'b.sock')
    expect(running.addresses).toEqual([`unix:${path}`])
    const { status, body } = await ask(path, { Host: 'localhost' })
    expect([status, body['access_token']]).toEqual([200, 'abc'])
  })

  test.each([
    ['localhost', 200, undefined],
    ['localhost:9180', 403, 'host_not_allowed'],
    ['127.0.0.1', 403, 'host_not_allowed'],
    ['attacker.example', 403, 'host_not_allowed'],
  ])('serves the host %j or not', async (host, status, code) => {
    const { folder } = await onSocket()
    const answer = await ask(join(folder, 'b.sock'), { Host: host })
    expect([answer.status, answer.body['code']]).toEqual([status, code])
  })

  test('keeps the other guards', async () => {
    const { folder } = await onSocket()
    const path = join(folder, 'b.sock')
    const codes = [{ 'Lumo-Broker': 'no' }, { Origin: 'http://localhost' }, { Via: '1.1 p' }].map(
      async (headers) => (await ask(path, { Host: 'localhost', ...headers })).body['code'],
    )
    expect(await Promise.all(codes)).toEqual([
      'guard_header_missing',
      'forwarded_request',
      'forwarded_request',
    ])
  })

  test('is gone with its socket once it is stopped', async () => {
    const { folder, stop } = await onSocket()
    await stop()
    expect(await connects({ path: join(folder, 'b.sock') })).toBe('ENOENT')
  })

  test('that was moved from TCP leaves no port open', async () => {
    const port = await freePorts([0])
    const tcp = await start(() => ({ listen: [`127.0.0.1:${String(port)}`] }))
    expect(await connects({ host: '127.0.0.1', port })).toBe('connected')
    await tcp.stop()
    await onSocket()
    expect(await connects({ host: '127.0.0.1', port })).toBe('ECONNREFUSED')
  })
})

describe('a local policy', () => {
  const allowing = (...scopes: readonly string[]) =>
    JSON.stringify({ workloads: [{ name: 'analyst', namespace: 'research', allow: [{ scopes }] }] })

  /** Lets time pass until something is so, for what reads real files. */
  async function until(clock: FakeClock, holds: () => Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 20_000; turn += 1) {
      if (await holds()) return
      clock.advance(100)
      await settled()
    }
    throw new Error('it did not come to hold')
  }

  test('that changes in its file has what is held dropped, and comes back within 10 s', async () => {
    let policy = ''
    const { folder, clock, authority } = await start((within) => {
      policy = join(within, 'policy.json')
      writeFileSync(policy, allowing('read'))
      return { listen: [`unix:${join(within, 'b.sock')}`], policy }
    })
    const code = async () =>
      (await ask(join(folder, 'b.sock'), { Host: 'localhost' })).body['code'] ?? 'served'
    expect(await code()).toBe('served')
    await writeFile(policy, allowing('other'))
    await until(clock, async () => (await code()) === 'scope_not_allowed')
    // Where no scope is named, one that is allowed is asked for.
    expect(authority.seen).toHaveLength(2)
    const before = clock.monotonic()
    await writeFile(policy, allowing('read', 'other'))
    await until(clock, async () => (await code()) === 'served')
    expect(clock.monotonic() - before).toBeLessThan(10_200)
    expect(authority.seen).toHaveLength(3)
  })

  test('that is broken leaves the last one in force', async () => {
    let policy = ''
    const { folder, clock, log } = await start((within) => {
      policy = join(within, 'policy.json')
      writeFileSync(policy, allowing('read'))
      return { listen: [`unix:${join(within, 'b.sock')}`], policy }
    })
    await writeFile(policy, '{')
    await until(clock, () => Promise.resolve(log.text().includes('local_policy')))
    const { status } = await ask(join(folder, 'b.sock'), { Host: 'localhost' })
    expect(status).toBe(200)
  })
})
