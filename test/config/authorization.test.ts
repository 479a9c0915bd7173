import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { allInOne, faultsOf, nodeBroker, sidecar } from '../fakes/config_documents.ts'

const route = { name: 'docs', audience: 'https://docs.example.com' }
const written = (section: object, broker: object = {}) =>
  sidecar({ ...broker, authorization: { routes: [route], ...section } })
const withRoute = (changes: object) => written({ routes: [{ ...route, ...changes }] })
const resolved = (document: unknown) => resolveConfig(document, {}).broker?.authorization

describe('broker.authorization', () => {
  test('is off where it is absent', () => {
    expect(resolved(sidecar())).toBeUndefined()
  })

  test('listens on both loopbacks by default', () => {
    expect(resolved(written({}))).toEqual({
      listen: [
        { host: '127.0.0.1', port: 9182, optional: false },
        { host: '::1', port: 9182, optional: true },
      ],
      hosts: [],
      routes: [
        {
          name: 'docs',
          audiences: ['https://docs.example.com'],
          resources: [],
          scope: undefined,
          agent: undefined,
        },
      ],
    })
  })

  test('holds what is written, each scope once', () => {
    const document = written({
      listen: ['unix:/run/lumo/authorization.sock'],
      hosts: ['Docs.Example.com'],
      routes: [
        { name: 'all', resources: ['https://x.example/'], scopes: ['b', 'a', 'b'], agent: 'one' },
      ],
    })
    expect(resolved(document)).toEqual({
      listen: [{ socket: '/run/lumo/authorization.sock' }],
      hosts: ['docs.example.com'],
      routes: [
        {
          name: 'all',
          audiences: [],
          resources: ['https://x.example/'],
          scope: ['b', 'a'],
          agent: 'one',
        },
      ],
    })
  })

  test('stands beside a broker in the process of its authority', () => {
    expect(resolved(allInOne({ authorization: { routes: [route] } }))?.routes).toHaveLength(1)
  })
})

const ABSENT =
  'broker.authorization: must be absent where callers prove themselves: a gateway shows no proof of a pod'
const LOOPBACK = 'must be a loopback address: whoever reaches it could have the tokens of the pod'
const NAME = 'must be lower case letters, digits and dashes, 63 at most'
const TARGET =
  "audience or resources must be given: without a target the token is the workload's own, by which the upstream could act as it"
const at = 'broker.authorization'

const faulty: readonly (readonly [string, unknown, ...(readonly string[])])[] = [
  ['a node broker', nodeBroker({ authorization: { routes: [route] } }), ABSENT],
  [
    'all in one for callers',
    allInOne({
      proof: { source: 'caller' },
      tls: { certFile: '/a', keyFile: '/b' },
      authorization: { routes: [route] },
    }),
    ABSENT,
  ],
  ['every address', written({ listen: ['0.0.0.0:9182'] }), `${at}.listen[0]: ${LOOPBACK}`],
  [
    'an address of a network',
    written({ listen: ['127.0.0.1:9182', '10.0.0.1:9182'] }),
    `${at}.listen[1]: ${LOOPBACK}`,
  ],
  [
    'a name',
    written({ listen: ['localhost:9182'] }),
    `${at}.listen[0]: must be a loopback address and a port, or unix: and an absolute path`,
  ],
  [
    'a socket beside TCP',
    written({ listen: ['127.0.0.1:9182', 'unix:/run/a.sock'] }),
    `${at}.listen[1]: a socket must stand alone: TCP would let everybody in`,
  ],
  [
    'TCP by default beside a broker on a socket',
    written({}, { listen: ['unix:/run/lumo/broker.sock'] }),
    `${at}.listen: must be given beside broker.listen on a socket: the default lets in every container of the pod`,
  ],
  ['no route', written({ routes: [] }), `${at}.routes: must not have fewer than 1 items`],
  [
    'a name twice',
    written({ routes: [route, { ...route, name: 'other' }, route] }),
    `${at}.routes[2].name: is that of routes[0] already`,
  ],
  ['a name with a slash', withRoute({ name: 'docs/x' }), `${at}.routes[0].name: ${NAME}`],
  ['a name in capitals', withRoute({ name: 'Docs' }), `${at}.routes[0].name: ${NAME}`],
  ['a long name', withRoute({ name: 'a'.repeat(64) }), `${at}.routes[0].name: ${NAME}`],
  [
    'no target',
    written({ routes: [route, { name: 'other', scopes: ['read'] }] }),
    `${at}.routes[1]: ${TARGET}`,
  ],
  [
    'a list of no targets',
    written({ routes: [{ name: 'docs', resources: [] }] }),
    `${at}.routes[0]: ${TARGET}`,
  ],
  [
    'a resource that is no URI',
    withRoute({ resources: ['docs'] }),
    `${at}.routes[0].resources: must be absolute URIs without a fragment`,
  ],
  [
    'scopes that are too long together',
    withRoute({
      scopes: Array.from({ length: 17 }, (_, index) => String(index).padEnd(256, 'x')),
    }),
    `${at}.routes[0].scopes: must fit into 4096 characters, so that they can be asked for at once`,
  ],
  [
    'a host with its port',
    written({ hosts: ['docs.example.com:443'] }),
    `${at}.hosts[0]: must be the name of a host, without a port`,
  ],
  [
    'a subject',
    withRoute({ onBehalfOf: 'user' }),
    `${at}.routes[0].onBehalfOf: there is no such setting`,
  ],
]

test.each(faulty)('%s is refused', (_name, document, ...faults) => {
  expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults)
})

test('a socket of its own stands beside a broker on one', () => {
  const document = written(
    { listen: ['unix:/run/lumo/authorization.sock'] },
    { listen: ['unix:/run/lumo/broker.sock'] },
  )
  expect(resolved(document)?.listen).toEqual([{ socket: '/run/lumo/authorization.sock' }])
})
