import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig } from '../../src/config/load.ts'
import { InjectionRefusal } from '../../src/webhook/refusal.ts'
import { readPage } from '../flows/pages.ts'
import { admitted, annotated } from './admitted.ts'
import { made, valuesOf } from './asking.ts'
import type { PodParts } from './reviews.ts'

const proxyRoute = {
  name: 'docs',
  upstream: 'https://docs.example',
  audience: 'https://docs.example',
  methods: ['GET'],
  paths: ['/**'],
}
const proxyYaml = `
# What the agent may call, which never sees a token.
- name: docs
  upstream: https://docs.example
  audience: https://docs.example
  methods: [GET]
  paths: [/$HOME/**]
`
const gatewayRoute = { name: 'docs', audience: 'https://docs.example', scopes: ['read'] }
const proxy = (...changes: readonly object[]) =>
  JSON.stringify(changes.map((some) => ({ ...proxyRoute, ...some })))
const gateway = (...changes: readonly object[]) =>
  JSON.stringify(changes.map((some) => ({ ...gatewayRoute, ...some })))

const refusalOf = (annotations: Readonly<Record<string, string>>, parts: PodParts = {}) => {
  const { outcome } = admitted({ ...parts, annotations: annotated(annotations) })
  return outcome instanceof InjectionRefusal ? outcome.message : undefined
}

async function brokerOf(annotations: Readonly<Record<string, string>>) {
  const { spec } = await made({ annotations: annotated(annotations) })
  const text = valuesOf(spec.initContainers[0])['LUMO_CONFIG_DOCUMENT'] ?? ''
  // As the kubelet reads it.
  const document: unknown = JSON.parse(text.replaceAll('$$', () => '$'))
  const { broker } = resolveConfig(document, { LUMO_GUARD_SECRET: 'x'.repeat(43) })
  return { broker, env: valuesOf(spec.containers[0]) }
}

describe('the sidecar serves', () => {
  test('nothing of it where a pod says nothing', async () => {
    const { broker, env } = await brokerOf({})
    expect(broker).toMatchObject({ proxy: undefined, authorization: undefined })
    expect(env).not.toHaveProperty('LUMO_PROXY_URL')
  })

  test.each([
    ['JSON', proxy({ paths: ['/$HOME/**'] })],
    ['YAML', proxyYaml],
  ])('a proxy, by %s', async (_, routes) => {
    const { broker, env } = await brokerOf({ 'proxy-routes': routes })
    expect(broker?.proxy).toMatchObject({
      listen: [{ host: '127.0.0.1', port: 9_181 }, { port: 9_181 }],
      routes: [{ name: 'docs', upstream: new URL('https://docs.example'), methods: ['GET'] }],
    })
    expect(broker?.proxy?.routes[0]?.paths[0]?.source).toBe('/$HOME/**')
    expect(env['LUMO_PROXY_URL']).toBe('http://127.0.0.1:9181')
    expect(broker?.authorization).toBeUndefined()
  })

  test('a gateway', async () => {
    const { broker, env } = await brokerOf({ 'authorization-routes': gateway({}) })
    expect(broker?.authorization).toMatchObject({
      listen: [{ host: '127.0.0.1', port: 9_182 }, { port: 9_182 }],
      routes: [{ name: 'docs', audiences: ['https://docs.example'], scope: ['read'] }],
    })
    expect(broker?.proxy).toBeUndefined()
    expect(env).not.toHaveProperty('LUMO_PROXY_URL')
  })

  test('both, beside what narrows the pod', async () => {
    const { broker } = await brokerOf({
      'proxy-routes': proxy({}, { name: 'more' }),
      'authorization-routes': gateway({}),
      audience: 'https://docs.example',
      port: '9280',
    })
    expect(broker?.proxy?.routes.map(({ name }) => name)).toEqual(['docs', 'more'])
    expect(broker?.authorization?.routes).toHaveLength(1)
    expect(broker?.policyDocument).toBeDefined()
  })
})

describe('beside a socket the proxy is for all, and the broker for those that have the socket:', () => {
  const two = [{ name: 'app' }, { name: 'agent' }]
  const own = 'LUMO_BROKER_SOCKET AGENT_CLIENT_SECRET AGENT_CLIENT_ID'.split(' ')

  test.each<[string, Readonly<Record<string, string>>, readonly string[], readonly string[]]>([
    ['no container is named', {}, ['app', 'agent'], ['app']],
    ['the other is named', { containers: 'agent,app' }, ['app', 'agent'], ['app']],
  ])('%s', async (_name, annotations, proxied, trusted) => {
    const { spec } = await made({
      containers: [...two, { name: 'istio-proxy' }],
      annotations: annotated({ socket: 'app', 'proxy-routes': proxy({}), ...annotations }),
    })
    const having = (name: string) =>
      spec.containers.filter((one) => name in valuesOf(one)).map((one) => one.name)
    expect(having('LUMO_PROXY_URL')).toEqual(proxied)
    expect(having('LUMOAUTH_TENANT')).toEqual(proxied)
    expect(having('LUMOAUTH_URL')).toEqual([])
    for (const name of own) expect(having(name)).toEqual(trusted)
    const mounted = spec.containers.filter(({ volumeMounts = [] }) => volumeMounts.length > 0)
    expect(mounted.map(({ name }) => name)).toEqual(trusted)
  })

  test('the sidecar listens on the socket, and for the proxy on the loopback', async () => {
    const { broker } = await brokerOf({ socket: 'app', 'proxy-routes': proxy({}) })
    expect(broker?.listen).toEqual([{ socket: '/run/lumoauth/broker.sock' }])
    expect(broker?.proxy?.listen).toEqual([
      { host: '127.0.0.1', port: 9_181, optional: false },
      { host: '::1', port: 9_181, optional: true },
    ])
  })

  test('without a proxy the others get nothing', async () => {
    const { spec } = await made({ containers: two, annotations: annotated({ socket: 'app' }) })
    expect(spec.containers[1]).toEqual({ name: 'agent' })
  })
})

const at = (name: string) => `the annotation lumoauth.dev/${name}`
const proxyFault = (what: string) => `${at('proxy-routes')} cannot be used: ${what}`
const gatewayFault = (what: string) => `${at('authorization-routes')} cannot be used: ${what}`
const list = 'it must be a list of routes, as YAML or JSON'
const canary = 'canary-7f3a'

const faulty: readonly (readonly [name: string, proxy: string, sentence: string])[] = [
  ['nothing', '', `${at('proxy-routes')} must be a list of routes`],
  ['blanks', ' ', proxyFault(list)],
  ['no list', '{ name: docs }', proxyFault(list)],
  ['a text', canary, proxyFault(list)],
  ['an empty list', '[]', proxyFault('routes: must not have fewer than 1 items')],
  ['no YAML', `[ ${canary}`, proxyFault('the YAML cannot be read (MISSING_CHAR, line 1)')],
  ['an alias', '[&a {name: docs}, *a]', proxyFault('YAML aliases are not allowed')],
  ['what is too long', `[]${' '.repeat(16_383)}`, `${at('proxy-routes')} must be 16 KiB at most`],
  [
    'what is too long in bytes',
    `[] #${'ä'.repeat(8_191)}`,
    `${at('proxy-routes')} must be 16 KiB at most`,
  ],
  [
    'brackets without end',
    '['.repeat(16_384),
    proxyFault('the YAML cannot be read (RESOURCE_EXHAUSTION, line 1)'),
  ],
  [
    'lists in lists',
    '- '.repeat(8_192),
    proxyFault('the YAML cannot be read (RESOURCE_EXHAUSTION, line 1)'),
  ],
  [
    'an upstream in the clear',
    proxy({ upstream: `http://${canary}.example` }),
    proxyFault(
      'routes[0].upstream: must be https: over plain HTTP the token could be read on the way; where nobody can, set allowPlainHttp',
    ),
  ],
  [
    'one name for two',
    proxy({}, { path: '/other' }),
    proxyFault('routes[1].name: is that of routes[0] already'),
  ],
  [
    'a setting that there is not',
    proxy({ token: canary }),
    proxyFault('routes[0].token: there is no such setting'),
  ],
  [
    'a misspelt setting, and not that the right one is missing',
    proxy({ upstream: undefined, upsteam: canary, methods: canary }),
    proxyFault('routes[0].upsteam: there is no such setting'),
  ],
  [
    'a setting whose name is no name',
    proxy({ [`${canary} is here`]: 1 }),
    proxyFault('routes: there is no such setting'),
  ],
  [
    'a file of CAs',
    proxy({ caFile: `/${canary}` }),
    proxyFault('routes[0].caFile: must be absent: the sidecar has no file of yours'),
  ],
  [
    'a value of another kind',
    proxy({ methods: canary }),
    proxyFault('routes[0].methods: must be array'),
  ],
  [
    'too many',
    proxy(...Array.from({ length: 65 }, (_, index) => ({ name: `r${String(index)}` }))),
    proxyFault('routes: must not have more than 64 items'),
  ],
]

describe('refused, with what is wrong and never with what stands there:', () => {
  test.each(faulty)('%s', (_name, routes, sentence) => {
    const refusal = refusalOf({ 'proxy-routes': routes })
    expect(refusal).toBe(sentence)
    expect(refusal).not.toContain(canary)
  })

  test.each([
    ['two of a name', gateway({}, {}), 'routes[1].name: is that of routes[0] already'],
    [
      'a resource that is none',
      gateway({ resources: [canary] }),
      'routes[0].resources: must be absolute URIs without a fragment',
    ],
    [
      'settings of the proxy',
      gateway({ upstream: canary }),
      'routes[0].upstream: there is no such setting',
    ],
  ])('a gateway: %s', (_name, routes, what) => {
    expect(refusalOf({ 'authorization-routes': routes })).toBe(gatewayFault(what))
  })
})

const beside: readonly (readonly [
  name: string,
  annotations: Readonly<Record<string, string>>,
  parts: PodParts,
  sentence: RegExp,
])[] = [
  [
    'the mode node',
    { mode: 'node', 'proxy-routes': proxy({}) },
    {},
    /proxy-routes is for the mode sidecar/,
  ],
  [
    'the mode node, a gateway',
    { mode: 'node', 'authorization-routes': gateway({}) },
    {},
    /authorization-routes is for the mode sidecar/,
  ],
  [
    'a socket whose container is not chosen',
    { socket: 'app,web', containers: 'app', 'proxy-routes': proxy({}) },
    { containers: [{ name: 'app' }, { name: 'web' }] },
    /socket names web, which would get none: lumoauth\.dev\/containers does not name it/,
  ],
  [
    'another audience',
    { audience: 'https://other.example/**', 'proxy-routes': proxy({}) },
    {},
    /proxy-routes cannot be used: routes\[0\]: must have a target that lumoauth\.dev\/audience allows$/,
  ],
  [
    'another audience, of the second',
    { audience: 'https://docs.example', 'proxy-routes': proxy({}, { name: 'b', audience: 'b' }) },
    {},
    /proxy-routes cannot be used: routes\[1\]: must have a target that/,
  ],
  [
    'an audience that its resources are not',
    {
      audience: 'https://docs.example',
      'proxy-routes': proxy({ resources: ['https://b.example'] }),
    },
    {},
    /routes\[0\]: must have a target that lumoauth\.dev\/audience allows$/,
  ],
  [
    'other scopes',
    { scopes: 'list', 'authorization-routes': gateway({}) },
    {},
    /authorization-routes cannot be used: routes\[0\]\.scopes: must be among those of lumoauth\.dev\/scopes$/,
  ],
  [
    'a socket, a gateway',
    { socket: 'app', 'authorization-routes': gateway({}) },
    {},
    /authorization-routes cannot stand beside lumoauth\.dev\/socket: every container/,
  ],
  ['its port', { port: '9181', 'proxy-routes': proxy({}) }, {}, /the port 9181 twice/],
  [
    'its port for operations',
    { 'operations-port': '9182', 'authorization-routes': gateway({}) },
    {},
    /the port 9182 twice/,
  ],
  [
    'a container that has its port',
    { 'proxy-routes': proxy({}) },
    { containers: [{ name: 'app', ports: [{ containerPort: 9_181 }] }] },
    /^the container app has the port 9181, which is the broker's with lumoauth\.dev\/proxy-routes: give/,
  ],
  [
    'a node that has its port',
    { 'authorization-routes': gateway({}) },
    { containers: [{ name: 'app', ports: [{ containerPort: 1, hostPort: 9_182 }] }] },
    /^the container app has the port 9182, which is the broker's with lumoauth\.dev\/authorization/,
  ],
]

test.each<[string, Readonly<Record<string, string>>]>([
  ['an audience that allows it', { audience: 'https://*.example', scopes: 'list,read' }],
  ['scopes, where the route names none', { scopes: 'list', 'authorization-routes': '' }],
])('admitted beside %s', (_name, { 'authorization-routes': none, ...annotations }) => {
  const routes = gateway(none === undefined ? {} : { scopes: undefined })
  expect(refusalOf({ ...annotations, 'authorization-routes': routes })).toBeUndefined()
})

test.each(beside)('refused beside %s', (_name, annotations, parts, sentence) => {
  expect(refusalOf(annotations, parts)).toMatch(sentence)
})

test.each([
  ['port', { port: '9181' }],
  ['container', {}],
])('without routes their ports are free: %s', (_name, annotations) => {
  const ports = 'port' in annotations ? [] : [{ containerPort: 9_181 }, { containerPort: 9_182 }]
  expect(refusalOf(annotations, { containers: [{ name: 'app', ports }] })).toBeUndefined()
})

test('the pod that docs/install.md shows gets its proxy', async () => {
  const { blocks } = await readPage('docs/install.md')
  const [block, ...more] = blocks.filter(({ mark }) => mark === 'pod')
  expect(more).toEqual([])
  const { metadata } = parse(block?.text ?? '') as {
    readonly metadata: { readonly annotations: Readonly<Record<string, string>> }
  }
  const given = Object.entries(metadata.annotations)
  const names = given.map(([name, value]) => [name.replace('lumoauth.dev/', ''), value])
  const { broker } = await brokerOf(Object.fromEntries(names) as Readonly<Record<string, string>>)
  expect(broker?.listen).toEqual([{ socket: '/run/lumoauth/broker.sock' }])
  expect(broker?.proxy?.routes.map(({ name }) => name)).toEqual(['docs'])
})
