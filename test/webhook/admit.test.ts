import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import type { InjectionConfig } from '../../src/config/webhook.ts'
import { bundleIds } from '../../src/webhook/certificates/read_pair.ts'
import type { Operation } from '../../src/webhook/patch.ts'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { restrictedFaults, type PodSpec } from '../chart/pods.ts'
import { admitted, annotated, GUARD, value } from './admitted.ts'
import { caBundle, injection, patched, podWith, type PodParts } from './reviews.ts'

function operations(parts: PodParts, config?: InjectionConfig): readonly Operation[] {
  const { outcome } = admitted(parts, config)
  if (outcome instanceof InjectionRefusal) throw new Error(outcome.message)
  return outcome
}

interface Made {
  readonly name: string
  readonly env: readonly { readonly name: string; readonly value?: string }[]
  readonly resources: unknown
}

const sidecarOf = (parts: PodParts, config?: InjectionConfig): Made => {
  const { spec } = patched(podWith(parts), operations(parts, config)) as {
    spec: { initContainers: readonly Made[] }
  }
  const made = spec.initContainers.find(({ name }) => name === 'lumo-broker')
  if (!made) throw new Error('no sidecar')
  return made
}

const variables = [
  value('LUMOAUTH_URL', 'http://127.0.0.1:9180'),
  value('LUMOAUTH_ORG_ID', 'acme-corp'),
  value('LUMOAUTH_TENANT', 'acme-corp'),
  value('AGENT_CLIENT_ID', 'self'),
  value('AGENT_CLIENT_SECRET', GUARD),
]
const rest = variables.filter(({ name }) => name !== 'AGENT_CLIENT_ID')
const appended = (path: string, added: readonly object[]) =>
  added.map((one) => ({ op: 'add', path: `${path}/-`, value: one }))

/** What is done to the containers of the author; the rest of a patch is the same for all pods. */
test.each<[string, PodParts, readonly object[]]>([
  ['no environment', {}, [{ op: 'add', path: '/spec/containers/0/env', value: variables }]],
  [
    'an environment with a variable of ours',
    { containers: [{ name: 'app', env: [value('AGENT_CLIENT_ID', 'mine')] }] },
    appended('/spec/containers/0/env', rest),
  ],
  [
    'a proxy, exceptions by two spellings, and a variable without value',
    {
      containers: [
        {
          name: 'app',
          env: [value('http_proxy', 'p'), value('no_proxy', 'a'), { name: 'NO_PROXY' }],
        },
      ],
    },
    [
      { op: 'add', path: '/spec/containers/0/env/2/value', value: '127.0.0.1,localhost,::1' },
      { op: 'add', path: '/spec/containers/0/env/1/value', value: 'a,127.0.0.1,localhost,::1' },
      ...appended('/spec/containers/0/env', variables),
    ],
  ],
  [
    'everything excepted from its proxy',
    { containers: [{ name: 'app', env: [value('ALL_PROXY', 'p'), value('NO_PROXY', '*')] }] },
    appended('/spec/containers/0/env', variables),
  ],
  [
    "a sidecar of another's and the proxy of a mesh",
    {
      containers: [{ name: 'istio-proxy' }, { name: 'app' }],
      spec: { initContainers: [{ name: 'logs', restartPolicy: 'Always' }, { name: 'migrate' }] },
    },
    [
      { op: 'add', path: '/spec/containers/1/env', value: variables },
      { op: 'add', path: '/spec/initContainers/1/env', value: variables },
    ],
  ],
  [
    'a socket for one container',
    { annotations: annotated({ socket: 'app' }), containers: [{ name: 'web' }, { name: 'app' }] },
    [
      {
        op: 'add',
        path: '/spec/containers/1/env',
        value: [value('LUMO_BROKER_SOCKET', '/run/lumoauth/broker.sock'), ...variables.slice(1)],
      },
      {
        op: 'add',
        path: '/spec/containers/1/volumeMounts',
        value: [{ name: 'lumo-socket', mountPath: '/run/lumoauth', readOnly: true }],
      },
    ],
  ],
])('the containers of a pod with %s', (_name, parts, expected) => {
  const ofAuthor = operations(parts).filter(({ path }) =>
    /^\/spec\/(c|initC)ontainers\/\d+\/./.test(path),
  )
  expect(ofAuthor).toEqual(expected)
})

test('the rest of a patch adds to what is there', () => {
  const parts = {
    annotations: { mine: 'a' },
    spec: { initContainers: [], volumes: [{ name: 'v' }], imagePullSecrets: [{ name: 'own' }] },
  }
  const paths = operations(parts).map(({ op, path }) => `${op} ${path}`)
  expect(paths.slice(1)).toEqual([
    'add /spec/initContainers/0',
    'add /spec/imagePullSecrets/-',
    'add /spec/volumes/-',
    'add /metadata/annotations/lumoauth.dev~1injected',
    'add /metadata/annotations/lumoauth.dev~1ca',
  ])
})

describe('the sidecar', () => {
  test('has nothing against it in the level restricted', () => {
    const { spec } = patched(podWith(), operations({})) as { spec: PodSpec }
    const alone = { ...spec, containers: [] }
    expect(restrictedFaults(alone)).toEqual([])
    expect(alone.initContainers).toHaveLength(1)
  })

  test('reads its configuration as it was written, whatever the kubelet puts in place of $(NAME)', () => {
    const { env } = sidecarOf({ annotations: annotated({ audience: 'urn:$(POD_IP):$$:$x' }) })
    const text = env.find(({ name }) => name === 'LUMO_CONFIG_DOCUMENT')?.value ?? ''
    const read = text.replaceAll(/\$(\$|\([^)]*\))/g, (_all, next: string) =>
      next === '$' ? '$' : '10.0.0.1',
    )
    const { broker } = resolveConfig(JSON.parse(read), { LUMO_GUARD_SECRET: GUARD })
    const audience = 'urn:$(POD_IP):$$:$x'
    expect(broker?.policyDocument).toEqual({
      workloads: [{ name: 'annotations', allow: [{ audience }], defaults: { audience } }],
    })
  })

  test.each<[string, object, Readonly<Record<string, string>>, object]>([
    [
      'none given',
      {},
      {},
      { requests: { cpu: '5m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    ],
    [
      'requests alone',
      { requests: { memory: '256Mi' } },
      {},
      { requests: { cpu: '5m', memory: '256Mi' }, limits: { memory: '256Mi' } },
    ],
    [
      'a processor limit of the pod',
      injection.sidecar.resources,
      { 'cpu-limit': '500m' },
      { requests: { cpu: '5m', memory: '64Mi' }, limits: { cpu: '500m', memory: '128Mi' } },
    ],
    [
      "the pod's own",
      injection.sidecar.resources,
      { 'cpu-request': '20m', 'memory-request': '96Mi', 'memory-limit': '96Mi' },
      { requests: { cpu: '20m', memory: '96Mi' }, limits: { memory: '96Mi' } },
    ],
  ])('always has requests and a limit: %s', (_name, resources, given, expected) => {
    const config = { ...injection, sidecar: { ...injection.sidecar, resources } }
    expect(sidecarOf({ annotations: annotated(given) }, config).resources).toEqual(expected)
  })

  const injected = { 'lumoauth.dev/injected': 'sidecar' }
  const volumes = [{ name: 'lumo-proof', projected: {} }]
  const ours = { name: 'lumo-broker', restartPolicy: 'Always' }
  test.each<[string, readonly object[], readonly string[]]>([
    ['nothing new', [ours, { name: 'a' }], ['lumo-broker', 'a']],
    ['a mesh in front', [{ name: 'istio-proxy' }, ours], ['istio-proxy', 'lumo-broker']],
    [
      'a mesh behind it',
      [ours, { name: 'a' }, { name: 'istio-proxy' }, { name: 'b' }],
      ['a', 'istio-proxy', 'lumo-broker', 'b'],
    ],
  ])('when asked again stands in its place: %s', (_name, initContainers, expected) => {
    const parts = { annotations: injected, spec: { initContainers, volumes } }
    const { spec } = patched(podWith(parts), operations(parts)) as {
      spec: { initContainers: readonly { name: string }[] }
    }
    expect(spec.initContainers.map(({ name }) => name)).toEqual(expected)
  })
})

const ids = bundleIds(caBundle)
const written = { 'lumoauth.dev/ca': 'x', 'lumoauth.dev/ca-bundle': 'y' }
test.each<[string, Readonly<Record<string, string>>, string | undefined, object]>([
  ['with a CA', {}, caBundle, { injected: 'sidecar', ca: ids }],
  ['with the CAs of the system', {}, undefined, { injected: 'sidecar' }],
  [
    'of mode node',
    { mode: 'node' },
    caBundle,
    { injected: 'node', ca: ids, 'ca-bundle': caBundle },
  ],
])('marks that the author wrote do not stay: a pod %s', (_name, given, trusted, expected) => {
  const parts = { annotations: { ...annotated(given), ...written } }
  const { outcome } = admitted(parts, injection, { caBundle: trusted, brokerCa: caBundle })
  if (outcome instanceof InjectionRefusal) throw new Error(outcome.message)
  const { metadata } = patched(podWith(parts), outcome) as { metadata: { annotations: object } }
  expect(metadata.annotations).toEqual(annotated({ ...given, ...expected }))
})

test.each<[string, PodParts]>([
  [
    'of another protocol',
    { containers: [{ name: 'app', ports: [{ containerPort: 9_180, protocol: 'UDP' }] }] },
  ],
  [
    'of the socket that takes its place',
    {
      annotations: annotated({ socket: 'app' }),
      containers: [{ name: 'app', ports: [{ containerPort: 9_180 }] }],
    },
  ],
  [
    'of the broker of its node',
    {
      annotations: annotated({ mode: 'node' }),
      containers: [{ name: 'app', ports: [{ containerPort: 9_180 }] }],
    },
  ],
])('a port is not taken where it is one %s', (_name, parts) => {
  expect(operations(parts).length).toBeGreaterThan(0)
})

test('a folder around ours is no obstacle', () => {
  const volumeMounts = [{ name: 'v', mountPath: '/var/run/secrets' }]
  const parts = {
    annotations: annotated({ mode: 'node' }),
    containers: [{ name: 'app', volumeMounts }],
  }
  expect(operations(parts).length).toBeGreaterThan(0)
})

test.each<[string, Readonly<Record<string, string>>, object | undefined]>([
  ['nothing', {}, undefined],
  ['whichever agent', { agent: 'self' }, undefined],
  ['an agent', { agent: 'reader' }, { defaults: { agent: 'reader' } }],
  [
    'a target and an agent',
    { audience: 'urn:a', agent: 'reader' },
    { allow: [{ audience: 'urn:a' }], defaults: { audience: 'urn:a', agent: 'reader' } },
  ],
  [
    'targets of a pattern',
    { audience: 'https://*.example' },
    { allow: [{ audience: 'https://*.example' }] },
  ],
  [
    'scopes anywhere',
    { scopes: 'read, list\r\nread' },
    { allow: [{ audience: '**', scopes: ['read', 'list'] }, { scopes: ['read', 'list'] }] },
  ],
])('annotations that say %s make a policy of it', (_name, given, expected) => {
  const { env } = sidecarOf({ annotations: annotated(given) })
  const text = env.find(({ name }) => name === 'LUMO_CONFIG_DOCUMENT')?.value ?? ''
  const { broker } = resolveConfig(JSON.parse(text), { LUMO_GUARD_SECRET: GUARD })
  expect(broker?.policyDocument).toEqual(
    expected && { workloads: [{ name: 'annotations', ...expected }] },
  )
})
