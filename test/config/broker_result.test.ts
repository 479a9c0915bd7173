import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import {
  allInOne,
  faultsOf,
  nodeBroker,
  provider,
  sidecar,
  tls,
} from '../fakes/config_documents.ts'

const brokerOf = (document: unknown, environment: Readonly<Record<string, string>> = {}) =>
  resolveConfig(document, environment).broker

const fromCallers = allInOne({ proof: { source: 'caller' }, tls })
const loopbacks = [
  { host: '127.0.0.1', port: 9180, optional: false },
  { host: '::1', port: 9180, optional: true },
]
const everywhere = [{ host: '::', port: 9180, optional: false }]
const secret = 'A'.repeat(43)

describe('without asking', () => {
  const limits = {
    exchangesPerMinute: 600,
    audiencesPerHour: 1_000,
    actDepth: 3,
    subjectsAtOnce: 1_000,
    exchangesPerSubjectPerMinute: 60,
  }
  const calm = { drainDelayMs: 0, graceMs: 15_000, revoke: false }

  test('a sidecar gets', () => {
    expect(brokerOf(sidecar())).toMatchObject({
      listen: loopbacks,
      tls: undefined,
      proof: { from: 'file', file: '/var/run/secrets/lumoauth.dev/proof/token' },
      issuer: 'https://auth.example/t/acme-corp/api/v1',
      dropIn: { guard: 'off' },
      policy: undefined,
      limits,
      sinks: [],
      shutdown: calm,
      terminationMessageFile: '/dev/termination-log',
    })
  })

  test('a node broker gets', () => {
    expect(brokerOf(nodeBroker())).toMatchObject({
      listen: everywhere,
      tls,
      proofAudience: 'https://auth.example/t/acme-corp/api/v1',
      dropIn: { guard: 'caller' },
      limits,
      shutdown: { ...calm, drainDelayMs: 10_000 },
      proof: {
        from: 'caller',
        maxWorkloads: 1_000,
        providers: [
          {
            kind: 'kubernetes',
            name: 'prod',
            issuers: ['https://cluster.example'],
            audiences: ['https://auth.example/t/acme-corp/api/v1'],
            requirePod: true,
            node: 'worker-1',
          },
        ],
      },
    })
  })

  test('all in one gets: its own file and loopback', () => {
    expect(brokerOf(allInOne())).toMatchObject({
      listen: loopbacks,
      remote: undefined,
      proof: { from: 'file' },
      shutdown: calm,
    })
  })

  test('all in one for callers gets: the providers of its tenant, and no node', () => {
    expect(brokerOf(fromCallers)).toMatchObject({
      listen: everywhere,
      proof: { from: 'caller', providers: undefined, maxWorkloads: 1_000 },
      dropIn: { guard: 'caller' },
      shutdown: { drainDelayMs: 10_000 },
    })
  })
})

describe('where it listens', () => {
  const rows: readonly (readonly [string, unknown, readonly object[]])[] = [
    ['a socket', sidecar({ listen: ['unix:/run/lumo/b.sock'] }), [{ socket: '/run/lumo/b.sock' }]],
    [
      'the longest socket path',
      sidecar({ listen: [`unix:/${'a'.repeat(106)}`] }),
      [{ socket: `/${'a'.repeat(106)}` }],
    ],
    [
      'a node broker on its loopback, without tls',
      nodeBroker({ listen: ['127.0.0.1:1'], tls: undefined }),
      [{ host: '127.0.0.1', port: 1, optional: false }],
    ],
  ]
  test.each(rows)('%s', (_, document, listen) => {
    expect(brokerOf(document)?.listen).toEqual(listen)
  })

  test.each([
    ['a node broker on its loopback', nodeBroker({ listen: ['127.0.0.1:1'] }), 0],
    ['a node broker that says so', nodeBroker({ shutdown: { drainDelay: 3 } }), 3_000],
    ['a node broker that wants none', nodeBroker({ shutdown: { drainDelay: 0 } }), 0],
    ['a sidecar that says so', sidecar({ shutdown: { drainDelay: 3 } }), 3_000],
  ])('and for how long after SIGTERM: %s', (_, document, drainDelayMs) => {
    expect(brokerOf(document)?.shutdown.drainDelayMs).toBe(drainDelayMs)
  })
})

test.each([
  ['a secret', { secret }, { guard: 'secret', secret }],
  ['a file', { secretFile: '/s' }, { guard: 'file', file: '/s' }],
  ['none', { guard: 'none' }, { guard: 'none' }],
  ['nothing', {}, { guard: 'off' }],
  ['the word alone', { guard: 'secret' }, { guard: 'off' }],
])('the guard of the drop-in routes: %s', (_, dropIn, expected) => {
  expect(brokerOf(sidecar({ dropIn }))?.dropIn).toEqual(expected)
})

test.each([
  ['other addresses', { podIp: '10.0.0.7', hostIp: '10.0.0.8' }],
  ['addresses of two families', { podIp: 'fd00::7', hostIp: '10.0.0.7' }],
  ['no address of the node', { podIp: '10.0.0.7' }],
  ['no address of the pod', { hostIp: '10.0.0.7' }],
  ['no addresses at all', { podIp: '', hostIp: '' }],
  ['such as are none', { podIp: 'x', hostIp: 'x' }],
])('a sidecar with %s is none on the network of its node', (_, addresses) => {
  expect(brokerOf(sidecar(addresses))).toBeDefined()
})

test('a node broker may be on the network of its node', () => {
  expect(brokerOf(nodeBroker({ podIp: '10.0.0.7', hostIp: '10.0.0.7' }))).toBeDefined()
})

test('a sink gets a mode of its own alone, and takes what it is given', () => {
  const full = {
    file: '/run/b',
    audience: ['urn:a'],
    resource: ['https://r.example'],
    scope: 'read write',
    agent: 'doc-analyst',
    format: 'json',
    mode: '0640',
    group: 2_000,
  }
  expect(brokerOf(sidecar({ sinks: [{ file: '/run/a' }, full] }))?.sinks).toEqual([
    {
      file: '/run/a',
      format: 'token',
      mode: 0o600,
      group: undefined,
      audiences: [],
      resources: [],
      scope: undefined,
      agent: undefined,
    },
    {
      file: '/run/b',
      format: 'json',
      mode: 0o640,
      group: 2_000,
      audiences: ['urn:a'],
      resources: ['https://r.example'],
      scope: ['read', 'write'],
      agent: 'doc-analyst',
    },
  ])
})

test.each(['0400', '0440', '0600', '0640'])('a sink may have the mode %s', (mode) => {
  const sinks = [{ file: '/run/a', mode }]
  expect(brokerOf(sidecar({ sinks }))?.sinks[0]?.mode).toBe(Number.parseInt(mode, 8))
})

describe('the environment that manifests set', () => {
  const pod = { POD_IP: '10.0.0.7', HOST_IP: '10.0.0.8', NODE_NAME: 'worker-7', POD_NAMESPACE: 'a' }

  test('names the node of a node broker', () => {
    const { proof } = brokerOf(nodeBroker({ callers: { providers: [provider()] } }), pod) ?? {}
    expect(proof).toMatchObject({ providers: [{ node: 'worker-7' }] })
  })

  test('is nothing to a sidecar, nor to all in one', () => {
    expect(brokerOf(sidecar(), pod)).toEqual(brokerOf(sidecar()))
    expect(brokerOf(allInOne(), pod)).toEqual(brokerOf(allInOne()))
    expect(brokerOf(fromCallers, pod)).toEqual(brokerOf(fromCallers))
  })

  test('keeps a sidecar from the network of its node', () => {
    const faults = faultsOf(() => brokerOf(sidecar(), { ...pod, HOST_IP: pod.POD_IP }))
    expect(faults).toEqual([expect.stringMatching(/^broker\.podIp: is the node's/)])
  })

  test('has the guard value', () => {
    expect(brokerOf(sidecar(), { LUMO_GUARD_SECRET: secret })?.dropIn).toEqual({
      guard: 'secret',
      secret,
    })
  })
})
