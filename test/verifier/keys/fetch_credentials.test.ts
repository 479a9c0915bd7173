import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/platform/clock.ts'
import { FileFault } from '../../../src/platform/files.ts'
import { HttpFailure, nodeHttpClient } from '../../../src/platform/http_client.ts'
import { listen } from '../../../src/platform/listen.ts'
import { fetchKeys, type KeyLocation } from '../../../src/verifier/keys/fetch_keys.ts'
import { makeCa } from '../../fakes/certificates.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { serve } from '../../fakes/loopback.ts'

const cluster = new FakeCluster(() => 0)
const jwks = JSON.stringify(await cluster.jwks())
const http = nodeHttpClient(systemClock, {})
const TOKEN = '/var/run/secrets/token'
const CA = '/var/run/secrets/ca.crt'

function locate(url: string, files: Partial<KeyLocation>): KeyLocation {
  const from = { jwksUrl: new URL(url) }
  return { from, hosts: [], caFile: undefined, bearerTokenFile: undefined, ...files }
}

describe('the bearer token', () => {
  async function asking(files: FakeFiles, bearerTokenFile: string | undefined) {
    const server = await serve({ '/keys': { body: jwks } })
    onTestFinished(server.close)
    const location = locate(`${server.origin}/keys`, { bearerTokenFile })
    return {
      fetch: () => fetchKeys(location, { http, files }),
      seen: () => server.seen.map(({ headers }) => headers.authorization),
    }
  }

  test('is read anew for each fetch', async () => {
    const files = new FakeFiles({ [TOKEN]: 'first\n' })
    const { fetch, seen } = await asking(files, TOKEN)
    await fetch()
    files.write(TOKEN, 'second')
    await fetch()
    expect(seen()).toEqual(['Bearer first', 'Bearer second'])
  })

  test('is not sent where none is configured', async () => {
    const { fetch, seen } = await asking(new FakeFiles({ [TOKEN]: 'first' }), undefined)
    await fetch()
    expect(seen()).toEqual([undefined])
  })

  const unusable = [
    ['absent', new FakeFiles(), 'absent'],
    ['too long', new FakeFiles({ [TOKEN]: 't'.repeat(16_385) }), 'too_large'],
  ] as const
  test.each(unusable)('that is %s keeps the keys from being asked for', async (_, files, code) => {
    const { fetch, seen } = await asking(files, TOKEN)
    const fault = await fetch().catch((error: unknown) => error)
    expect(fault).toBeInstanceOf(FileFault)
    expect(fault).toMatchObject({ code })
    expect(seen()).toEqual([])
  })

  test('goes to the key set that discovery names as well', async () => {
    const pages: Record<string, { body: string }> = { '/keys': { body: jwks } }
    const server = await serve(pages)
    onTestFinished(server.close)
    const { origin } = server
    pages['/.well-known/openid-configuration'] = {
      body: JSON.stringify({ issuer: origin, jwks_uri: `${origin}/keys` }),
    }
    const files = new FakeFiles({ [TOKEN]: 'first' })
    const location = {
      ...locate(origin, { bearerTokenFile: TOKEN }),
      from: { discoveryOf: origin },
    }
    await fetchKeys(location, { http, files })
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer first',
      'Bearer first',
    ])
  })

  test('is not in the message of a failure', async () => {
    const files = new FakeFiles({ [TOKEN]: 'canary-token' })
    const gone = await serve({})
    await gone.close()
    const server = await serve({})
    onTestFinished(server.close)
    for (const origin of [server.origin, gone.origin]) {
      const location = locate(`${origin}/keys`, { bearerTokenFile: TOKEN })
      const fault: unknown = await fetchKeys(location, { http, files }).catch(
        (error: unknown) => error,
      )
      expect(fault).toBeInstanceOf(Error)
      expect((fault as Error).stack).not.toContain('canary')
    }
  })
})

describe('the CA', async () => {
  const ours = await makeCa('ours')
  const theirs = await makeCa('theirs')

  async function asking(files: FakeFiles) {
    const server = await listen(
      {
        role: 'issuer',
        handler: (_, response) => response.end(jwks),
        addresses: [{ host: '127.0.0.1', port: 0 }],
        tls: await ours.issue(),
      },
      systemClock,
    )
    onTestFinished(() => server.close(0))
    const location = locate(`https://${server.addresses[0] ?? ''}/keys`, { caFile: CA })
    return () =>
      fetchKeys(location, { http, files }).then(
        ({ keys }) => keys.size,
        (error: unknown) => (error instanceof HttpFailure ? error.code : error),
      )
  }

  test('is read anew for each fetch', async () => {
    const files = new FakeFiles({ [CA]: theirs.pem })
    const fetch = await asking(files)
    expect(await fetch()).toBe('tls_untrusted')
    files.write(CA, ours.pem)
    expect(await fetch()).toBe(1)
    files.write(CA, theirs.pem)
    expect(await fetch()).toBe('tls_untrusted')
  })

  test('may be one of several in its file', async () => {
    const fetch = await asking(new FakeFiles({ [CA]: `${theirs.pem}\n${ours.pem}` }))
    expect(await fetch()).toBe(1)
  })

  test('that is no certificate trusts nobody', async () => {
    const fetch = await asking(new FakeFiles({ [CA]: 'ca' }))
    expect(await fetch()).toBe('tls_untrusted')
  })
})
