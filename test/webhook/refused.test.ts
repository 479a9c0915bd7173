import { expect, test } from 'vitest'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { admitted, annotated, value } from './admitted.ts'
import { injection, type PodParts } from './reviews.ts'

test.each<[string, PodParts, RegExp]>([
  [
    'a policy that its sidecar would end for',
    { annotations: annotated({ audience: 'https://a*' }) },
    /audience cannot be used/,
  ],
  ['scopes that are none', { annotations: annotated({ scopes: ',' }) }, /scopes must be names/],
  ['too little memory', { annotations: annotated({ 'memory-limit': '8Mi' }) }, /from 64Mi to 4Gi/],
  [
    'a quantity that is none',
    { annotations: annotated({ 'cpu-request': 'much' }) },
    /from 1m to 4/,
  ],
  [
    'a request above the limit',
    { annotations: annotated({ 'memory-request': '1Gi' }) },
    /\(1Gi\) is above its limit \(128Mi\)/,
  ],
  [
    'a port beside a socket',
    { annotations: annotated({ socket: 'app', port: '9280' }) },
    /port says nothing beside/,
  ],
  [
    'containers without the socket',
    {
      annotations: annotated({ socket: 'app', containers: 'web' }),
      containers: [{ name: 'app' }, { name: 'web' }],
    },
    /names web, which could not reach/,
  ],
  [
    'a port in mode node',
    { annotations: annotated({ mode: 'node', port: '9280' }) },
    /port is for the mode sidecar/,
  ],
  [
    'an init container before the mesh',
    {
      annotations: annotated({ containers: 'early' }),
      spec: { initContainers: [{ name: 'early' }, { name: 'istio-proxy' }] },
    },
    /early.*runs before the broker/,
  ],
  [
    'a port of the node',
    { containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort: 9_190 }] }] },
    /port 9190.*operations-port/,
  ],
  [
    'a mount of our volume',
    { containers: [{ name: 'app', volumeMounts: [{ name: 'lumo-proof', mountPath: '/p' }] }] },
    /app mounts a volume of the broker/,
  ],
  [
    'a mount in our place',
    {
      annotations: annotated({ socket: 'app' }),
      containers: [{ name: 'app', volumeMounts: [{ name: 'v', mountPath: '/run/lumoauth/' }] }],
    },
    /something mounted where/,
  ],
  [
    'Windows by its nodes',
    { spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
    /Windows/,
  ],
  [
    'a mark without what it marks',
    {
      annotations: { 'lumoauth.dev/injected': 'sidecar' },
      spec: {
        initContainers: [{ name: 'lumo-broker' }],
        volumes: [{ name: 'lumo-proof', projected: {} }],
      },
    },
    /container lumo-broker already/,
  ],
  [
    'a name that is none',
    { containers: [{ name: 'a\nb', ports: [{ containerPort: 9_180 }] }] },
    /^the container … has/,
  ],
])('is refused with a sentence: %s', (_name, parts, sentence) => {
  const { outcome } = admitted(parts)
  expect(outcome).toBeInstanceOf(InjectionRefusal)
  expect(outcome).toMatchObject({ code: 403, message: expect.stringMatching(sentence) as string })
})

test('mode node needs brokers on the nodes', () => {
  const parts = { annotations: annotated({ mode: 'node' }) }
  const { outcome } = admitted(parts, { ...injection, nodeBroker: undefined })
  expect(outcome).toMatchObject({ message: expect.stringMatching(/no broker runs/) as string })
})

const proxied = [value('HTTP_PROXY', 'p'), { name: 'NO_PROXY', valueFrom: {} }]
test.each<[string, PodParts, readonly RegExp[]]>([
  ['nothing odd', {}, []],
  ['a late mesh', { containers: [{ name: 'istio-proxy' }] }, [/istio-proxy starts after/]],
  [
    'one that it waits for',
    { containers: [{ name: 'istio-proxy' }], annotations: annotated({ start: 'config' }) },
    [],
  ],
  ['unread exceptions', { containers: [{ name: 'app', env: proxied }] }, [/NO_PROXY of app/]],
  ['shared processes', { spec: { shareProcessNamespace: true } }, [/user 65532/]],
])('warns of %s', (_name, parts, expected) => {
  const { warnings } = admitted(parts)
  expect(warnings).toEqual(expected.map((one) => expect.stringMatching(one) as string))
})
