import type { LookupAddress } from 'node:dns'
import { createServer } from 'node:http'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/platform/clock.ts'
import type { Resolve } from '../../src/platform/guarded_lookup.ts'
import { nodeHttpClient } from '../../src/platform/http_client.ts'
import { outcomeOf, requestTo } from '../fakes/asking.ts'
import { open } from '../fakes/peer.ts'

/** A name server that knows `localhost` by these addresses, and counts who asks. */
function nameServer(...addresses: readonly string[]) {
  const asked: string[] = []
  const resolve: Resolve = (hostname, _, callback) => {
    asked.push(hostname)
    const found = addresses.map<LookupAddress>((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }))
    if (found.length > 0) callback(null, found)
    else callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), [])
  }
  return { asked, resolve }
}

async function peer() {
  const connections: unknown[] = []
  const server = createServer((_, response) => response.end('here'))
  server.on('connection', (socket: unknown) => connections.push(socket))
  const [, port = ''] = (await open(server)).split(':')
  return { connections, port }
}

const REFUSED = 'no address of it may be connected to'
const onlyLoopback = (address: string) => address === '127.0.0.1'
const nothing = () => false

describe('a guard judges', () => {
  const names: readonly (readonly [name: string, addresses: readonly string[], code: unknown])[] = [
    ['the one address of a name, which is good', ['127.0.0.1'], 200],
    ['the one address of a name, which is not', ['169.254.169.254'], 'address_refused'],
    ['all of them, none of which is good', ['10.0.0.1', '::1', 'fe80::1'], 'address_refused'],
    ['all of them, and connects to what is good', ['10.0.0.1', '127.0.0.1', 'fe80::1'], 200],
    ['nothing where there is no such name', [], 'cannot_connect'],
  ]
  test.each(names)('%s', async (_, addresses, code) => {
    const { connections, port } = await peer()
    const { asked, resolve } = nameServer(...addresses)
    const http = nodeHttpClient(systemClock, {}, resolve)
    const request = requestTo(`http://localhost:${port}`, { mayConnectTo: onlyLoopback })
    expect((await outcomeOf(http(request)))[0]).toBe(code)
    expect(connections).toHaveLength(code === 200 ? 1 : 0)
    expect(asked).toEqual(['localhost'])
  })

  test('what connects over TLS as well', async () => {
    const { connections, port } = await peer()
    const http = nodeHttpClient(systemClock, {}, nameServer('127.0.0.1').resolve)
    const request = requestTo(`https://localhost:${port}`, { mayConnectTo: nothing })
    expect(await outcomeOf(http(request))).toEqual([
      'address_refused',
      `localhost:${port}: ${REFUSED}`,
    ])
    expect(connections).toEqual([])
  })

  const literals: readonly (readonly [host: string, judged: string])[] = [
    ['127.0.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f.1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
  ]
  test.each(literals)('the address in the URL: %s', async (host, judged) => {
    const { connections, port } = await peer()
    const { asked, resolve } = nameServer('127.0.0.1')
    const seen: string[] = []
    const mayConnectTo = (address: string) => {
      seen.push(address)
      return false
    }
    for (const scheme of ['http', 'https']) {
      const request = requestTo(`${scheme}://${host}:${port}`, { mayConnectTo })
      const failure = await outcomeOf(nodeHttpClient(systemClock, {}, resolve)(request))
      expect(failure).toEqual(['address_refused', `${request.url.host}: ${REFUSED}`])
    }
    expect([seen, asked, connections]).toEqual([[judged, judged], [], []])
  })

  test('each answer of a name server that changes its mind', async () => {
    const { port } = await peer()
    const answers = ['127.0.0.1', '169.254.169.254']
    const http = nodeHttpClient(systemClock, {}, (_, __, callback) => {
      callback(null, [{ address: answers.shift() ?? '', family: 4 }])
    })
    const request = requestTo(`http://localhost:${port}`, { mayConnectTo: onlyLoopback })
    expect((await outcomeOf(http(request)))[0]).toBe(200)
    expect((await outcomeOf(http(request)))[0]).toBe('address_refused')
  })
})

describe('a connection that was kept', () => {
  let good = true
  const fickle = () => good
  const before: readonly (readonly [name: string, first: object, then: () => boolean])[] = [
    ['by a request without a guard', {}, nothing],
    ['by one with another guard', { mayConnectTo: onlyLoopback }, nothing],
    ['by one with the same guard, of another mind then', { mayConnectTo: fickle }, fickle],
  ]
  test.each(before)('%s is not handed to a guarded request', async (_, first, then) => {
    const { connections, port } = await peer()
    const http = nodeHttpClient(systemClock, {}, nameServer('127.0.0.1').resolve)
    const url = `http://localhost:${port}`
    good = true
    expect((await outcomeOf(http(requestTo(url, first))))[0]).toBe(200)
    good = false
    const refused = await outcomeOf(http(requestTo(url, { mayConnectTo: then })))
    expect(refused[0]).toBe('address_refused')
    expect(connections).toHaveLength(1)
  })

  test('is shared by requests without a guard', async () => {
    const { connections, port } = await peer()
    const http = nodeHttpClient(systemClock, {})
    for (let count = 0; count < 3; count++) await http(requestTo(`http://127.0.0.1:${port}`))
    expect(connections).toHaveLength(1)
  })
})

describe('behind a proxy', () => {
  test('the proxy resolves a name, and its own address is not judged', async () => {
    const seen: unknown[] = []
    const tunnels = createServer()
    tunnels.on('connect', (request, socket) => {
      seen.push(request.url)
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    const host = await open(tunnels)
    const { asked, resolve } = nameServer('10.0.0.1')
    const http = nodeHttpClient(systemClock, { HTTPS_PROXY: `http://${host}` }, resolve)
    await outcomeOf(http(requestTo('https://keys.example/', { mayConnectTo: nothing })))
    expect([seen, asked]).toEqual([['keys.example:443'], []])
    const literal = requestTo('https://169.254.169.254/', { mayConnectTo: nothing })
    expect((await outcomeOf(http(literal)))[0]).toBe('address_refused')
    expect(seen).toHaveLength(1)
  })
})
