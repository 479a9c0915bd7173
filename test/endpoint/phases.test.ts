import { beforeEach, describe, expect, test } from 'vitest'
import { issueCode } from '../../src/endpoint/authorize/issue_code.ts'
import type { Tenant } from '../../src/endpoint/tenant.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCluster } from '../fakes/cluster.ts'
import { ACCESS_TOKEN, basic, exchangeOf, FORM, secret } from '../fakes/running_authority.ts'
import { endpointOver } from '../fakes/token_endpoint.ts'
import { watchedTenant, type Part } from '../fakes/watched_tenant.ts'

type Form = Readonly<Record<string, string>>

const CALLBACK = 'https://app.example/callback'
const clock = new FakeClock()
const cluster = new FakeCluster(() => clock.now)

/** What the endpoint asked of the parts behind it, in order. */
let reached: Part[]
let tenant: Tenant
let world: ReturnType<typeof endpointOver>

beforeEach(async () => {
  tenant = await watchedTenant(clock, cluster, (part) => reached.push(part))
  world = endpointOver(tenant, clock)
  reached = []
})

interface Sent {
  readonly form: Form
  readonly authorization?: string | undefined
  readonly slug?: string
  readonly contentType?: string
}

async function send({ form, authorization, slug, contentType }: Sent) {
  const { status, body } = await world.endpoint(slug ?? 'acme-corp', {
    contentType: contentType ?? FORM['content-type'],
    body: Buffer.from(new URLSearchParams(form).toString()),
    query: '',
    authorization,
    dpop: undefined,
  })
  const json = JSON.parse(body) as Readonly<Record<string, unknown>>
  const error = 'error' in json ? String(json['error']) : 'issued'
  return { json, outcome: `${String(status)} ${error}` }
}

const by = (id: string, password = secret) => basic(id, password).authorization

async function code(clientId: string): Promise<string> {
  const consent = { sub: 'user_a', authTime: clock.now }
  const issued = await issueCode({ clientId, redirectUri: CALLBACK }, consent, tenant)
  if (typeof issued !== 'string') throw new Error(issued.code)
  return issued
}

async function tokensOf(clientId: string) {
  const form = {
    grant_type: 'authorization_code',
    code: await code(clientId),
    redirect_uri: CALLBACK,
  }
  const { json } = await send({ form, authorization: by(clientId) })
  return { access: String(json['access_token']), refresh: String(json['refresh_token']) }
}

interface GrantCase {
  readonly name: string
  readonly grantType: string
  /** A request that is good for the client. */
  readonly form: (clientId: string) => Promise<Form>
  /** Reached before scope and target are looked at, and by a good request. */
  readonly proven: readonly Part[]
  readonly through: readonly Part[]
}

const ownToken = async (clientId: string) =>
  String(
    (await send({ form: { grant_type: 'client_credentials' }, authorization: by(clientId) })).json[
      'access_token'
    ],
  )

const exchange = (form: Form): Form => ({
  grant_type: exchangeOf('').grant_type,
  subject_token_type: ACCESS_TOKEN,
  ...form,
})

const grants: readonly GrantCase[] = [
  {
    name: 'authorization_code',
    grantType: 'authorization_code',
    form: async (clientId) => ({
      grant_type: 'authorization_code',
      code: await code(clientId.startsWith('without') ? 'web' : clientId),
      redirect_uri: CALLBACK,
    }),
    proven: ['find'],
    through: ['find', 'sign', 'spend'],
  },
  {
    name: 'client_credentials',
    grantType: 'client_credentials',
    form: () => Promise.resolve({ grant_type: 'client_credentials' }),
    proven: [],
    through: ['sign'],
  },
  {
    name: 'refresh_token',
    grantType: 'refresh_token',
    form: async (clientId) => ({
      grant_type: 'refresh_token',
      refresh_token: (await tokensOf(clientId.startsWith('without') ? 'web' : clientId)).refresh,
    }),
    proven: ['find'],
    through: ['find', 'sign', 'spend'],
  },
  {
    name: 'exchange, narrowing',
    grantType: 'token_exchange',
    form: async () => exchange({ subject_token: await ownToken('able') }),
    proven: ['read'],
    through: ['read', 'sign'],
  },
  {
    name: 'exchange, delegation',
    grantType: 'token_exchange',
    form: async () =>
      exchange({
        subject_token: (await tokensOf('able')).access,
        actor_token: await ownToken('able'),
        actor_token_type: ACCESS_TOKEN,
      }),
    proven: ['read', 'read'],
    through: ['read', 'read', 'sign'],
  },
  {
    name: 'exchange, impersonation',
    grantType: 'token_exchange',
    form: async () => exchange({ subject_token: (await tokensOf('web')).access }),
    proven: ['read'],
    through: ['read', 'sign'],
  },
]

interface Break {
  readonly name: string
  /** How a good request of the client `able` is broken. */
  readonly sent: (grant: GrantCase) => Partial<Sent>
  readonly outcome: string
  /** How far it comes: nowhere, or to where the grant has proven who asks. */
  readonly reaches: 'nothing' | 'proven'
}

/** The same break of one phase, for every grant: what lies behind the phase must not be reached. */
const breaks: readonly Break[] = [
  {
    name: 'no such tenant',
    sent: () => ({ slug: 'nobody' }),
    outcome: '400 invalid_request',
    reaches: 'nothing',
  },
  {
    name: 'a body that cannot be read',
    sent: () => ({ contentType: 'text/plain' }),
    outcome: '400 invalid_request',
    reaches: 'nothing',
  },
  {
    name: 'a malformed scope',
    sent: () => ({ form: { scope: '"' } }),
    outcome: '400 invalid_scope',
    reaches: 'nothing',
  },
  {
    name: 'a malformed target',
    sent: () => ({ form: { resource: 'relative' } }),
    outcome: '400 invalid_target',
    reaches: 'nothing',
  },
  {
    name: 'a parameter that nothing honours',
    sent: () => ({ form: { authorization_details: '[]' } }),
    outcome: '400 invalid_request',
    reaches: 'nothing',
  },
  {
    name: 'a parameter of another grant',
    sent: ({ grantType }) => ({
      form: { [grantType === 'refresh_token' ? 'code' : 'refresh_token']: 'x' },
    }),
    outcome: '400 invalid_request',
    reaches: 'nothing',
  },
  {
    name: 'a wrong secret',
    sent: () => ({ authorization: by('able', 'wrong') }),
    outcome: '401 invalid_client',
    reaches: 'nothing',
  },
  {
    name: 'an unknown client',
    sent: () => ({ authorization: by('nobody') }),
    outcome: '401 invalid_client',
    reaches: 'nothing',
  },
  {
    name: 'a method that the client has not',
    sent: () => ({
      authorization: undefined,
      form: { client_id: 'able', client_secret: secret },
    }),
    outcome: '401 invalid_client',
    reaches: 'nothing',
  },
  {
    name: 'two ways of authentication',
    sent: () => ({ form: { client_secret: secret } }),
    outcome: '400 invalid_request',
    reaches: 'nothing',
  },
  {
    name: 'a client without the grant',
    sent: ({ grantType }) => ({ authorization: by(`without-${grantType}`) }),
    outcome: '400 unauthorized_client',
    reaches: 'nothing',
  },
  {
    name: 'a scope too wide',
    sent: () => ({ form: { scope: 'read write' } }),
    outcome: '400 invalid_scope',
    reaches: 'proven',
  },
  {
    name: 'a target that is not allowed',
    sent: () => ({ form: { audience: 'https://docs.example.com' } }),
    outcome: '400 invalid_target',
    reaches: 'proven',
  },
]

for (const grant of grants) {
  describe(grant.name, () => {
    test('goes through every phase in order', async () => {
      const form = await grant.form('able')
      reached = []
      const { outcome } = await send({ form, authorization: by('able') })
      expect(outcome).toBe('200 issued')
      expect(reached).toEqual(grant.through)
      expect(world.audit.events.at(-1)).toMatchObject({ event: 'token.issued' })
    })

    for (const { name, sent, outcome: wanted, reaches } of breaks) {
      test(`stops at ${name}`, async () => {
        const { form: more = {}, ...changes } = sent(grant)
        const authorization = 'authorization' in changes ? changes.authorization : by('able')
        const form = { ...(await grant.form('able')), ...more }
        reached = []
        const { outcome } = await send({ authorization, ...changes, form })
        expect(outcome).toBe(wanted)
        expect(reached).toEqual(reaches === 'nothing' ? [] : grant.proven)
      })
    }

    test('gives nothing away when it cannot be put on record', async () => {
      const form = await grant.form('able')
      world.audit.out = true
      reached = []
      const { outcome, json } = await send({ form, authorization: by('able') })
      expect(outcome).toBe('503 temporarily_unavailable')
      // What is good once has to be there for the next try.
      expect(reached).not.toContain('spend')
      expect(Object.keys(json)).toEqual(['error', 'error_description'])
    })

    test('stops at a budget that is used up', async () => {
      const form = await grant.form('able')
      world = endpointOver(tenant, clock, { clientPerMinute: 1 })
      await send({ form: { grant_type: 'client_credentials' }, authorization: by('able') })
      reached = []
      const { outcome } = await send({ form, authorization: by('able') })
      expect(outcome).toBe('429 too_many_requests')
      expect(reached).toEqual([])
    })
  })
}

describe('exchange, workload identity', () => {
  const proof = async () => exchangeOf(await cluster.token())

  test('goes through every phase in order, without a client', async () => {
    expect((await send({ form: await proof() })).outcome).toBe('200 issued')
    expect(reached).toEqual(['verify', 'sign'])
    expect(world.audit.events).toMatchObject([
      { event: 'token.issued', rule: 'agent', provider: 'prod' },
    ])
  })

  const cases = [
    {
      name: 'a client that is not the agent',
      sent: { authorization: by('able') },
      outcome: '400 invalid_request',
      reached: ['verify'],
    },
    {
      name: 'a wrong secret',
      sent: { authorization: by('able', 'wrong') },
      outcome: '401 invalid_client',
      reached: [],
    },
    {
      name: 'no proof',
      sent: { form: { subject_token: '' } },
      outcome: '400 invalid_request',
      reached: [],
    },
    {
      name: 'a proof that is none',
      sent: { form: { subject_token: 'x' } },
      outcome: '400 invalid_request',
      reached: ['verify'],
    },
    {
      name: 'a scope too wide',
      sent: { form: { scope: 'write' } },
      outcome: '400 invalid_scope',
      reached: ['verify'],
    },
    {
      name: 'a target that is not allowed',
      sent: { form: { resource: 'https://docs.example.com' } },
      outcome: '400 invalid_target',
      reached: ['verify'],
    },
  ]

  for (const { name, sent, outcome: wanted, reached: parts } of cases) {
    test(`stops at ${name}`, async () => {
      const form = { ...(await proof()), ...sent.form }
      const { outcome } = await send({ ...sent, form })
      expect(outcome).toBe(wanted)
      expect(reached).toEqual(parts)
    })
  }

  test('stops at a pod whose budget is used up, and no other pod is held back', async () => {
    world = endpointOver(tenant, clock, { workloadPerMinute: 1 })
    const pod = async (uid: string) =>
      exchangeOf(await cluster.token({ bound: { pod: { name: 'p', uid } } }))
    expect((await send({ form: await pod('one') })).outcome).toBe('200 issued')
    expect((await send({ form: await pod('one') })).outcome).toBe('429 too_many_requests')
    expect((await send({ form: await pod('other') })).outcome).toBe('200 issued')
  })
})
