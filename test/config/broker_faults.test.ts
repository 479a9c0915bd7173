import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import {
  allInOne,
  authority,
  faultsOf,
  nodeBroker,
  provider,
  sidecar,
  tls,
} from '../fakes/config_documents.ts'

type Case = readonly [name: string, document: unknown, ...faults: readonly string[]]

const callers = { nodeName: 'worker-1', providers: [provider()] }
const withProvider = (changes: object) =>
  nodeBroker({ callers: { ...callers, providers: [{ ...provider(), ...changes }] } })
const fromCallers = (changes: object = {}) =>
  allInOne({ proof: { source: 'caller' }, tls, ...changes })

const NO_TLS =
  'broker.tls: must be given: callers show their tokens, which could be read on the way'
const OF_NODE =
  "broker.podIp: is the node's: in a pod with hostNetwork every process of the node could ask for tokens on its loopback"
const SOCKET = 'must be an IP address and a port, or unix: and an absolute path'
const ALONE = 'a socket must stand alone: TCP would let everybody in'
const NO_SOCKET = 'callers that prove themselves come over the network'

const shapes: readonly Case[] = [
  [
    'an unknown shape',
    sidecar({ shape: 'daemon' }),
    'broker.shape: must be one of sidecar, node, all-in-one',
  ],
  ['a node broker without tls', nodeBroker({ tls: undefined }), NO_TLS],
  [
    'a node broker without tls at one of its addresses',
    nodeBroker({ tls: undefined, listen: ['127.0.0.1:9180', '10.0.0.1:9180'] }),
    NO_TLS,
  ],
  ['all in one for callers without tls', fromCallers({ tls: undefined }), NO_TLS],
  [
    'a node broker with an authority',
    { ...nodeBroker(), roles: ['authority', 'broker'], authority },
    'roles: a node broker must not carry an authority: signing keys would lie on every node',
  ],
  [
    'a node broker without an authority',
    nodeBroker({ authority: { tenant: 'acme-corp' } }),
    'broker.authority.url: must be the origin of the authority, such as https://auth.example.com',
  ],
  [
    'a sidecar with tls',
    sidecar({ tls }),
    'broker.tls: must be absent: on loopback and on a socket there is nobody in between',
  ],
  ...['sts.amazonaws.com', 'pods.eks.amazonaws.com'].map((audience): Case => [
    `a node broker for ${audience}`,
    nodeBroker({ proof: { audience } }),
    `broker.proof.audience: tokens for ${audience} are credentials of AWS: only a sidecar may take that of its own pod`,
  ]),
]

const whoCalls: readonly Case[] = [
  [
    'a node broker without callers',
    nodeBroker({ callers: undefined }),
    'broker.callers.nodeName: must be given with shape node, as NODE_NAME: every pod of the cluster can reach this address',
    'broker.callers.providers: must be given with shape node',
  ],
  [
    'a node broker without its node',
    nodeBroker({ callers: { providers: [provider()] } }),
    'broker.callers.nodeName: must be given with shape node, as NODE_NAME: every pod of the cluster can reach this address',
  ],
  [
    'a node broker without a provider',
    nodeBroker({ callers: { nodeName: 'worker-1' } }),
    'broker.callers.providers: must be given with shape node',
  ],
  [
    'a node broker with a file',
    nodeBroker({ proof: { source: 'file', file: '/p' }, callers: undefined }),
    'broker.proof.source: must be caller with shape node: it has no proof of its own',
    'broker.tls: must be absent: on loopback and on a socket there is nobody in between',
  ],
  [
    'a file beside callers',
    nodeBroker({ proof: { file: '/p' } }),
    'broker.proof.file: must be absent with source caller',
  ],
  [
    'a sidecar for callers',
    sidecar({ proof: { source: 'caller' } }),
    'broker.proof.source: must not be caller with shape sidecar: the pod is the caller',
  ],
  [
    'a sidecar with providers',
    sidecar({ callers }),
    'broker.callers: stands here without source caller',
  ],
  [
    'a sidecar with a number of pods',
    sidecar({ callers: { maxWorkloads: 7 } }),
    'broker.callers: stands here without source caller',
  ],
  [
    'all in one with providers of its own',
    fromCallers({ callers: { providers: [provider()] } }),
    "broker.callers.providers: must be absent with shape all-in-one: the tenant's count",
  ],
  [
    'a provider that is no cluster',
    withProvider({ kind: 'oidc' }),
    'broker.callers.providers[0].kind: must be kubernetes: callers are pods',
  ],
  [
    'a provider with a node',
    withProvider({ node: 'worker-2' }),
    'broker.callers.providers[0].node: must be absent here: it is broker.callers.nodeName',
  ],
  [
    'a provider that takes more than pods',
    withProvider({ requirePod: false }),
    'broker.callers.providers[0].requirePod: must be absent here: callers are pods',
  ],
  [
    'a provider with audiences',
    withProvider({ audiences: ['x'] }),
    'broker.callers.providers[0].audiences: must be absent here: it is broker.proof.audience',
  ],
  [
    'a provider with reviews',
    withProvider({ tokenReview: 'preferred' }),
    'broker.callers.providers[0].tokenReview: must be absent here: the authority asks the API server, a node broker nobody',
  ],
  [
    'no pod at all',
    nodeBroker({ callers: { ...callers, maxWorkloads: 0 } }),
    'broker.callers.maxWorkloads: must be >= 1',
  ],
  [
    'sinks of a node broker',
    nodeBroker({ sinks: [{ file: '/run/t' }] }),
    'broker.sinks: must be absent where callers prove themselves: nobody else gets a token',
  ],
]

const places: readonly Case[] = [
  [
    'a socket beside TCP',
    sidecar({ listen: ['127.0.0.1:9180', 'unix:/run/b.sock'] }),
    `broker.listen[1]: ${ALONE}`,
  ],
  [
    'two sockets',
    sidecar({ listen: ['unix:/run/a', 'unix:/run/b'] }),
    `broker.listen[0]: ${ALONE}`,
    `broker.listen[1]: ${ALONE}`,
  ],
  [
    'a socket of a node broker',
    nodeBroker({ listen: ['unix:/run/b.sock'] }),
    `broker.listen[0]: ${NO_SOCKET}`,
  ],
  ...[
    'unix:',
    'unix:b.sock',
    'unix:./b.sock',
    'unix:/run/',
    'unix://run/b.sock\0',
    `unix:/${'a'.repeat(107)}`,
    'UNIX:/run/b.sock',
  ].map((text): Case => [
    `the socket ${JSON.stringify(text)}`,
    sidecar({ listen: [text] }),
    `broker.listen[0]: ${SOCKET}`,
  ]),
  [
    'a sidecar on the network of its node',
    sidecar({ podIp: '10.0.0.7', hostIp: '10.0.0.7' }),
    OF_NODE,
  ],
  ['the same in IPv6', sidecar({ podIp: 'fd00::7', hostIp: 'fd00::7' }), OF_NODE],
  [
    'the same, written differently',
    sidecar({ podIp: 'fd00:0:0::7', hostIp: 'FD00:0000::0007' }),
    OF_NODE,
  ],
]

for (const [name, document, ...faults] of [...shapes, ...whoCalls, ...places]) {
  test(`a broker is refused: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}
