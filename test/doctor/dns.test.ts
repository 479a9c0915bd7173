import { describe, expect, test } from 'vitest'
import { dnsLink } from '../../src/doctor/dns.ts'
import type { World } from '../../src/doctor/world.ts'
import { settled } from '../fakes/broker.ts'
import { lineOf, linesFor, remoteAt, testWorld } from './world.ts'

describe('the name of the authority', () => {
  const remote = remoteAt('https://auth.example')
  const failing = (code: string) => () => Promise.reject(Object.assign(new Error('no'), { code }))
  const lineFor = async (origin: string, changes: Partial<World>) =>
    lineOf(await dnsLink(new URL(origin), testWorld(changes)))

  test.each([
    ['https://auth.example', {}, 'ok dns: auth.example is 192.0.2.1'],
    [
      'https://auth.example',
      { resolve: () => Promise.resolve(['2001:db8::1', '192.0.2.1']) },
      'ok dns: auth.example is 2001:db8::1, 192.0.2.1',
    ],
    [
      'https://auth.example',
      { resolve: () => Promise.resolve(Array<string>(9).fill('a')) },
      'ok dns: auth.example is a, a, a, a, a, a, a, a, …',
    ],
    ['https://192.0.2.1:8443', {}, 'skipped dns: 192.0.2.1 is an address'],
    ['https://[::1]', {}, 'skipped dns: [::1] is an address'],
    [
      'https://auth.example',
      { isProxied: () => true },
      'skipped dns: the proxy of HTTPS_PROXY resolves the name',
    ],
    [
      'https://auth.example',
      { resolve: failing('ENOTFOUND') },
      'failed dns: there is no name auth.example (ENOTFOUND); is broker.authority.url right? In a cluster a Service is NAME.NAMESPACE.svc',
    ],
    [
      'https://auth.example',
      { resolve: failing('EAI_AGAIN') },
      'failed dns: the resolver gives no answer for auth.example (EAI_AGAIN); does a NetworkPolicy let this pod reach the DNS of the cluster (port 53)?',
    ],
  ])('%s with %j', async (origin, changes, line) => {
    expect(await lineFor(origin, changes)).toBe(line)
  })

  test('is waited for five seconds', async () => {
    const world = testWorld({ resolve: () => new Promise(() => {}) })
    const finding = dnsLink(remote.tokenUrl, world)
    await settled()
    world.clock.advance(5_000)
    expect(lineOf(await finding)).toBe(
      'failed dns: the resolver gives no answer for auth.example (ETIMEOUT); does a NetworkPolicy let this pod reach the DNS of the cluster (port 53)?',
    )
  })

  test('without an address leaves nothing to ask', async () => {
    const [clock, , tls, authority] = await linesFor(
      remote,
      testWorld({ resolve: failing('ENOTFOUND') }),
    )
    const why = 'the name of the authority has no address'
    expect([clock, tls, authority]).toEqual([
      `skipped clock: ${why}`,
      `skipped tls: ${why}`,
      `skipped authority: ${why}`,
    ])
  })
})
