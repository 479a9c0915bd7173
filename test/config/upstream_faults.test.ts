import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { resolveConfig } from '../../src/config/load.ts'
import { faultsOf, tenantWith } from '../fakes/config_documents.ts'
import type { Json } from '../fakes/running_authority.ts'
import { readPage } from '../flows/pages.ts'

const upstream = {
  name: 'corp',
  label: 'Corp',
  issuer: 'https://login.corp.example',
  clientId: 'lumo',
}

const upstreamsOf = (...entries: readonly object[]) =>
  tenantWith({ upstreams: entries.map((entry) => ({ ...upstream, ...entry })) })

const AT = 'authority.tenants[0].upstreams'
const URL_FORM = `${AT}[0].issuer: must be an https URL without a query; plain http is for loopback only`

test('what an upstream gets without asking', () => {
  const [tenant] = resolveConfig(upstreamsOf({}), {}).authority?.tenants ?? []
  expect([tenant?.passwords, tenant?.upstreams]).toEqual([
    true,
    [
      {
        ...upstream,
        scopes: ['openid', 'email', 'profile'],
        hosts: [],
        users: 'known',
        emailDomains: [],
      },
    ],
  ])
})

test('the upstream of the docs is taken', async () => {
  const { blocks } = await readPage('docs/sign-in.md')
  const written = blocks.find(({ mark }) => mark === 'upstreams')?.text ?? ''
  const { authority } = resolveConfig(tenantWith(parse(written) as Json), {})
  expect(authority?.tenants[0]?.upstreams.map(({ name }) => name)).toEqual(['corp'])
})

test.each([
  ['on the loopback', { issuer: 'http://127.0.0.1:9270/t/acme-corp/api/v1' }],
  ['with a slash at the end', { issuer: 'https://login.corp.example/' }],
  ['for some domains', { users: 'anyone', emailDomains: ['corp.example'] }],
])('an upstream is taken: %s', (_name, changes) => {
  expect(faultsOf(() => resolveConfig(upstreamsOf(changes), {}))).toEqual([])
})

test.each<[string, object, ...string[]]>([
  ['over http', upstreamsOf({ issuer: 'http://login.corp.example' }), URL_FORM],
  ['with a query', upstreamsOf({ issuer: 'https://login.corp.example?a=b' }), URL_FORM],
  ['with an empty query', upstreamsOf({ issuer: 'https://login.corp.example?' }), URL_FORM],
  ['with a password', upstreamsOf({ issuer: 'https://a:b@login.corp.example' }), URL_FORM],
  ['by a word', upstreamsOf({ issuer: 'corp' }), URL_FORM],
  [
    'that is the tenant',
    upstreamsOf({ issuer: 'https://auth.example/t/acme-corp/api/v1' }),
    `${AT}[0].issuer: must not be that of the tenant itself`,
  ],
  ['without openid', upstreamsOf({ scopes: ['email'] }), `${AT}[0].scopes: must hold openid`],
  [
    'with domains for those who are known',
    upstreamsOf({ emailDomains: ['corp.example'] }),
    `${AT}[0].emailDomains: is for users: anyone`,
  ],
  [
    'with a domain in capitals',
    upstreamsOf({ users: 'anyone', emailDomains: ['Corp.example'] }),
    `${AT}[0].emailDomains[0]: must be a domain in lower case, such as example.com`,
  ],
  [
    'with a name that is no part of a path',
    upstreamsOf({ name: '../x' }),
    `${AT}[0].name: must be lower case letters, digits and dashes, 63 at most, with no dash at either end`,
  ],
  [
    'twice by name',
    upstreamsOf({}, { issuer: 'https://other.example' }),
    `${AT}: two upstreams have the same name`,
  ],
  [
    'twice by issuer',
    upstreamsOf({}, { name: 'other' }),
    `${AT}: two upstreams have the same issuer`,
  ],
])('an upstream is refused: %s', (_name, document, ...faults) => {
  expect(faultsOf(() => resolveConfig(document, {}))).toEqual(faults)
})
