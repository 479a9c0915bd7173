import { createServer } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { World } from '../../src/doctor/world.ts'
import { systemClock } from '../../src/platform/clock.ts'
import { listen, type TlsPair } from '../../src/platform/listen.ts'
import { makeCa } from '../fakes/certificates.ts'
import { FakeClock } from '../fakes/clock.ts'
import { serve } from '../fakes/loopback.ts'
import { open, speaking } from '../fakes/peer.ts'
import { selfSigned } from '../fakes/self_signed.ts'
import { AUDIENCE, DISCOVERY, document, linesFor, remoteAt, testWorld } from './world.ts'

const ours = await makeCa('ours')
const theirs = await makeCa('theirs')

const skipTo = (why: string) => [`skipped clock: ${why}`, `skipped authority: ${why}`]

/** An authority behind TLS, as far as discovery goes. */
async function secure(tls: TlsPair) {
  const listening = await listen(
    {
      role: 'test',
      handler: (_request, response) => response.end(document),
      addresses: [{ host: '127.0.0.1', port: 0 }],
      tls,
    },
    systemClock,
  )
  onTestFinished(() => listening.close(0))
  return `localhost:${listening.addresses[0]?.split(':')[1] ?? ''}`
}

/** The lines of an authority at this host, and with this CA. */
async function securely(host: string, ca: string, changes: Partial<World> = {}) {
  const world = testWorld({ clock: new FakeClock(Date.now()), ...changes })
  world.files.write('/ca.pem', ca)
  return linesFor(remoteAt(`https://${host}`, { caFile: '/ca.pem' }), world)
}

describe('the connection to the authority', () => {
  const noConnection = [
    'skipped clock: the authority gave no answer',
    'skipped authority: there is no connection to the authority',
  ]

  test('is verified', async () => {
    const host = await secure(await ours.issue())
    expect(await securely(host, ours.pem)).toEqual([
      'ok clock: within 60 s of the authority',
      'ok dns: localhost is 192.0.2.1',
      `ok tls: ${host} is verified by the CA of broker.authority`,
      `ok authority: issuer ${AUDIENCE}`,
    ])
  })

  const certificates: readonly (readonly [
    name: string,
    make: () => Promise<readonly [TlsPair, string]>,
    line: (host: string) => string,
  ])[] = [
    [
      'of another CA',
      async () => [await ours.issue(), theirs.pem],
      (host) =>
        `the certificate of ${host} is not trusted (UNABLE_TO_VERIFY_LEAF_SIGNATURE); name the CA that signed it with broker.authority.caFile; in a pod of the chart, which is given it when it is made, make the pod again`,
    ],
    [
      'that stands for itself',
      async () => [await selfSigned({}), ours.pem],
      (host) =>
        `the certificate of ${host} is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT); name the CA that signed it with broker.authority.caFile; in a pod of the chart, which is given it when it is made, make the pod again`,
    ],
    [
      'for another name',
      async () => {
        const pair = await selfSigned({ name: 'elsewhere.example' })
        return [pair, pair.cert]
      },
      (host) =>
        `the certificate of ${host} is made for another name: DNS:elsewhere.example; use a name that it has in broker.authority.url, or have it made for this one`,
    ],
    [
      'that has expired',
      async () => {
        const pair = await selfSigned({ endedSecondsAgo: 60 })
        return [pair, pair.cert]
      },
      (host) =>
        `a certificate of ${host} has expired; renew it, if the clock of this machine is right`,
    ],
    [
      'that is not valid yet',
      async () => {
        const pair = await selfSigned({ endedSecondsAgo: -3 * 86_400 })
        return [pair, pair.cert]
      },
      (host) => `a certificate of ${host} is not valid yet; is the clock of this machine behind?`,
    ],
  ]
  test.each(certificates)('with a certificate %s', async (_, make, line) => {
    const [pair, ca] = await make()
    const host = await secure(pair)
    const [clock, , tls, authority] = await securely(host, ca)
    expect([tls, clock, authority]).toEqual([`failed tls: ${line(host)}`, ...noConnection])
  })

  test('in the clear tells of a file of certificates that is not there', async () => {
    const [clock, , tls, authority] = await linesFor(
      remoteAt('http://127.0.0.1:9', { caFile: '/none.pem' }),
    )
    const why = 'there is no connection to the authority'
    expect([tls, clock, authority]).toEqual([
      'failed tls: /none.pem does not exist; mount the CA of the authority there (broker.authority.caFile)',
      ...skipTo(why),
    ])
  })

  test('to what speaks no TLS', async () => {
    const server = await serve({ [DISCOVERY]: { body: document } })
    onTestFinished(server.close)
    const [, , tls, authority] = await securely(server.host, ours.pem)
    expect([tls, authority]).toEqual([
      expect.stringMatching(
        new RegExp(
          `^failed tls: what answers at ${server.host} speaks no TLS \\(\\w+\\); is the port in broker.authority.url that of its TLS listener\\?$`,
        ),
      ),
      noConnection[1],
    ])
    expect(server.seen).toEqual([])
  })

  test('to where nothing listens', async () => {
    const server = createServer()
    const host = await open(server)
    await new Promise((resolve) => {
      server.close(resolve)
    })
    const [, , tls] = await securely(host, ours.pem)
    expect(tls).toBe(
      `failed tls: there is no connection to ${host} (ECONNREFUSED); does the authority run, is broker.authority.url right, and does a NetworkPolicy let this pod reach it?`,
    )
    const proxied = await securely(host, ours.pem, { isProxied: () => true })
    expect(proxied[2]).toBe(
      `failed tls: there is no connection to ${host} (ECONNREFUSED); is the proxy of HTTPS_PROXY up, and does it let this host through? NO_PROXY makes an exception`,
    )
  })

  test('that never becomes one', async () => {
    const host = await speaking(() => {})
    const world = testWorld({ clock: new FakeClock(Date.now()) })
    world.files.write('/ca.pem', ours.pem)
    const bounds = { caFile: '/ca.pem', connectTimeoutMs: 50 }
    expect((await linesFor(remoteAt(`https://${host}`, bounds), world))[2]).toBe(
      `failed tls: there is no connection to ${host} (no connection in time); does the authority run, is broker.authority.url right, and does a NetworkPolicy let this pod reach it?`,
    )
  })

  test('that is cut', async () => {
    const host = await speaking((socket) => {
      socket.once('data', () => socket.resetAndDestroy())
    })
    expect((await securely(host, ours.pem))[2]).toBe(
      `failed tls: the connection to ${host} was broken off (ECONNRESET); does something between here and the authority cut it, and is the port the right one?`,
    )
  })

  test.each([
    [
      'that is not there',
      undefined,
      'failed tls: /ca.pem does not exist; mount the CA of the authority there (broker.authority.caFile)',
    ],
    [
      'that holds none',
      'no certificate',
      'failed tls: /ca.pem holds no PEM certificate; put the CA of the authority there',
    ],
  ])('with a file of CAs %s', async (_, text, line) => {
    const world = testWorld()
    if (text !== undefined) world.files.write('/ca.pem', text)
    const remote = remoteAt('https://auth.example', { caFile: '/ca.pem' })
    const [clock, , tls, authority] = await linesFor(remote, world)
    expect([tls, clock, authority]).toEqual([
      line,
      ...skipTo('there is no connection to the authority'),
    ])
  })
})
