import { beforeEach, expect, test } from 'vitest'
import { issueCode } from '../../src/endpoint/authorize/issue_code.ts'
import type { Tenant } from '../../src/endpoint/tenant.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { basic, FORM, secret, type Json } from '../fakes/running_authority.ts'
import { endpointOver } from '../fakes/token_endpoint.ts'
import { watchedTenant } from '../fakes/watched_tenant.ts'

const CALLBACK = 'https://app.example/callback'
const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)

let tenant: Tenant
let world: ReturnType<typeof endpointOver>

/** Two processes over one store: each has found the code unused before either takes it. */
beforeEach(async () => {
  const plain = await watchedTenant(clock, cluster, () => {})
  const found: PromiseWithResolvers<void> = Promise.withResolvers()
  let finders = 0
  const codes = new Proxy(plain.codes, {
    get: (of, name) => {
      if (name !== 'find') return Reflect.get(of, name) as unknown
      return async (code: string) => {
        const one = await of.find(code)
        finders += 1
        if (finders === 2) found.resolve()
        await found.promise
        return one
      }
    },
  })
  tenant = { ...plain, codes }
  world = endpointOver(tenant, clock)
})

async function send(form: Readonly<Record<string, string>>) {
  const { status, body } = await world.endpoint('acme-corp', {
    contentType: FORM['content-type'],
    body: Buffer.from(new URLSearchParams(form).toString()),
    query: '',
    authorization: basic('web', secret).authorization,
    dpop: undefined,
  })
  return { status, json: JSON.parse(body) as Json }
}

test('of two that found a code unused one has tokens, and they are dead', async () => {
  const consent = { sub: 'user_a', authTime: clock.now }
  const code = await issueCode({ clientId: 'web', redirectUri: CALLBACK }, consent, tenant)
  if (typeof code !== 'string') throw new Error(code.code)
  const form = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK }
  const answers = await Promise.all([send(form), send(form)])
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400])

  const served = answers.find(({ status }) => status === 200)
  expect(await tenant.accessTokens.read(String(served?.json['access_token']))).toBe('token_revoked')
  const refreshed = await send({
    grant_type: 'refresh_token',
    refresh_token: String(served?.json['refresh_token']),
  })
  expect(refreshed).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  const events = world.audit.events.map(({ event, reason }) => `${event} ${reason ?? ''}`.trim())
  expect(events.toSorted()).toEqual([
    'grant.spent',
    'grant.spent',
    'oauth.security.code_reuse_detected code_reused',
    'token.issued',
    'token.refused code_reused',
    'token.refused refresh_revoked',
  ])
})
