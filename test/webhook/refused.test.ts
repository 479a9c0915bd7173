import { expect, test } from 'vitest'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { admitted, annotated } from './admitted.ts'
import { injection, labelled, type PodParts } from './reviews.ts'

/** What the webhook leaves behind, as far as it looks at it again. */
function injectedParts() {
  return {
    annotations: { 'lumoauth.dev/injected': 'sidecar' },
    spec: {
      initContainers: [{ name: 'lumo-broker', restartPolicy: 'Always' }],
      volumes: [{ name: 'lumo-proof', projected: {} }],
    },
  }
}

/** Required node affinity: alternatives, each a list of expressions. */
function affineTo(...terms: readonly (readonly object[])[]) {
  const nodeSelectorTerms = terms.map((matchExpressions) => ({ matchExpressions }))
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } }
}

function manyNames(count: number, rest = ''): string {
  return Array.from({ length: count }, (_, at) => `s${String(at)}${rest}`).join()
}

test.each<[string, PodParts, RegExp]>([
  [
    'a misspelt annotation',
    { annotations: annotated({ audiense: 'a' }) },
    /did you mean lumoauth\.dev\/audience\?/,
  ],
  [
    'an annotation that is like none',
    { annotations: annotated({ 'token-lifetime': '60' }) },
    /there is no annotation lumoauth\.dev\/token-lifetime; there are agent, audience, scopes, /,
  ],
  [
    'an unknown mode',
    { annotations: annotated({ mode: 'proxy' }) },
    /mode must be one of sidecar, node/,
  ],
  [
    'a container that there is not',
    { annotations: annotated({ containers: 'web' }) },
    /no container web/,
  ],
  ['a port too low', { annotations: annotated({ port: '80' }) }, /port must be a port/],
  ['two equal ports', { annotations: annotated({ port: '9190' }) }, /must differ/],
  [
    'an agent in mode node',
    { annotations: annotated({ mode: 'node', agent: 'a' }) },
    /for the mode sidecar/,
  ],
  ['hostNetwork', { spec: { hostNetwork: true } }, /hostNetwork/],
  ['Windows', { spec: { os: { name: 'windows' } } }, /Windows/],
  [
    'a container of the name',
    { containers: [{ name: 'lumo-broker' }] },
    /container lumo-broker already/,
  ],
  [
    'a volume of the name',
    { spec: { volumes: [{ name: 'lumo-proof' }] } },
    /volume lumo-proof already/,
  ],
  [
    'a port that is taken',
    { containers: [{ name: 'app', ports: [{ containerPort: 9_180 }] }] },
    /container app has the port 9180/,
  ],
  [
    'a forged mark',
    { annotations: { 'lumoauth.dev/injected': 'sidecar' }, spec: { hostNetwork: true } },
    /hostNetwork/,
  ],
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
    'Windows by affinity, whichever term holds',
    {
      spec: {
        affinity: affineTo(
          [{ key: 'kubernetes.io/os', operator: 'In', values: ['windows'] }],
          [
            { key: 'zone', operator: 'Exists' },
            { key: 'kubernetes.io/os', operator: 'In', values: ['windows'] },
          ],
        ),
      },
    },
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
    'an annotation among its labels',
    { labels: { ...labelled, 'lumoauth.dev/scopes': 'read' } },
    /^lumoauth\.dev\/scopes is an annotation/,
  ],
  [
    'a mount within our folder',
    {
      annotations: annotated({ mode: 'node' }),
      containers: [
        {
          name: 'app',
          volumeMounts: [{ name: 'v', mountPath: '/var/run//secrets/lumoauth.dev/proof/x' }],
        },
      ],
    },
    /something mounted where/,
  ],
  [
    'more containers than there can be',
    { containers: Array.from({ length: 1_001 }, (_, at) => ({ name: `c${String(at)}` })) },
    /more than 1000 containers/,
  ],
  [
    'too much processor time',
    { annotations: annotated({ 'cpu-limit': '5' }) },
    /cpu-limit must be a quantity from 1m to 4/,
  ],
  [
    'a processor request above the limit',
    { annotations: annotated({ 'cpu-limit': '2m' }) },
    /cpu request of the sidecar \(5m\) is above its limit \(2m\)/,
  ],
  [
    'a processor limit in mode node',
    { annotations: annotated({ mode: 'node', 'cpu-limit': '1' }) },
    /cpu-limit is for the mode sidecar/,
  ],
  [
    'a mark of both, and the network of its node',
    { ...injectedParts(), spec: { ...injectedParts().spec, hostNetwork: true } },
    /hostNetwork/,
  ],
  [
    'a mark of both, and the proof in another container',
    {
      ...injectedParts(),
      containers: [{ name: 'app', volumeMounts: [{ name: 'lumo-proof', mountPath: '/p' }] }],
    },
    /app mounts a volume of the broker/,
  ],
  [
    'a mark of both, and a second sidecar of that name',
    {
      ...injectedParts(),
      containers: [{ name: 'lumo-broker' }],
    },
    /second container lumo-broker/,
  ],
  [
    'a line break in an annotation',
    { annotations: annotated({ agent: 'a\r\nb' }) },
    /agent must be a name of an agent$/,
  ],
  [
    'a line break at the end',
    { annotations: annotated({ audience: 'urn:a\n' }) },
    /audience must be an audience without blanks$/,
  ],
  [
    'letters of another script',
    { annotations: annotated({ scopes: 'rеad' }) },
    /scopes must be names, separated by commas, 100 at most$/,
  ],
  [
    'more scopes than a request holds',
    { annotations: annotated({ scopes: manyNames(101) }) },
    /scopes must be names, separated by commas, 100 at most$/,
  ],
  [
    'longer scopes than a request holds',
    { annotations: annotated({ scopes: manyNames(100, 'x'.repeat(60)) }) },
    /scopes cannot be used: must fit into 4096 characters$/,
  ],
  [
    'an annotation of a megabyte',
    { annotations: { [`lumoauth.dev/${'x'.repeat(1_000_000)}`]: '' } },
    /^there is no annotation lumoauth\.dev\/…; there are agent, /,
  ],
  [
    'a name that every object has',
    { annotations: annotated({ constructor: 'x' }) },
    /^there is no annotation lumoauth\.dev\/constructor/,
  ],
  [
    'a quantity with a unit that every object has',
    { annotations: annotated({ 'memory-limit': '1constructor' }) },
    /memory-limit must be a quantity/,
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
