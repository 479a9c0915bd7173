import { expect, test } from 'vitest'
import { admitted, annotated, value } from './admitted.ts'
import { injection, type PodParts } from './reviews.ts'

const proxyRoutes =
  '[{ name: docs, upstream: "https://a.example", audience: a, methods: [GET], paths: [/**] }]'
const proxied = [value('HTTP_PROXY', 'p'), { name: 'NO_PROXY', valueFrom: {} }]
test.each<[string, PodParts, readonly RegExp[]]>([
  ['nothing odd', {}, []],
  ['a late mesh', { containers: [{ name: 'istio-proxy' }] }, [/istio-proxy starts after/]],
  [
    'one that it waits for',
    { containers: [{ name: 'istio-proxy' }], annotations: annotated({ start: 'config' }) },
    [],
  ],
  [
    'unread exceptions, where only the socket is reached',
    {
      containers: [{ name: 'app', env: proxied }],
      annotations: annotated({ socket: 'app' }),
    },
    [],
  ],
  [
    'unread exceptions, where the proxy is reached beside a socket',
    {
      containers: [{ name: 'app' }, { name: 'agent', env: proxied }],
      annotations: annotated({ socket: 'app', 'proxy-routes': proxyRoutes }),
    },
    [/NO_PROXY of agent/],
  ],
  [
    'an address of its own, where it gets no guard value',
    {
      containers: [{ name: 'app' }, { name: 'agent', env: [value('LUMOAUTH_URL', 'x')] }],
      annotations: annotated({ socket: 'app', 'proxy-routes': proxyRoutes }),
    },
    [],
  ],
  ['unread exceptions', { containers: [{ name: 'app', env: proxied }] }, [/NO_PROXY of app/]],
  [
    'variables from elsewhere',
    { containers: [{ name: 'app', envFrom: [{}], env: [value('LUMOAUTH_URL', 'mine')] }] },
    [
      /^app has a LUMOAUTH_URL of its own/,
      /^the envFrom of app does not count for LUMOAUTH_ORG_ID, LUMOAUTH_TENANT, AGENT_CLIENT_ID, AGENT_CLIENT_SECRET \(use env\) and must except 127\.0\.0\.1 from a proxy$/,
    ],
  ],
  [
    'variables from elsewhere in mode node',
    {
      annotations: annotated({ mode: 'node' }),
      containers: [{ name: 'app', envFrom: [{}], env: [value('LUMOAUTH_URL', 'mine')] }],
    },
    [
      /^the envFrom of app does not count for LUMOAUTH_ORG_ID, LUMOAUTH_TENANT, LUMOAUTH_TOKEN_FILE, LUMOAUTH_CA_FILE \(use env\)$/,
    ],
  ],
  [
    'no variables from elsewhere where the broker puts none',
    {
      annotations: annotated({ containers: 'app' }),
      containers: [
        { name: 'app', envFrom: [] },
        { name: 'web', envFrom: [{}] },
      ],
    },
    [],
  ],
  [
    'a guard value beside an address of its own',
    { containers: [{ name: 'app', env: [value('LUMOAUTH_URL', 'https://app.lumoauth.dev')] }] },
    [/^app has a LUMOAUTH_URL of its own, which stays, and AGENT_CLIENT_SECRET is the broker's/],
  ],
  [
    'an address and a secret of its own: nothing',
    {
      containers: [
        {
          name: 'app',
          env: [value('LUMOAUTH_URL', 'https://a.b'), value('AGENT_CLIENT_SECRET', 's')],
        },
      ],
    },
    [],
  ],
  [
    'the address that it would get: nothing',
    { containers: [{ name: 'app', env: [value('LUMOAUTH_URL', 'http://127.0.0.1:9180')] }] },
    [],
  ],
  [
    'a volume above our folder',
    {
      annotations: annotated({ mode: 'node' }),
      containers: [
        { name: 'app', volumeMounts: [{ name: 'v', mountPath: '/var/run/secrets/' }] },
        { name: 'web', volumeMounts: [{ name: 'v', mountPath: '/var/run/secret' }] },
      ],
    },
    [/^app has a volume mounted above \/var\/run\/secrets\/\S+: if it is read-only, the container/],
  ],
  ['shared processes', { spec: { shareProcessNamespace: true } }, [/user 65532/]],
  ['processes of the node', { spec: { hostPID: true } }, [/hostPID/]],
])('warns of %s', (_name, parts, expected) => {
  const { warnings } = admitted(parts)
  expect(warnings).toEqual(expected.map((one) => expect.stringMatching(one) as string))
})

test('no warning is longer than the API server shows', () => {
  const name = 'n'.repeat(63)
  const containers = [
    {
      name,
      envFrom: [{}],
      env: [
        value('HTTP_PROXY', 'p'),
        { name: 'NO_PROXY', valueFrom: {} },
        { name: 'LUMOAUTH_URL', valueFrom: {} },
      ],
    },
  ]
  const { warnings } = admitted({ containers, spec: { shareProcessNamespace: true } })
  const { warnings: late } = admitted(
    { containers: [{ name }] },
    { ...injection, meshProxies: [name] },
  )
  const mountPath = '/var/run/secrets'
  const { warnings: ofNode } = admitted({
    annotations: annotated({ mode: 'node' }),
    containers: [{ name, volumeMounts: [{ name: 'v', mountPath }] }],
  })
  const all = [...warnings, ...late, ...ofNode]
  expect(all).toHaveLength(6)
  expect(all.filter((text) => `lumo-broker: ${text}`.length > 256)).toEqual([])
})
