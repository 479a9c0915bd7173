import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import {
  allInOne,
  authority,
  authorityOnly,
  faultsOf,
  remote,
  remoteWith,
  sidecar,
  tenantsOf,
} from '../fakes/config_documents.ts'

type Case = readonly [name: string, document: unknown, ...faults: readonly string[]]

/** Said as well of a role whose section has the wrong shape. */
const NO_BROKER = 'broker: must be given with the role broker'

const ADDRESS = 'must be an IP address and a port'
const LISTEN = 'must be an IP address and a port, or unix: and an absolute path'
const LOOPBACK = 'must be a loopback address: every pod of the network could ask for tokens there'
const AN_ORIGIN = 'must be an origin such as https://auth.example.com, without a path'
const URL_ORIGIN =
  'broker.authority.url: must be the origin of the authority, such as https://auth.example.com'
const NO_SIDECAR_AUTHORITY =
  'roles: a sidecar must not carry an authority: signing keys would lie in every pod'

const roles: readonly Case[] = [
  ['no object', [], 'must be object'],
  ['nothing', {}, 'roles must be given'],
  ['no roles', { authority }, 'roles must be given'],
  [
    'an empty list of roles',
    { ...authorityOnly(), roles: [] },
    'roles: must not have fewer than 1 items',
  ],
  [
    'a role twice',
    { ...authorityOnly(), roles: ['authority', 'authority'] },
    'roles: must not have duplicate items',
  ],
  [
    'an unknown role',
    { ...authorityOnly(), roles: ['sorcerer'] },
    'roles[0]: must be one of authority, broker, webhook',
  ],
  ['a role without its section', { roles: ['broker'] }, NO_BROKER],
  [
    'a broker section without its role',
    { ...allInOne(), roles: ['authority'] },
    'broker: stands here without the role broker',
  ],
  [
    'an authority section without its role',
    { ...allInOne(), roles: ['broker'] },
    'authority: stands here without the role authority',
    'broker.shape: all-in-one needs the role authority in the same process',
  ],
  ['an unknown section', { ...sidecar(), sorcerer: {} }, 'sorcerer: there is no such setting'],
  [
    'a log level',
    { ...sidecar(), log: { level: 'trace' } },
    'log.level: must be one of debug, info, warn, error',
  ],
  [
    'a log format',
    { ...sidecar(), log: { format: 'xml' } },
    'log.format: must be one of auto, json, pretty',
  ],
  [
    'an operations address',
    { ...sidecar(), operations: { listen: 'all' } },
    `operations.listen: ${ADDRESS}`,
  ],
]

const broker: readonly Case[] = [
  ['no authority', { roles: ['broker'], broker: {} }, 'broker: authority must be given'],
  [
    'no tenant',
    sidecar({ authority: { url: 'https://auth.example' } }),
    'broker.authority: tenant must be given',
  ],
  ['a sidecar without url', sidecar({ authority: { tenant: 'a' } }), URL_ORIGIN],
  ['a url with a path', remoteWith({ url: 'https://auth.example/t/acme-corp' }), URL_ORIGIN],
  ['a url that is a word', remoteWith({ url: 'auth' }), URL_ORIGIN],
  [
    'a url over http',
    remoteWith({ url: 'http://auth.example' }),
    'broker.authority.url: must be https: over plain HTTP a proof could be read on the way',
  ],
  [
    'a url over ftp',
    remoteWith({ url: 'ftp://auth.example' }),
    'broker.authority.url: must be https: over plain HTTP a proof could be read on the way',
  ],
  ['a time-out of nothing', remoteWith({ timeout: 0 }), 'broker.authority.timeout: must be >= 0.1'],
  [
    'a path style',
    remoteWith({ pathStyle: 'x' }),
    'broker.authority.pathStyle: must be one of t, orgs',
  ],
  ['no listener', sidecar({ listen: [] }), 'broker.listen: must not have fewer than 1 items'],
  ...['0.0.0.0:9180', '[::]:9180', '10.1.2.3:9180', '[fe80::1]:9180'].map((address): Case => [
    `a listener at ${address}`,
    sidecar({ listen: ['127.0.0.1:9180', address] }),
    `broker.listen[1]: ${LOOPBACK}`,
  ]),
  ...['localhost:9180', ':9180', '127.0.0.1', '127.0.0.1:x', '127.0.0.256:1', '[127.0.0.1]:1x'].map(
    (address): Case => [
      `a listener ${address}`,
      sidecar({ listen: [address] }),
      `broker.listen[0]: ${LISTEN}`,
    ],
  ),
  ...['sts.amazonaws.com', 'pods.eks.amazonaws.com'].map((audience): Case => [
    `a credential of AWS as proof where others are served, for ${audience}`,
    allInOne({ proof: { audience } }),
    `broker.proof.audience: tokens for ${audience} are credentials of AWS: only a sidecar may take that of its own pod`,
  ]),
  [
    'a sidecar with an authority',
    { ...allInOne({ shape: 'sidecar', authority: remote }) },
    NO_SIDECAR_AUTHORITY,
  ],
  [
    'all in one with a url',
    allInOne({ authority: remote }),
    'broker.authority.url: must be absent with shape all-in-one',
  ],
  [
    'all in one without an authority',
    { roles: ['broker'], broker: allInOne()['broker'] },
    'broker.shape: all-in-one needs the role authority in the same process',
  ],
  [
    'all in one for another tenant',
    allInOne({ authority: { tenant: 'globex' } }),
    'broker.authority.tenant: the authority of this process has no such tenant',
  ],
]

const together: readonly Case[] = [
  [
    'two rules of one section',
    authorityOnly({ origin: 'http://auth.example', listen: 'x' }),
    'authority.listen: must be an IP address and a port',
    'authority.origin: must be https; plain http is for loopback only',
  ],
  [
    'a shape in one section and rules in the other',
    allInOne({ maxEntries: 0 }, { origin: 'auth', listen: 'x' }),
    `authority.listen: ${ADDRESS}`,
    `authority.origin: ${AN_ORIGIN}`,
    'broker.maxEntries: must be >= 1',
  ],
  [
    'shapes in three sections',
    { ...allInOne({ maxEntries: 0 }, { origin: 7 }), log: { level: 1 } },
    'authority.origin: must be string',
    'broker.maxEntries: must be >= 1',
    'log.level: must be one of debug, info, warn, error',
  ],
  [
    'rules in both sections',
    allInOne({ listen: ['10.0.0.1:1'], authority: { tenant: 'x' } }, { listen: 'x' }),
    `authority.listen: ${ADDRESS}`,
    'broker.authority.tenant: the authority of this process has no such tenant',
    `broker.listen[0]: ${LOOPBACK}`,
  ],
  [
    'a broken authority beside a broker that needs it, of which nothing false is said',
    allInOne({}, { origin: 7 }),
    'authority.origin: must be string',
  ],
  [
    'three tenants, each with its own',
    tenantsOf({ slug: 'A' }, { slug: 'b', algorithm: 'x' }, { slug: 'c', clients: [{ id: '?' }] }),
    'authority.tenants[0].slug: must be lower case letters, digits and dashes, 63 at most, with no dash at either end',
    'authority.tenants[1].algorithm: must be one of RS256, ES256, PS256, EdDSA',
    'authority.tenants[2].clients[0].id: must be letters, digits, dots, dashes and underscores, 128 at most, with a letter or digit first',
  ],
]

for (const [name, document, ...faults] of [...roles, ...broker, ...together]) {
  test(`a configuration is refused: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}

test('every one of many faults is reported', () => {
  const clients = Array.from({ length: 40 }, () => ({ id: 'two words', secretHashes: ['x'] }))
  const tenants = [{ slug: 'acme-corp', clients }]
  const faults = faultsOf(() => resolveConfig({ roles: ['authority'], authority: { tenants } }, {}))
  for (let client = 0; client < clients.length; client++) {
    const at = `authority.tenants[0].clients[${String(client)}]`
    expect(faults.filter((fault) => fault.startsWith(`${at}.`)).length).toBe(2)
  }
})
