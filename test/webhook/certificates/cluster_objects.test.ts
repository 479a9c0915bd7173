import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { openClusterObjects } from '../../../src/compose/cluster_objects.ts'
import { systemClock } from '../../../src/platform/clock.ts'
import { nodeHttpClient } from '../../../src/platform/http_client.ts'
import { Outage, type ClusterObjects } from '../../../src/webhook/certificates/cluster_objects.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeKubernetes } from './fake_kubernetes.ts'

const SECRET = '/api/v1/namespaces/lumo-system/secrets/lumo-ca'
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/lumo-system/leases/lumo-webhook'
const CONFIGURATION =
  '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/lumo-webhook'
const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** Between two seconds, as answers tell the time to the second. */
const clock = new FakeClock(Date.UTC(2026, 10, 21, 8, 0, 0, 400))
let folder: string
let listening: Awaited<ReturnType<FakeKubernetes['listen']>>
let server: FakeKubernetes
let objects: ClusterObjects

async function writeKubeconfig(url: string, token: string): Promise<string> {
  const cluster = { server: url, 'certificate-authority-data': base64(listening.ca) }
  const path = join(folder, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster }],
    users: [{ name: 'webhook', user: { token } }],
    contexts: [{ name: 'only', context: { cluster: 'fake', user: 'webhook' } }],
    'current-context': 'only',
  }
  await writeFile(path, stringify(config))
  return path
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lumo-objects-'))
})

beforeEach(async () => {
  server = new FakeKubernetes()
  listening = await server.listen()
  const kubeconfig = await writeKubeconfig(listening.url, server.token)
  const settings = { namespace: 'lumo-system', lease: 'lumo-webhook', kubeconfig }
  objects = await openClusterObjects(settings, {
    http: nodeHttpClient(systemClock, {}),
    clock,
  })
  return listening.close
})

afterAll(() => rm(folder, { recursive: true }))

async function readVersion(): Promise<string> {
  const secret = await objects.readSecret('lumo-ca')
  if (!secret || secret instanceof Outage) throw new Error('no Secret')
  return secret.resourceVersion
}

describe('the clock of the API server', () => {
  test('is not known before an answer', () => {
    expect(objects.clockAheadMs()).toBeUndefined()
  })

  test.each([
    { date: 'Sat, 21 Nov 2026 08:10:00 GMT', ahead: 599_600 },
    { date: 'Sat, 21 Nov 2026 07:50:00 GMT', ahead: -600_400 },
    { date: 'yesterday', ahead: undefined },
  ])('$date is $ahead ms ahead of ours', async ({ date, ahead }) => {
    server.date = date
    server.put(SECRET, {})
    await objects.readSecret('lumo-ca')
    expect(objects.clockAheadMs()).toBe(ahead)
  })
})

describe('a Secret', () => {
  test('without data, as the chart renders it, is read, filled, and keeps what is not ours', async () => {
    const metadata = { name: 'lumo-ca', labels: { a: 'b' }, annotations: { c: 'd' } }
    server.put(SECRET, { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata })
    const empty = await objects.readSecret('lumo-ca')
    expect(empty).toMatchObject({ data: {} })
    const data = { 'tls.crt': 'a certificate\n' }
    expect(await objects.writeSecret('lumo-ca', data, await readVersion())).toBe('written')
    expect(server.objects.get(SECRET)).toMatchObject({
      type: 'Opaque',
      data: { 'tls.crt': base64('a certificate\n') },
      metadata,
    })
    expect(await objects.readSecret('lumo-ca')).toMatchObject({ data })
  })

  test('that was changed since it was read is not written', async () => {
    server.put(SECRET, { data: {} })
    const version = await readVersion()
    server.put(SECRET, { data: { a: base64('theirs') } })
    expect(await objects.writeSecret('lumo-ca', { a: 'ours' }, version)).toBe('conflict')
    expect(await objects.readSecret('lumo-ca')).toMatchObject({ data: { a: 'theirs' } })
  })

  test('that is not there is none, and is never made', async () => {
    expect(await objects.readSecret('lumo-ca')).toBeUndefined()
    expect(await objects.writeSecret('lumo-ca', {}, '1')).toBe('conflict')
    expect(server.objects.size).toBe(0)
  })
})

test('a Lease without spec is taken, renewed and given back', async () => {
  server.put(LEASE, { kind: 'Lease', metadata: { name: 'lumo-webhook' } })
  const take = async (holder: string | undefined) => {
    const lease = await objects.readLease()
    if (!lease || lease instanceof Outage) return 'none'
    const claim = { holder, renewedAt: Date.UTC(2026, 1, 3, 4, 5, 6, 789), durationSeconds: 15 }
    return objects.writeLease(claim, lease.resourceVersion)
  }
  expect(await objects.readLease()).toMatchObject({ holder: undefined })
  expect(await take('webhook-0')).toBe('written')
  expect(server.objects.get(LEASE)?.['spec']).toEqual({
    holderIdentity: 'webhook-0',
    leaseDurationSeconds: 15,
    renewTime: '2026-02-03T04:05:06.789000Z',
  })
  expect(await objects.readLease()).toMatchObject({ holder: 'webhook-0' })
  expect(await take(undefined)).toBe('written')
  expect(server.objects.get(LEASE)?.['spec']).not.toHaveProperty('holderIdentity')
  expect(await objects.writeLease({ holder: 'b', renewedAt: 0, durationSeconds: 15 }, '1')).toBe(
    'conflict',
  )
})

describe('caBundle', () => {
  const webhook = (name: string, caBundle?: string) => ({
    name,
    clientConfig: { service: { name: 'x' }, ...(caBundle !== undefined && { caBundle }) },
    failurePolicy: 'Fail',
  })

  test('is written where it is another, and not again', async () => {
    server.put(CONFIGURATION, { webhooks: [webhook('a'), webhook('b', base64('old'))] })
    expect(await objects.patchCaBundle('lumo-webhook', 'new')).toBe('patched')
    expect(server.objects.get(CONFIGURATION)?.['webhooks']).toEqual([
      webhook('a', base64('new')),
      webhook('b', base64('new')),
    ])
    expect(await objects.patchCaBundle('lumo-webhook', 'new')).toBe('same')
    expect(server.asked.filter(({ method }) => method === 'PATCH')).toHaveLength(1)
  })

  test('is not written into another webhook that came to its place', async () => {
    server.put(CONFIGURATION, { webhooks: [webhook('a')] })
    const other = [webhook('z', base64('theirs')), webhook('a')]
    server.beforePatch = () => {
      server.put(CONFIGURATION, { webhooks: other })
    }
    expect(await objects.patchCaBundle('lumo-webhook', 'new')).toBeInstanceOf(Outage)
    expect(server.objects.get(CONFIGURATION)?.['webhooks']).toEqual(other)
  })

  test('of a configuration that is not there', async () => {
    expect(await objects.patchCaBundle('lumo-webhook', 'new')).toBe('absent')
  })
})

describe('pods', () => {
  const [a, b] = ['0123456789abcdef', 'fedcba9876543210']
  const pod = (ca: string | undefined, inject = 'true') => ({
    metadata: {
      labels: { 'lumoauth.dev/inject': inject },
      annotations: ca === undefined ? {} : { 'lumoauth.dev/ca': ca },
    },
  })
  const many = (count: number, ca: string) => Array.from({ length: count }, () => pod(ca))

  test('are counted by what they trust, in pages of 500, without those that have ended', async () => {
    const odd = [pod('x'), pod('y'.repeat(9_999)), pod(`${a},`), pod(undefined), pod(a, 'false')]
    server.pods = [...many(700, a), ...many(600, `${a},${b}`), ...odd]
    expect(await objects.podsTrusting()).toEqual(
      new Map([
        [a, 700],
        [`${a},${b}`, 600],
        ['', 3],
      ]),
    )
    const queries = server.asked.map(({ url }) => [
      url.searchParams.get('limit'),
      url.searchParams.get('fieldSelector'),
    ])
    const expected = ['500', 'status.phase!=Succeeded,status.phase!=Failed']
    expect(queries).toEqual([expected, expected, expected])
  })

  test('that there are none of are none', async () => {
    expect(await objects.podsTrusting()).toEqual(new Map())
  })
})

describe('an API server that gives no usable answer is an outage', () => {
  const all = (): Promise<unknown[]> =>
    Promise.all([
      objects.readSecret('lumo-ca'),
      objects.readLease(),
      objects.patchCaBundle('lumo-webhook', 'x'),
      objects.podsTrusting(),
    ])

  test.each([
    { does: 'is not there', make: () => listening.close(), says: 'ECONNREFUSED' },
    {
      does: 'answers 403',
      make: () => (server.refuses = 403),
      says: 'the role of this service account',
    },
    { does: 'answers 500', make: () => (server.refuses = 500), says: 'answered 500' },
    { does: 'redirects', make: () => (server.refuses = 302), says: 'answered 302' },
    { does: 'answers no JSON', make: () => (server.garbles = '<html>'), says: 'cannot be read' },
    { does: 'answers a list', make: () => (server.garbles = '[]'), says: 'cannot be read' },
    {
      does: 'does not know our token',
      make: () => writeKubeconfig(listening.url, 'another-token'),
      says: 'answered 401',
    },
    {
      does: 'is named without https',
      make: () => writeKubeconfig('http://127.0.0.1:1', server.token),
      says: 'it names no API server with an https URL',
    },
    {
      does: 'is named nowhere any more',
      make: () => writeFile(join(folder, 'kubeconfig'), 'x: ['),
      says: 'cannot be read',
    },
  ])('when it $does', async ({ make, says }) => {
    for (const path of [SECRET, LEASE, CONFIGURATION]) server.put(path, {})
    await make()
    const answers = await all()
    expect(answers.map((each) => (each instanceof Outage ? each.reason : each))).toEqual(
      Array.from({ length: 4 }, (): unknown => expect.stringContaining(says)),
    )
    expect(JSON.stringify(answers)).not.toContain('-token')
  })

  test('and a write of it is one, too', async () => {
    server.put(SECRET, {})
    const version = await readVersion()
    server.refuses = 422
    expect(await objects.writeSecret('lumo-ca', {}, version)).toBeInstanceOf(Outage)
    server.refuses = 503
    expect(await objects.writeSecret('lumo-ca', {}, version)).toBeInstanceOf(Outage)
  })
})
