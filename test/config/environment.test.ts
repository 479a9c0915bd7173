import { expect, test } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { resolveConfig } from '../../src/config/load.ts'
import {
  allInOne,
  authorityOnly,
  faultsOf,
  remoteWith,
  sidecar,
} from '../fakes/config_documents.ts'

type Environment = Readonly<Record<string, string | undefined>>

const seen = ({ log, broker }: Config) => ({
  level: log.level,
  url: broker?.remote?.tokenUrl.href,
  tenant: broker?.tenant,
  proof: broker?.proof.from === 'file' ? broker.proof.file : broker?.proof.from,
  audience: broker?.proofAudience,
})

const plain = {
  level: 'info',
  url: 'https://auth.example/t/acme-corp/api/v1/oauth/token',
  tenant: 'acme-corp',
  proof: '/var/run/secrets/lumoauth.dev/proof/token',
  audience: 'https://auth.example/t/acme-corp/api/v1',
}

const ofGlobex = {
  tenant: 'globex',
  url: 'https://auth.example/t/globex/api/v1/oauth/token',
  audience: 'https://auth.example/t/globex/api/v1',
}

const overlays: readonly (readonly [
  name: string,
  environment: Environment,
  changed: Partial<Record<keyof typeof plain, string>>,
])[] = [
  ['nothing', {}, {}],
  ['a variable that is not set', { LUMOAUTH_URL: undefined, LUMO_LOG_LEVEL: undefined }, {}],
  [
    'variables of others',
    { LUMO_LOG_FORMAT: 'x', LUMOAUTH_API_KEY: 'x', PATH: 'x', TENANT: 'x' },
    {},
  ],
  ['LUMO_LOG_LEVEL', { LUMO_LOG_LEVEL: 'debug' }, { level: 'debug' }],
  ['LUMO_PROOF_FILE', { LUMO_PROOF_FILE: '/proof' }, { proof: '/proof' }],
  [
    'LUMOAUTH_URL',
    { LUMOAUTH_URL: 'https://eu.example' },
    {
      url: 'https://eu.example/t/acme-corp/api/v1/oauth/token',
      audience: 'https://eu.example/t/acme-corp/api/v1',
    },
  ],
  ['LUMOAUTH_TENANT', { LUMOAUTH_TENANT: 'globex' }, ofGlobex],
  ['LUMOAUTH_ORG_ID', { LUMOAUTH_ORG_ID: 'globex' }, ofGlobex],
  ['both names, equal', { LUMOAUTH_TENANT: 'globex', LUMOAUTH_ORG_ID: 'globex' }, ofGlobex],
]

for (const [name, environment, changed] of overlays) {
  test(`the environment is laid over the file: ${name}`, () => {
    expect(seen(resolveConfig(sidecar(), environment))).toEqual({ ...plain, ...changed })
  })
}

test('what the file leaves out may come from the environment alone', () => {
  const environment = { LUMOAUTH_URL: 'https://auth.example', LUMOAUTH_ORG_ID: 'acme-corp' }
  const document = sidecar({ authority: {} })
  expect(seen(resolveConfig(document, environment))).toEqual(plain)
  expect(seen(resolveConfig({ roles: ['broker'], broker: {} }, environment))).toEqual(plain)
})

test('a variable for the log works without a section log', () => {
  expect(resolveConfig(authorityOnly(), { LUMO_LOG_LEVEL: 'error' }).log.level).toBe('error')
})

const everything = {
  LUMOAUTH_URL: 'https://auth.example',
  LUMOAUTH_TENANT: 'acme-corp',
  LUMO_PROOF_FILE: '/proof',
}

test('a variable never adds a role', () => {
  const config = resolveConfig(authorityOnly(), everything)
  expect(config.broker).toBe(undefined)
  expect(config.authority?.origin).toBe('https://auth.example')
})

test('a variable never adds the section of a role that is asked for', () => {
  expect(faultsOf(() => resolveConfig({ roles: ['broker'] }, everything))).toEqual([
    'broker: must be given with the role broker',
  ])
})

const faulty: readonly (readonly [
  name: string,
  document: unknown,
  environment: Environment,
  ...faults: readonly string[],
])[] = [
  [
    'two names that say different things',
    sidecar(),
    { LUMOAUTH_TENANT: 'acme-corp', LUMOAUTH_ORG_ID: 'globex' },
    'LUMOAUTH_TENANT and LUMOAUTH_ORG_ID say different things',
  ],
  [
    'two names that say different things, beside other faults',
    remoteWith({ url: 'auth' }),
    { LUMOAUTH_TENANT: 'acme-corp', LUMOAUTH_ORG_ID: 'globex', LUMO_LOG_LEVEL: 'loud' },
    'LUMOAUTH_TENANT and LUMOAUTH_ORG_ID say different things',
    'broker.authority.url: must be the origin of the authority, such as https://auth.example.com',
    'log.level: must be one of debug, info, warn, error (given by LUMO_LOG_LEVEL)',
  ],
  [
    'a level that is none',
    sidecar(),
    { LUMO_LOG_LEVEL: 'loud' },
    'log.level: must be one of debug, info, warn, error (given by LUMO_LOG_LEVEL)',
  ],
  [
    'a url over http',
    sidecar(),
    { LUMOAUTH_URL: 'http://auth.example' },
    'broker.authority.url: must be https: over plain HTTP a proof could be read on the way (given by LUMOAUTH_URL)',
  ],
  [
    'a tenant that is none',
    sidecar(),
    { LUMOAUTH_TENANT: '../globex' },
    'broker.authority.tenant: must be lower case letters, digits and dashes, 63 at most, with no dash at either end (given by LUMOAUTH_TENANT)',
  ],
  [
    'a url for all in one',
    allInOne(),
    { LUMOAUTH_URL: 'https://auth.example' },
    'broker.authority.url: must be absent with shape all-in-one (given by LUMOAUTH_URL)',
  ],
  [
    'a tenant under its other name',
    sidecar(),
    { LUMOAUTH_ORG_ID: 'Foo' },
    'broker.authority.tenant: must be lower case letters, digits and dashes, 63 at most, with no dash at either end (given by LUMOAUTH_ORG_ID)',
  ],
  [
    'a guard value beside a file of one',
    sidecar({ dropIn: { secretFile: '/guard' } }),
    { LUMO_GUARD_SECRET: 'g'.repeat(43) },
    'broker.dropIn: must have secret or secretFile, not both (its secret is given by LUMO_GUARD_SECRET)',
  ],
  [
    'a guard value where there is to be none',
    sidecar({ dropIn: { guard: 'none' } }),
    { LUMO_GUARD_SECRET: 'g'.repeat(43) },
    'broker.dropIn: guard none contradicts the guard value beside it (its secret is given by LUMO_GUARD_SECRET)',
  ],
  [
    'a guard value that is short, without a section for it',
    sidecar(),
    { LUMO_GUARD_SECRET: 'short' },
    'broker.dropIn.secret: must not have fewer than 22 characters (given by LUMO_GUARD_SECRET)',
  ],
  [
    'what the file has wrong beside a variable of the same section',
    remoteWith({ colour: 'red' }),
    { LUMOAUTH_TENANT: 'acme-corp' },
    'broker.authority.colour: there is no such setting',
  ],
  [
    'a section that is a text',
    { roles: ['broker'], broker: 'x' },
    { LUMOAUTH_URL: 'https://auth.example' },
    'broker: must be object',
  ],
]

for (const [name, document, environment, ...faults] of faulty) {
  test(`the environment is refused: ${name}`, () => {
    const told = faultsOf(() => resolveConfig(document, environment))
    expect(told).toEqual(faults.toSorted())
  })
}
