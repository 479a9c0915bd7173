import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { allInOne, faultsOf, nodeBroker, sidecar } from '../fakes/config_documents.ts'

const route = {
  name: 'docs',
  upstream: 'https://docs.example.com/v1',
  audience: 'https://docs.example.com',
  methods: ['GET'],
  paths: ['/**'],
}
const proxyWith = (section: object, broker: object = {}) =>
  sidecar({ ...broker, proxy: { routes: [route], ...section } })
const routeWith = (changes: object) => proxyWith({ routes: [{ ...route, ...changes }] })
const resolved = (document: unknown) => resolveConfig(document, {}).broker?.proxy

describe('broker.proxy', () => {
  test('is off without asking', () => {
    expect(resolved(sidecar())).toBeUndefined()
  })

  test('listens on port 9181 of both loopbacks', () => {
    expect(resolved(proxyWith({}))?.listen).toEqual([
      { host: '127.0.0.1', port: 9181, optional: false },
      { host: '::1', port: 9181, optional: true },
    ])
  })

  test('of a route that says the least is', () => {
    expect(resolved(proxyWith({}))?.routes).toMatchObject([
      {
        name: 'docs',
        prefix: '/docs',
        upstream: new URL('https://docs.example.com/v1'),
        audiences: ['https://docs.example.com'],
        resources: [],
        scope: undefined,
        agent: undefined,
        methods: ['GET'],
        paths: [{ source: '/**' }],
        forSubject: false,
        caFile: undefined,
        timeoutMs: 30_000,
        idleTimeoutMs: 300_000,
      },
    ])
  })

  test('of a route that says all is', () => {
    const all = {
      path: '/api/v1',
      resources: ['https://r.example/'],
      scopes: ['read', 'read', 'write'],
      agent: 'agent-1',
      methods: ['GET', 'POST', 'GET'],
      onBehalfOf: 'subject',
      caFile: '/ca.pem',
      timeout: 5,
      idleTimeout: 3_600,
    }
    expect(resolved(routeWith(all))?.routes).toMatchObject([
      {
        prefix: '/api/v1',
        resources: ['https://r.example/'],
        scope: ['read', 'write'],
        agent: 'agent-1',
        methods: ['GET', 'POST'],
        forSubject: true,
        caFile: '/ca.pem',
        timeoutMs: 5_000,
        idleTimeoutMs: 3_600_000,
      },
    ])
  })

  test.each([
    ['/', ''],
    ['/a/b', '/a/b'],
  ])('the path %s is the prefix %j', (path, prefix) => {
    expect(resolved(routeWith({ path }))?.routes[0]?.prefix).toBe(prefix)
  })

  test.each([
    'https://docs.example.com',
    'https://docs.example.com/',
    'https://docs.example.com:8443/a/b/',
    'http://127.0.0.1:8080/a',
    'http://localhost:8080',
    'http://[::1]:8080',
  ])('the upstream %s is one', (upstream) => {
    expect(resolved(routeWith({ upstream }))?.routes[0]?.upstream.href).toBe(new URL(upstream).href)
  })

  test('an upstream of plain HTTP elsewhere is one where that is said', () => {
    const plain = { upstream: 'http://docs.internal', allowPlainHttp: true }
    expect(resolved(routeWith(plain))?.routes[0]?.upstream.href).toBe('http://docs.internal/')
  })

  test('a broker beside an authority has one for its own pod', () => {
    expect(resolved(allInOne({ proxy: { routes: [route] } }))?.routes).toHaveLength(1)
  })

  test('may be on a socket', () => {
    const listen = ['unix:/run/lumo/proxy.sock']
    expect(resolved(proxyWith({ listen }))?.listen).toEqual([{ socket: '/run/lumo/proxy.sock' }])
  })
})

const at = 'broker.proxy'
const ABSENT = `${at}: must be absent where callers prove themselves: it is for the programs of one pod`
const HERE = 'must be a loopback address: whoever reaches it acts with the tokens of the pod'
const ROUTE = `${at}.routes[0]`
const PATH_FORM =
  'must be a path of letters, digits, dots, dashes, underscores and tildes, without a slash at its end'
const PLAIN =
  'must be https: over plain HTTP the token could be read on the way; where nobody can, set allowPlainHttp'
const URL_PATH = 'must have a path without empty segments, segments of dots and encoded characters'
const URL_BARE = 'must be a URL without credentials, query and fragment'
const TARGET =
  "audience or resources must be given: without a target the token is the workload's own, by which the upstream could act as it"
const ABSOLUTE = 'must be an absolute URL, such as https://api.example.com/v1'

const faults: readonly (readonly [name: string, document: unknown, ...said: readonly string[]])[] =
  [
    ['a node broker', nodeBroker({ proxy: { routes: [route] } }), ABSENT],
    ['no route', proxyWith({ routes: [] }), `${at}.routes: must not have fewer than 1 items`],
    [
      'the default beside a socket',
      proxyWith({}, { listen: ['unix:/run/lumo/b.sock'] }),
      `${at}.listen: must be given beside broker.listen on a socket: the default lets in every container of the pod`,
    ],
    [
      'an address of the network',
      proxyWith({ listen: ['0.0.0.0:9181'] }),
      `${at}.listen[0]: ${HERE}`,
    ],
    [
      'an address of the network beside one that is not',
      proxyWith({ listen: ['127.0.0.1:9181', '10.0.0.1:9181'] }),
      `${at}.listen[1]: ${HERE}`,
    ],
    [
      'a name',
      proxyWith({ listen: ['localhost:9181'] }),
      `${at}.listen[0]: must be a loopback address and a port, or unix: and an absolute path`,
    ],
    [
      'a socket beside an address',
      proxyWith({ listen: ['unix:/run/p.sock', '127.0.0.1:9181'] }),
      `${at}.listen[0]: a socket must stand alone: TCP would let everybody in`,
    ],
    [
      'one name twice',
      proxyWith({ routes: [route, { ...route, path: '/other' }] }),
      `${at}.routes[1].name: is that of routes[0] already`,
    ],
    [
      'one path twice',
      proxyWith({ routes: [route, { ...route, name: 'other', path: '/docs' }] }),
      `${at}.routes[1].path: is that of routes[0] already`,
    ],
    ...['docs', '/docs/', '//', '/a//b', '/a%20b', '/a;b'].map(
      (path) => [`the path ${path}`, routeWith({ path }), `${ROUTE}.path: ${PATH_FORM}`] as const,
    ),
    [
      'a path that climbs',
      routeWith({ path: '/a/../b' }),
      `${ROUTE}.path: must have no segment of dots alone`,
    ],
    [
      'TRACE',
      routeWith({ methods: ['TRACE'] }),
      `${ROUTE}.methods[0]: must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY`,
    ],
    ['no method', routeWith({ methods: [] }), `${ROUTE}.methods: must not have fewer than 1 items`],
    [
      'a pattern that climbs',
      routeWith({ paths: ['/a/../b'] }),
      `${ROUTE}.paths[0]: must have no segment of dots alone: no path with one passes`,
    ],
    [
      'a pattern with an empty segment',
      routeWith({ paths: ['/a', '/a//b'] }),
      `${ROUTE}.paths[1]: must have no empty segment: no path with one passes`,
    ],
    [
      'two stars in the middle',
      routeWith({ paths: ['/**/b'] }),
      `${ROUTE}.paths[0]: is no pattern: ** may stand at the very end only`,
    ],
    [
      'a pattern without a slash',
      routeWith({ paths: ['a'] }),
      `${ROUTE}.paths[0]: must be a path that begins with / and has no characters that URLs encode`,
    ],
    ['no target', routeWith({ audience: undefined }), `${ROUTE}: ${TARGET}`],
    [
      'no target for a user either',
      routeWith({ audience: undefined, resources: [], onBehalfOf: 'subject' }),
      `${ROUTE}: ${TARGET}`,
    ],
    [
      'a resource that is none',
      routeWith({ resources: ['docs'] }),
      `${ROUTE}.resources: must be absolute URIs without a fragment`,
    ],
    [
      'plain HTTP elsewhere',
      routeWith({ upstream: 'http://docs.example.com' }),
      `${ROUTE}.upstream: ${PLAIN}`,
    ],
    [
      'a CA for plain HTTP',
      routeWith({ upstream: 'http://127.0.0.1', caFile: '/ca.pem' }),
      `${ROUTE}.caFile: must be absent beside an upstream of plain HTTP`,
    ],
    ...['docs.example.com', '/v1', 'ftp://docs.example.com', 'file:///etc/passwd'].map(
      (upstream) =>
        [
          `the upstream ${upstream}`,
          routeWith({ upstream }),
          `${ROUTE}.upstream: ${ABSOLUTE}`,
        ] as const,
    ),
    ...[
      'https://u:p@docs.example.com',
      'https://docs.example.com/?a',
      'https://docs.example.com/#a',
    ].map(
      (upstream) =>
        [
          `the upstream ${upstream}`,
          routeWith({ upstream }),
          `${ROUTE}.upstream: ${URL_BARE}`,
        ] as const,
    ),
    ...[
      'https://docs.example.com//a',
      'https://docs.example.com/a/../b',
      'https://docs.example.com/%61',
      'https://docs.example.com/a;b',
    ].map(
      (upstream) =>
        [
          `the upstream ${upstream}`,
          routeWith({ upstream }),
          `${ROUTE}.upstream: ${URL_PATH}`,
        ] as const,
    ),
  ]

describe('is refused with', () => {
  test.each(faults)('%s', (_name, document, ...said) => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(said)
  })
})
