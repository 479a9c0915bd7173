import { expect, test } from 'vitest'
import { resolveConfig } from '../../src/config/load.ts'
import {
  client,
  clientWith,
  faultsOf,
  hash,
  provider,
  providerWith,
  tenantsOf,
  tenantWith,
} from '../fakes/config_documents.ts'

type Case = readonly [name: string, document: unknown, ...faults: readonly string[]]

/** Said as well of a role whose section has the wrong shape. */

const TENANT = 'authority.tenants[0]'
const PROVIDER = 'authority.tenants[0].providers[0]'
const CLIENT = 'authority.tenants[0].clients[0]'
const ONE_SOURCE = `${PROVIDER}.keys: must have exactly one of discovery, jwksUrl, file, inline`
const HTTPS_URL = 'must be an https URL; plain http is for loopback only'

const TRUSTED_ORIGIN =
  'must be an origin such as https://app.example.com, in lower case and without a path; http is for loopback only'

const trustedOrigins: readonly Case[] = [
  'null',
  '*',
  'https://app.example.com/',
  'https://App.example.com',
  'https://app.example.com:443',
  'http://app.example.com',
  'app.example.com',
].map((origin) => [
  `pages of ${origin}`,
  tenantWith({ trustedOrigins: [origin] }),
  `${TENANT}.trustedOrigins[0]: ${TRUSTED_ORIGIN}`,
])

const providers: readonly Case[] = [
  ['no source of keys', providerWith({ keys: {} }), ONE_SOURCE],
  [
    'discovery turned off, and nothing else',
    providerWith({ keys: { discovery: false } }),
    ONE_SOURCE,
  ],
  ['hosts and nothing else', providerWith({ keys: { hosts: ['x'] } }), ONE_SOURCE],
  ['two sources of keys', providerWith({ keys: { file: '/k', jwksUrl: 'https://k' } }), ONE_SOURCE],
  [
    'discovery and keys inline',
    providerWith({ keys: { discovery: true, inline: { keys: [] } } }),
    ONE_SOURCE,
  ],
  [
    'keys over http',
    providerWith({ keys: { jwksUrl: 'http://keys.example' } }),
    `${PROVIDER}.keys.jwksUrl: ${HTTPS_URL}`,
  ],
  [
    'keys from a file URL',
    providerWith({ keys: { jwksUrl: 'file:///k' } }),
    `${PROVIDER}.keys.jwksUrl: ${HTTPS_URL}`,
  ],
  [
    'discovery over http',
    providerWith({ issuers: ['http://c'], keys: { discovery: true } }),
    `${PROVIDER}.issuers[0]: ${HTTPS_URL}`,
  ],
  [
    'discovery of a word',
    providerWith({ issuers: ['cluster'], keys: { discovery: true } }),
    `${PROVIDER}.issuers[0]: ${HTTPS_URL}`,
  ],
  [
    'keys that are a list',
    providerWith({ keys: { inline: [] } }),
    `${PROVIDER}.keys.inline: must be object`,
  ],
  [
    'no issuers',
    providerWith({ issuers: [] }),
    `${PROVIDER}.issuers: must not have fewer than 1 items`,
  ],
  [
    'no audiences',
    providerWith({ audiences: [] }),
    `${PROVIDER}.audiences: must not have fewer than 1 items`,
  ],
  [
    'a symmetric algorithm',
    providerWith({ algorithms: ['HS256'] }),
    `${PROVIDER}.algorithms[0]: must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA`,
  ],
  [
    'a name of two words',
    providerWith({ name: 'a b' }),
    `${PROVIDER}.name: must be letters, digits, dots, dashes and underscores, 128 at most, with a letter or digit first`,
  ],
  [
    'two providers of one name',
    tenantWith({ providers: [provider(), provider({ audiences: ['x'] })] }),
    `${TENANT}.providers: two providers have the same name`,
  ],
  [
    'two providers with one pair of issuer and audience',
    tenantWith({ providers: [provider(), provider({ name: 'other' })] }),
    'authority.tenants: provider other of acme-corp has an issuer and audience that another provider has too',
  ],
  [
    'two providers that share one pair of several',
    tenantWith({
      providers: [
        provider({ audiences: ['x', 'y'] }),
        provider({
          name: 'other',
          issuers: ['https://b', 'https://cluster.example'],
          audiences: ['y'],
        }),
      ],
    }),
    'authority.tenants: provider other of acme-corp has an issuer and audience that another provider has too',
  ],
  [
    'providers of two tenants with one pair',
    tenantsOf(
      { slug: 'a', providers: [provider({ audiences: ['x'] })] },
      { slug: 'b', providers: [provider({ audiences: ['x'] })] },
    ),
    'authority.tenants: provider prod of b has an issuer and audience that another provider has too',
  ],
  [
    'a provider that takes the audience another tenant has by default',
    tenantsOf(
      { slug: 'a', providers: [provider()] },
      { slug: 'b', providers: [provider({ audiences: ['https://auth.example/t/a/api/v1'] })] },
    ),
    'authority.tenants: provider prod of b has an issuer and audience that another provider has too',
  ],
]

const clients: readonly Case[] = [
  [
    'a secret in clear',
    clientWith({ secretHashes: ['secret'] }),
    `${CLIENT}.secretHashes[0]: must be \`sha256:\` and 43 characters of base64url`,
  ],
  [
    'no secret',
    clientWith({ secretHashes: [] }),
    `${CLIENT}.secretHashes: must be given with the methods client_secret_basic and client_secret_post, and only then`,
  ],
  [
    'three secrets',
    clientWith({ secretHashes: [hash, hash, hash] }),
    `${CLIENT}.secretHashes: must not have more than 2 items`,
  ],
  [
    'an unknown method',
    clientWith({ methods: ['tls_client_auth'] }),
    `${CLIENT}.methods[0]: must be one of client_secret_basic, client_secret_post, private_key_jwt, federated_jwt, none`,
  ],
  [
    'an unknown grant',
    clientWith({ grantTypes: ['password'] }),
    `${CLIENT}.grantTypes[0]: must be one of authorization_code, client_credentials, refresh_token, token_exchange`,
  ],
  [
    'two scopes in one text',
    clientWith({ grants: [{ scopes: ['a b'] }] }),
    `${CLIENT}.grants[0].scopes[0]: must be one scope: printable ASCII without spaces, quotes and backslashes, 256 characters at most`,
  ],
  [
    'a target with a space',
    clientWith({ grants: [{ scopes: [] }, { target: 'a b', scopes: [] }] }),
    `${CLIENT}.grants[1].target: must be printable ASCII without spaces, 512 characters at most`,
  ],
  ['too many targets', clientWith({ maxTargets: 6 }), `${CLIENT}.maxTargets: must be <= 5`],
  ['too short a life', clientWith({ lifetime: 59 }), `${CLIENT}.lifetime: must be >= 60`],
  ['too long a life', clientWith({ lifetime: 86_401 }), `${CLIENT}.lifetime: must be <= 86400`],
  ['a life as text', clientWith({ lifetime: '3600' }), `${CLIENT}.lifetime: must be integer`],
  [
    'a public client with a secret',
    clientWith({ methods: ['none'], grantTypes: ['token_exchange'] }),
    `${CLIENT}.secretHashes: must be given with the methods client_secret_basic and client_secret_post, and only then`,
  ],
  [
    'a public client with what rests on knowing who it is',
    clientWith({
      methods: ['none'],
      secretHashes: [],
      mayIntrospect: true,
      impersonation: { users: ['user_a'] },
    }),
    `${CLIENT}.grantTypes: a public client cannot have client_credentials`,
    `${CLIENT}.impersonation: is for clients that authenticate`,
    `${CLIENT}.mayIntrospect: is for clients that authenticate`,
  ],
  [
    'a public client with another method',
    clientWith({ methods: ['none', 'client_secret_basic'], grantTypes: ['token_exchange'] }),
    `${CLIENT}.methods: none stands alone: a client is public or it is not`,
  ],
  [
    'a method without its keys',
    clientWith({ methods: ['private_key_jwt'], secretHashes: [] }),
    `${CLIENT}.jwks: must be given with the method private_key_jwt, and only then`,
  ],
  [
    'keys without their method',
    clientWith({ jwks: { keys: [{}] } }),
    `${CLIENT}.jwks: must be given with the method private_key_jwt, and only then`,
  ],
  [
    'a method without its pod',
    clientWith({ methods: ['federated_jwt'], secretHashes: [] }),
    `${CLIENT}.proof: must be given with the method federated_jwt, and only then`,
  ],
  [
    'a pod of a provider that is not there',
    clientWith({
      methods: ['federated_jwt'],
      secretHashes: [],
      proof: { provider: 'nobody', namespace: 'a', serviceAccount: 'b' },
    }),
    `${CLIENT}.proof.provider: the tenant has no provider of this name`,
  ],
  [
    'codes without a place to send them',
    clientWith({ grantTypes: ['authorization_code'] }),
    `${CLIENT}.redirectUris: must be given with the grant authorization_code`,
  ],
  ...[
    'http://app.example/callback',
    'https://app.example/callback#top',
    'https://*.app.example/callback',
    'https://user:pass@app.example/callback',
    'app:/callback',
    '/callback',
    'javascript:alert(1)',
  ].map((uri): Case => [
    `redirect URI ${uri}`,
    clientWith({ redirectUris: [uri] }),
    `${CLIENT}.redirectUris[0]: must be https, http on the loopback, or a private scheme with a dot, without a fragment`,
  ]),
  [
    'two users of one sub',
    tenantWith({ users: [{ sub: 'a' }, { sub: 'a' }] }),
    `${TENANT}.users: two users have the same sub, or a user has that of a client`,
  ],
  [
    'a user who is called as a client is',
    tenantWith({ clients: [client()], users: [{ sub: 'reporter' }] }),
    `${TENANT}.users: two users have the same sub, or a user has that of a client`,
  ],
  [
    'two clients of one id',
    tenantWith({ clients: [client(), client()] }),
    `${TENANT}.clients: two clients have the same id`,
  ],
]

for (const [name, document, ...faults] of [...providers, ...clients, ...trustedOrigins]) {
  test(`a configuration is refused: ${name}`, () => {
    expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults.toSorted())
  })
}
