import { describe, expect, test } from 'vitest'
import { forwardableOf } from '../../src/broker/forward/path.ts'

const P = '/t/acme-corp/api/v1'

describe('a path that is passed on', () => {
  test.each<[string, string, string, string | undefined]>([
    [`${P}/oauth/userinfo`, 'tenant', 'oauth/userinfo', 'acme-corp'],
    [`${P}/oauth/revoke`, 'tenant', 'oauth/revoke', 'acme-corp'],
    ['/orgs/acme-corp/api/v1/oauth/userinfo', 'tenant', 'oauth/userinfo', 'acme-corp'],
    ['/orgs/other/api/v1/agents/me', 'tenant', 'agents/me', 'other'],
    [
      `${P}/agents/me/approvals/7f3a-b~c_d.e:f@g/status`,
      'tenant',
      'agents/me/approvals/7f3a-b~c_d.e:f@g/status',
      'acme-corp',
    ],
    [`${P}/authz/check`, 'tenant', 'authz/check', 'acme-corp'],
    ['/api/v1/authz/check-bulk', 'root', 'authz/check-bulk', undefined],
    ['/api/v1/authz/a/b/c/d/e/f/g', 'root', 'authz/a/b/c/d/e/f/g', undefined],
    ['/api/v1/authz/permissions?a=%2f..', 'root', 'authz/permissions', undefined],
    [`http://127.0.0.1:9180${P}/agents/me`, 'tenant', 'agents/me', 'acme-corp'],
    // Asked for as it was judged, and not as it was written.
    [`/%74/acme-corp/api/v1/%61gents/%6De`, 'tenant', 'agents/me', 'acme-corp'],
    [`${P}/agents/a...b`, 'tenant', 'agents/a...b', 'acme-corp'],
  ])('%s', (target, from, path, tenant) => {
    const found = forwardableOf(target)
    expect([found?.path.from, found?.path.segments.join('/'), found?.tenant]).toEqual([
      from,
      path,
      tenant,
    ])
  })
})

describe('a path that is not', () => {
  test.each([
    '/',
    '',
    '*',
    '/v1/token',
    P,
    `${P}/`,
    `${P}/agents`,
    `${P}/agents/`,
    `${P}/agents//me`,
    `${P}/agents/me/`,
    `${P}//agents/me`,
    `/${P}/agents/me`,
    `${P}/oauth/token`,
    `${P}/oauth/introspect`,
    `${P}/oauth/authorize`,
    `${P}/oauth/userinfo/x`,
    `${P}/oauth/revoke/`,
    `${P}/oauth`,
    `${P}/admin/agents`,
    `${P}/connect/register`,
    `${P}/mcp/servers`,
    `${P}/Agents/me`,
    '/t/acme-corp/agents/me',
    '/t/acme-corp/api/v2/agents/me',
    '/T/acme-corp/api/v1/agents/me',
    '/x/acme-corp/api/v1/agents/me',
    '/api/v1/agents/me',
    '/api/v1/oauth/userinfo',
    '/api/v1/authz',
    '/api/v1/authz/a/b/c/d/e/f/g/h',
    `${P}/agents/../oauth/token`,
    `${P}/agents/./me`,
    `${P}/agents/..`,
    `${P}/agents/%2e%2e/oauth/token`,
    `${P}/agents/%2E./oauth/token`,
    `${P}/agents/.%2e`,
    `${P}/agents/a%2fb`,
    `${P}/agents/a%2Fb`,
    `${P}/agents/%2fadmin`,
    `${P}/agents/a%5cb`,
    `${P}/agents/a\\b`,
    `${P}/agents/%252e%252e`,
    `${P}/agents/%252fadmin`,
    `${P}/agents/a%25`,
    `${P}/agents/a%`,
    `${P}/agents/a%zz`,
    `${P}/agents/%c0%ae%c0%ae`,
    `${P}/agents/%ef%bc%8e`,
    `${P}/agents/a%00b`,
    `${P}/agents/a%0d%0ab`,
    `${P}/agents/a%20b`,
    `${P}/agents/a+b`,
    `${P}/agents/a;b`,
    `${P}/agents/a%3fb`,
    `${P}/agents/a%23b`,
    `${P}/agents/a#b`,
    `${P}/agents/a,b`,
    `${P}/agents/a=b`,
    `${P}/agents/é`,
    `${P}/agents/${'x'.repeat(257)}`,
    `/t/../api/v1/agents/me`,
    `/t/a%2fb/api/v1/agents/me`,
    `http://127.0.0.1:9180/../agents/me`,
    `ftp://127.0.0.1${P}/agents/me`,
  ])('%s', (target) => {
    expect(forwardableOf(target)).toBeUndefined()
  })
})
