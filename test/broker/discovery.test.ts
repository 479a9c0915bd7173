import { afterAll, beforeAll, expect, test } from 'vitest'
import { listeningBroker, type ListeningBroker } from '../fakes/broker.ts'
import { sendHttp } from '../fakes/running_authority.ts'

let broker: ListeningBroker

beforeAll(async () => {
  broker = await listeningBroker()
})

afterAll(() => broker.close())

test.each([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/.well-known/oauth-authorization-server/t/acme-corp/api/v1',
  '/.well-known/jwks.json',
  '/.well-known/anything/else?a=b',
  '/t/acme-corp/.well-known/openid-configuration',
  '/t/acme-corp/api/v1/.well-known/openid-configuration',
  '/orgs/acme-corp/api/v1/.well-known/oauth-authorization-server',
  '/t/globex/api/v1/.well-known/jwks.json',
])('%s says what to configure instead', async (path) => {
  const answer = await sendHttp(broker.port, { path })
  expect(answer.status).toBe(404)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.json).toEqual({
    error: 'not_found',
    error_description: expect.stringContaining('/t/{tenant}/api/v1/oauth/token') as string,
    code: 'discovery_elsewhere',
  })
})

test.each([
  ['POST', '/.well-known/openid-configuration'],
  ['GET', '/t/acme-corp/api/v1/oauth/authorize'],
  ['GET', '/t/acme-corp'],
  ['GET', '/orgs/acme-corp/api/v1/mcp/servers'],
  ['GET', '/api/v1/anything'],
])('%s %s is unknown, and asks for no header', async (method, path) => {
  const answer = await sendHttp(broker.port, { method, path })
  expect([answer.status, answer.json['code']]).toEqual([404, 'route_unknown'])
})

test.each(['/.well-known/openid-configuration', '/t/x', '/api/x'])(
  '%s is guarded as the rest',
  async (path) => {
    const answer = await sendHttp(broker.port, { path, headers: { 'x-forwarded-for': '10.0.0.1' } })
    expect([answer.status, answer.json['code']]).toEqual([403, 'forwarded_request'])
  },
)
