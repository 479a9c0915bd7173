import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import { authorityOnly, faultsOf, tenantsOf, tenantWith } from '../fakes/config_documents.ts'

type Case = readonly [name: string, document: unknown, ...faults: readonly string[]]

/** Said as well of a role whose section has the wrong shape. */

const TENANT = 'authority.tenants[0]'
const ADDRESS = 'must be an IP address and a port'
const AN_ORIGIN = 'must be an origin such as https://auth.example.com, without a path'

const ofAuthority: readonly Case[] = [
  [
    'an empty section',
    { roles: ['authority'], authority: {} },
    'authority: origin, store, tenants must be given',
  ],
  ...['10.0.0.0/0', '10.0.0.0/33', '10.0.0.0/8/8', 'proxy.example', '', '::/129'].map(
    (proxy): Case => [
      `a trusted proxy ${proxy}`,
      authorityOnly({ trustedProxies: [proxy] }),
      proxy === ''
        ? 'authority.trustedProxies[0]: must not have fewer than 1 characters'
        : 'authority.trustedProxies[0]: must be an IP address, or one and /bits',
    ],
  ),
  ['an unknown setting', authorityOnly({ listn: '' }), 'authority.listn: there is no such setting'],
  [
    'an unknown setting deep below',
    tenantWith({ polcy: 'x' }),
    `${TENANT}.polcy: there is no such setting`,
  ],
  [
    'an origin over http',
    authorityOnly({ origin: 'http://auth.example' }),
    'authority.origin: must be https; plain http is for loopback only',
  ],
  [
    'an origin on a host that looks like the loopback',
    authorityOnly({ origin: 'http://127.0.0.1.example' }),
    'authority.origin: must be https; plain http is for loopback only',
  ],
  [
    'an origin with a path',
    authorityOnly({ origin: 'https://auth.example/t' }),
    `authority.origin: ${AN_ORIGIN}`,
  ],
  [
    'an origin with a query',
    authorityOnly({ origin: 'https://auth.example?x' }),
    `authority.origin: ${AN_ORIGIN}`,
  ],
  [
    'an origin with a user',
    authorityOnly({ origin: 'https://me@auth.example' }),
    `authority.origin: ${AN_ORIGIN}`,
  ],
  [
    'an origin in capitals',
    authorityOnly({ origin: 'https://AUTH.example' }),
    `authority.origin: ${AN_ORIGIN}`,
  ],
  [
    'an origin with the port it has anyway',
    authorityOnly({ origin: 'https://auth.example:443' }),
    `authority.origin: ${AN_ORIGIN}`,
  ],
  ['an origin that is a word', authorityOnly({ origin: 'auth' }), `authority.origin: ${AN_ORIGIN}`],
  [
    'a listener by name',
    authorityOnly({ listen: 'localhost:9170' }),
    `authority.listen: ${ADDRESS}`,
  ],
  [
    'a listener without a port',
    authorityOnly({ listen: '127.0.0.1' }),
    `authority.listen: ${ADDRESS}`,
  ],
  ['a port too high', authorityOnly({ listen: '127.0.0.1:65536' }), `authority.listen: ${ADDRESS}`],
  ['IPv6 without brackets', authorityOnly({ listen: '::1:9170' }), `authority.listen: ${ADDRESS}`],
  ...['0.0.0.0:9170', '[::]:9170', '10.0.0.1:9170', '[::ffff:127.0.0.1]:9170'].map(
    (listen): Case => [
      `plain HTTP at ${listen}`,
      authorityOnly({ listen }),
      'authority.tls: must be given: plain HTTP is for loopback addresses only',
    ],
  ),
  [
    'half of a TLS pair',
    authorityOnly({ tls: { certFile: '/c' } }),
    'authority.tls: keyFile must be given',
  ],
  ['no place for the state', authorityOnly({ store: {} }), 'authority.store.file: must be given'],
  ...[{}, { file: '/var/lib/lumo/authority.sqlite' }].map((file): Case => [
    `the state in PostgreSQL, ${Object.keys(file).length === 0 ? 'alone' : 'beside a file'}`,
    authorityOnly({ store: { ...file, postgresUrlFile: '/etc/lumo/postgresql/url' } }),
    'authority.store.postgresUrlFile: PostgreSQL is not in this version: keep the state in authority.store.file',
  ]),
  [
    'no tenants',
    authorityOnly({ tenants: [] }),
    'authority.tenants: must not have fewer than 1 items',
  ],
  [
    'two tenants of one slug',
    tenantsOf({ slug: 'a' }, { slug: 'a' }),
    'authority.tenants: two tenants have the same slug',
  ],
  [
    'two tenants at the origin',
    tenantsOf({ slug: 'a', issuer: 'origin' }, { slug: 'b', issuer: 'origin' }),
    'authority.tenants: only one tenant may have the bare origin as its issuer',
  ],
  ...['Acme', 'acme_corp', '-acme', 'acme-', 'a/b', '', 'a'.repeat(64)].map((slug): Case => [
    `slug ${slug}`,
    tenantsOf({ slug }),
    `${TENANT}.slug: must be lower case letters, digits and dashes, 63 at most, with no dash at either end`,
  ]),
  [
    'an algorithm with a shared secret',
    tenantWith({ algorithm: 'HS256' }),
    `${TENANT}.algorithm: must be one of RS256, ES256, PS256, EdDSA`,
  ],
  [
    'a free issuer',
    tenantWith({ issuer: 'https://x' }),
    `${TENANT}.issuer: must be one of path, origin`,
  ],
]

for (const [name, document, ...faults] of ofAuthority) {
  test(`a configuration is refused: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}
