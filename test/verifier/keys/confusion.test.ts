import { describe, expect, test } from 'vitest'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import { fetchKeys } from '../../../src/verifier/keys/fetch_keys.ts'
import { RemoteKeys } from '../../../src/verifier/keys/remote_keys.ts'
import { Providers } from '../../../src/verifier/registry.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeCluster } from '../../fakes/cluster.ts'
import { FakeFiles } from '../../fakes/files.ts'
import { FakeLog } from '../../fakes/log.ts'
import { outcomeOf, providerOf } from '../../fakes/provider.ts'
import { FakeWeb } from './web.ts'

const clock = new FakeClock()
const now = () => clock.now
const good = new FakeCluster(now, { issuer: 'https://good.example' })
const evil = new FakeCluster(now, { issuer: 'https://evil.example' })

/** Two issuers whose keys have the same name, each with its keys at a URL that it chose itself. */
async function setUp(kid: string, keysOfEvil = 'https://evil.example/keys') {
  const web = new FakeWeb()
  const log = new FakeLog()
  for (const name of ['good.example', 'evil.example']) web.addresses[name] = ['93.184.215.14']
  const publish = async (url: string, cluster: FakeCluster) => {
    const { keys } = await cluster.jwks()
    web.pages[url] = JSON.stringify({ keys: keys.map((key) => ({ ...key, kid })) })
  }
  await publish('https://good.example/keys', good)
  await publish(keysOfEvil, evil)
  const open = (name: string, cluster: FakeCluster, url: string) => {
    const from = { jwksUrl: new URL(url) }
    const location = { from, hosts: [], caFile: undefined, bearerTokenFile: undefined }
    const fetch = () => fetchKeys(location, { http: web.client, files: new FakeFiles() })
    const keys = new RemoteKeys(name, fetch, { clock, log, metrics: new PrometheusMetrics() })
    return providerOf(cluster, { name, keys })
  }
  const verifier = new Providers(
    [await open('good', good, 'https://good.example/keys'), await open('evil', evil, keysOfEvil)],
    clock,
  )
  /** What becomes of a token that one signs and that says it is of another. */
  const judge = async (signer: FakeCluster, says: FakeCluster) => {
    const header = { kid }
    const proof = await says.token({ key: signer.privateKey, header })
    return outcomeOf(await verifier.verify(proof))
  }
  return { judge, publish }
}

describe('keys of one issuer never vouch for another', () => {
  const kids = ['k', 'https://good.example', 'k:https://good.example', 'good', '["good","k"]']
  test.each(kids)('where both name theirs %s, whoever is asked first', async (kid) => {
    for (const first of [good, evil]) {
      const { judge } = await setUp(kid)
      expect(await judge(first, first)).toBe('accepted')
      expect(await judge(evil, good)).toBe('signature_invalid')
      expect(await judge(good, evil)).toBe('signature_invalid')
      expect(await judge(evil, evil)).toBe('accepted')
      expect(await judge(good, good)).toBe('accepted')
    }
  })

  test.each([
    'https://evil.example/https://good.example/keys',
    'https://evil.example/keys?https://good.example/keys',
    'https://evil.example/keys/',
  ])('whatever the URL of its keys looks like: %s', async (url) => {
    const { judge } = await setUp('k', url)
    expect(await judge(evil, evil)).toBe('accepted')
    expect(await judge(evil, good)).toBe('signature_invalid')
    expect(await judge(good, good)).toBe('accepted')
  })

  test('and those that it withdrew do not even vouch for itself', async () => {
    const { judge, publish } = await setUp('k')
    const next = new FakeCluster(now, { issuer: evil.issuer })
    expect(await judge(evil, evil)).toBe('accepted')
    await publish('https://evil.example/keys', next)
    clock.advance(600_001)
    expect(await judge(evil, evil)).toBe('signature_invalid')
    expect(await judge(next, evil)).toBe('accepted')
  })
})
