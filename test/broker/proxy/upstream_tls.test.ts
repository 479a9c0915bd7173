import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttp } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import { listen } from '../../../src/platform/listen.ts'
import { makeCa } from '../../fakes/certificates.ts'
import { ask, codeOf, docs, eventually, listenOnLoopback, startProxy } from './world.ts'

const ours = await makeCa('ours')
const theirs = await makeCa('theirs')

/** An upstream over TLS, for 127.0.0.1 and for docs.test. */
async function secure() {
  const seen: (readonly string[])[] = []
  const listening = await listen(
    {
      role: 'test',
      handler: (request, response) => {
        seen.push(request.rawHeaders)
        response.end('secure')
      },
      addresses: [{ host: '127.0.0.1', port: 0 }],
      tls: await ours.issue(['docs.test']),
    },
    systemClock,
  )
  onTestFinished(() => listening.close(0))
  return { port: Number(listening.addresses[0]?.split(':')[1]), seen }
}

async function caFile(pem: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'ca.pem')
  await writeFile(file, pem)
  return file
}

describe('an upstream over TLS', () => {
  test('of the CA of the route is trusted', async () => {
    const { port } = await secure()
    const changes = { caFile: await caFile(ours.pem) }
    const proxy = await startProxy({ routes: [docs(`https://127.0.0.1:${String(port)}`, changes)] })
    expect((await ask(proxy, 'GET /docs/a')).body).toBe('secure')
  })

  test.each([
    ['another CA', () => caFile(theirs.pem)],
    ['the CAs of the system', () => Promise.resolve(undefined)],
  ])('is not trusted by %s, and nothing is sent', async (_name, make) => {
    const { port, seen } = await secure()
    const file = await make()
    const changes = file === undefined ? {} : { caFile: file }
    const proxy = await startProxy({ routes: [docs(`https://127.0.0.1:${String(port)}`, changes)] })
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('502 upstream_unavailable')
    expect(seen).toEqual([])
    expect(proxy.log.text()).toContain('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })

  test('is trusted by a CA that takes the place of another', async () => {
    const { port } = await secure()
    const file = await caFile(theirs.pem)
    const route = docs(`https://127.0.0.1:${String(port)}`, { caFile: file })
    const proxy = await startProxy({ routes: [route] })
    expect((await ask(proxy, 'GET /docs/a')).status).toBe(502)
    await writeFile(file, ours.pem)
    proxy.clock.advance(1_000)
    await eventually(() => proxy.log.text().includes('a changed file was taken up'))
    expect((await ask(proxy, 'GET /docs/a')).body).toBe('secure')
  })

  test('whose CA is none keeps the proxy from starting', async () => {
    const file = await caFile('no certificate')
    const routes = [docs('https://docs.test', { caFile: file })]
    await expect(startProxy({ routes })).rejects.toThrow(
      `broker.proxy, caFile of the route docs: ${file} holds no PEM certificate`,
    )
  })
})

describe('behind a proxy of the environment', () => {
  /** A proxy for HTTPS that leads everything to one port of the loopback. */
  async function tunnelTo(port: number) {
    const asked: string[] = []
    const sockets = new Set<Socket>()
    const server = createHttp()
    server.on('connect', (request, socket: Socket, head: Buffer) => {
      asked.push(`${request.url ?? ''} ${request.headers['proxy-authorization'] ?? ''}`.trim())
      const upstream = connect({ host: '127.0.0.1', port })
      for (const one of [socket, upstream]) {
        sockets.add(one)
        one.on('error', () => one.destroy())
      }
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      upstream.write(head)
      upstream.pipe(socket)
      socket.pipe(upstream)
    })
    const host = await listenOnLoopback(server)
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return { host, asked }
  }

  const headers = ['Accept: text/plain', 'accept: text/html', 'X-Own: 1', 'constructor: x']

  test('an upstream is reached through it, with every header field', async () => {
    const { port, seen } = await secure()
    const tunnel = await tunnelTo(port)
    const changes = { caFile: await caFile(ours.pem) }
    const proxy = await startProxy({
      routes: [docs('https://docs.test', changes)],
      proxyEnv: { HTTPS_PROXY: `http://user:word@${tunnel.host}` },
    })
    expect((await ask(proxy, 'GET /docs/a', headers)).body).toBe('secure')
    expect(tunnel.asked).toEqual([`docs.test:443 Basic ${btoa('user:word')}`])
    const fields = (seen[0] ?? []).join('\n')
    expect(fields).toContain('accept\ntext/plain\naccept\ntext/html')
    expect(fields).toContain('x-own\n1')
    expect(fields).toContain('constructor\nx')
    expect(fields).toContain('authorization\nBearer own-1')
    expect(fields).toContain('host\ndocs.test')
    expect(fields).not.toContain('proxy')
  })

  test('an upstream of NO_PROXY, or on the loopback, is not', async () => {
    const { port } = await secure()
    const tunnel = await tunnelTo(port)
    const file = await caFile(ours.pem)
    const proxy = await startProxy({
      routes: [
        docs(`https://localhost:${String(port)}`, { caFile: file }),
        docs(`https://docs.test:${String(port)}`, { name: 'direct', caFile: file }),
      ],
      proxyEnv: { HTTPS_PROXY: `http://${tunnel.host}`, NO_PROXY: '.test' },
    })
    expect((await ask(proxy, 'GET /docs/a')).body).toBe('secure')
    // Which would have to be looked up, and tests have no network.
    expect(codeOf(await ask(proxy, 'GET /direct/a'))).toBe('502 upstream_unavailable')
    expect(tunnel.asked).toEqual([])
  })

  test('whose certificate is not that of the CA it is not sent to', async () => {
    const { port, seen } = await secure()
    const tunnel = await tunnelTo(port)
    const proxy = await startProxy({
      routes: [docs('https://other.test', { caFile: await caFile(ours.pem) })],
      proxyEnv: { HTTPS_PROXY: `http://${tunnel.host}` },
    })
    expect(codeOf(await ask(proxy, 'GET /docs/a'))).toBe('502 upstream_unavailable')
    expect(seen).toEqual([])
    expect(proxy.log.text()).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })
})
