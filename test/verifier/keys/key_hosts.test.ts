import { describe, expect, test } from 'vitest'
import { fetchKeys, type KeyLocation } from '../../../src/verifier/keys/fetch_keys.ts'
import { guardOf } from '../../../src/verifier/keys/key_hosts.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { FakeWeb } from './web.ts'

const jwks = JSON.stringify(await new FakeCluster(() => 0).jwks())
const ISSUER = 'https://issuer.example'
const KEYS = 'https://keys.example:8443/jwks'

/** One address of each kind, and what a refusal calls it. */
const addresses = {
  public: ['93.184.215.14', ''],
  private: ['10.96.0.1', 'a private address'],
  mapped: ['::ffff:10.96.0.1', 'a private address'],
  loopback: ['127.0.0.1', 'a loopback address'],
  'link-local': ['169.254.170.2', 'a link-local address'],
  metadata: ['169.254.169.254', 'the address of a metadata service'],
} as const

type Kind = keyof typeof addresses

const refusal = (host: string, kind: Kind): string =>
  `${host} has ${addresses[kind][1]}; list that host under keys.hosts if it is right`

async function outcome(
  web: FakeWeb,
  from: KeyLocation['from'],
  hosts: readonly string[],
): Promise<string> {
  const location = { from, hosts, caFile: undefined, bearerTokenFile: undefined }
  return fetchKeys(location, { http: web.client, files: new FakeFiles() }).then(
    () => 'fetched',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  )
}

describe('a jwksUrl of the operator with a name', () => {
  const cases: readonly (readonly [kind: Kind, alone: boolean])[] = [
    ['public', true],
    ['private', true],
    ['mapped', true],
    ['loopback', true],
    ['link-local', false],
    ['metadata', false],
  ]
  test.each(cases)(
    'whose address is %s: %s, and always where it is listed',
    async (kind, alone) => {
      const web = new FakeWeb()
      const [address] = addresses[kind]
      web.addresses['keys.example'] = [address]
      web.pages[KEYS] = jwks
      const from = { jwksUrl: new URL(KEYS) }
      expect(await outcome(web, from, [])).toBe(
        alone ? 'fetched' : refusal('keys.example:8443', kind),
      )
      expect(web.connected).toHaveLength(alone ? 1 : 0)
      for (const other of ['keys.example', 'issuer.example']) {
        expect(await outcome(web, from, [other])).toBe(
          alone ? 'fetched' : refusal('keys.example:8443', kind),
        )
      }
      expect(await outcome(web, from, ['keys.example:8443'])).toBe('fetched')
    },
  )

  test('that is the API server of the cluster this runs in', async () => {
    const web = new FakeWeb()
    const jwksUrl = new URL('https://kubernetes.default.svc/openid/v1/jwks')
    web.addresses[jwksUrl.hostname] = ['10.96.0.1']
    web.pages[jwksUrl.href] = jwks
    expect(await outcome(web, { jwksUrl }, [])).toBe('fetched')
  })
})

describe('an address that the operator wrote', () => {
  const hosts = ['10.0.0.1:6443', '127.0.0.1', '169.254.169.254', '[fe80::1]', '[::1]:8443']
  test.each(hosts)('%s', async (host) => {
    const web = new FakeWeb()
    const origin = `https://${host}`
    web.pages[`${origin}/keys`] = jwks
    web.pages[`${origin}/.well-known/openid-configuration`] = JSON.stringify({
      issuer: origin,
      jwks_uri: `${origin}/keys`,
    })
    expect(await outcome(web, { jwksUrl: new URL(`${origin}/keys`) }, [])).toBe('fetched')
    expect(await outcome(web, { discoveryOf: origin }, [])).toBe('fetched')
  })

  /** Discovery names no other host; were it let through, it would still not be the operator's word. */
  test.each([
    ['https://169.254.169.254/keys', { discoveryOf: ISSUER }, []],
    ['https://10.0.0.1/keys', { discoveryOf: 'https://10.0.0.1:6443' }, []],
    ['https://10.0.0.1/keys', { discoveryOf: 'https://10.0.0.2' }, ['10.0.0.1:6443']],
    ['https://localhost/keys', { discoveryOf: ISSUER }, []],
    ['https://169.254.169.254/keys', { jwksUrl: new URL(KEYS) }, []],
  ])('is not one that somebody else wrote: %s', (url, from, hosts) => {
    const location = { from, hosts, caFile: undefined, bearerTokenFile: undefined }
    const guard = guardOf(new URL(url), location)
    expect(guard.mayConnectTo('169.254.169.254')).toBe(false)
    expect(guard.refused()).toBe('metadata')
  })

  test('is localhost too', async () => {
    const web = new FakeWeb()
    web.addresses['localhost'] = ['::1']
    const origin = 'http://localhost:8080'
    web.pages[`${origin}/keys`] = jwks
    web.pages[`${origin}/.well-known/openid-configuration`] = JSON.stringify({
      issuer: origin,
      jwks_uri: `${origin}/keys`,
    })
    expect(await outcome(web, { discoveryOf: origin }, [])).toBe('fetched')
  })
})

describe('by discovery', () => {
  /** An issuer and its keys on two hosts. */
  function discovered(issuer: Kind, keys: Kind): FakeWeb {
    const web = new FakeWeb()
    web.addresses['issuer.example'] = [addresses[issuer][0]]
    web.addresses['keys.example'] = [addresses[keys][0]]
    web.pages[KEYS] = jwks
    web.pages[`${ISSUER}/.well-known/openid-configuration`] = JSON.stringify({
      issuer: ISSUER,
      jwks_uri: KEYS,
    })
    return web
  }
  const from = { discoveryOf: ISSUER }
  const kinds = Object.keys(addresses).filter((kind): kind is Kind => kind !== 'public')

  test.each(kinds)('an issuer whose address is %s is asked where it is listed', async (kind) => {
    const web = discovered(kind, 'public')
    expect(await outcome(web, from, ['keys.example:8443'])).toBe(refusal('issuer.example', kind))
    expect(web.connected).toEqual([])
    expect(await outcome(web, from, ['keys.example:8443', 'issuer.example'])).toBe('fetched')
  })

  test.each(kinds)('keys on the issuer itself that moved to a %s address', async (kind) => {
    const web = discovered('public', 'public')
    const jwks_uri = `${ISSUER}/keys`
    web.pages[jwks_uri] = jwks
    const page = JSON.stringify({ issuer: ISSUER, jwks_uri })
    web.pages[`${ISSUER}/.well-known/openid-configuration`] = page
    expect(await outcome(web, from, [])).toBe('fetched')
    const { client } = web
    const moving: FakeWeb['client'] = async (request) => {
      const answer = await client(request)
      web.addresses['issuer.example'] = [addresses[kind][0]]
      return answer
    }
    const location = { from, hosts: [], caFile: undefined, bearerTokenFile: undefined }
    const fetching = fetchKeys(location, { http: moving, files: new FakeFiles() })
    await expect(fetching).rejects.toThrow(refusal('issuer.example', kind))
  })

  const listed: readonly (readonly [kind: Kind, issuer: Kind])[] = kinds.map((kind) => [
    kind,
    'public',
  ])
  test.each(listed)('listed keys may have a %s address', async (kind, issuer) => {
    const web = discovered(issuer, kind)
    expect(await outcome(web, from, ['keys.example:8443'])).toBe('fetched')
    expect(await outcome(web, from, [])).toMatch(/names a jwks_uri on another host/)
  })

  test('of several addresses only those are used that are allowed', async () => {
    const web = discovered('public', 'public')
    web.addresses['issuer.example'] = ['169.254.169.254', '10.0.0.1', '93.184.215.14']
    expect(await outcome(web, from, ['keys.example:8443'])).toBe('fetched')
    expect(web.connected[0]).toBe('93.184.215.14 /.well-known/openid-configuration')
  })
})
