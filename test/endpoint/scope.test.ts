import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  client,
  credentials,
  docs,
  exchangeOf,
  files,
  FORM,
  JSON_BODY,
  runAuthority,
  standardTenants,
  TOKEN_PATH,
  type Json,
  type TenantNeeds,
  type TestAuthority,
} from '../fakes/running_authority.ts'

let authority: TestAuthority

beforeAll(async () => {
  authority = await runAuthority({ tenants })
})

afterAll(async () => {
  await authority.stop()
})

async function tenants(needs: TenantNeeds): Promise<readonly Json[]> {
  const [acme = {}] = await standardTenants(needs)
  return [{ ...acme, clients: [...(acme['clients'] as Json[]), client('silent')] }]
}

type Values = string | readonly string[]
type Wish = Readonly<Record<string, Values>>

interface ScopeCase {
  readonly name: string
  readonly by: 'reporter' | 'silent' | 'agent'
  readonly wish: Wish
  readonly scope: string
  readonly aud: Values
}

/** As a form and as JSON: both name several targets, each in its own way. */
async function ask(by: ScopeCase['by'], wish: Wish, body: 'form' | 'json') {
  const base =
    by === 'agent' ? exchangeOf(await authority.cluster.token()) : credentials({ client_id: by })
  const whole: Wish = { ...base, ...wish }
  const pairs = Object.entries(whole).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value]),
  )
  return authority.send({
    method: 'POST',
    path: TOKEN_PATH,
    headers: body === 'form' ? FORM : JSON_BODY,
    body: body === 'form' ? new URLSearchParams(pairs).toString() : JSON.stringify(whole),
  })
}

const both = 'read:documents write:documents'

const cases: readonly ScopeCase[] = [
  {
    name: 'nothing asked: the default',
    by: 'reporter',
    wish: {},
    scope: 'read:reports write:data',
    aud: 'reporter',
  },
  {
    name: 'one of the defaults',
    by: 'reporter',
    wish: { scope: 'write:data' },
    scope: 'write:data',
    aud: 'reporter',
  },
  {
    name: 'the order that was asked for',
    by: 'reporter',
    wish: { scope: 'write:data read:reports' },
    scope: 'write:data read:reports',
    aud: 'reporter',
  },
  {
    name: 'one that is asked for twice',
    by: 'reporter',
    wish: { scope: 'write:data read:reports write:data' },
    scope: 'write:data read:reports',
    aud: 'reporter',
  },
  { name: 'a client without scopes', by: 'silent', wish: {}, scope: '', aud: 'silent' },
  { name: 'a resource', by: 'reporter', wish: { resource: docs }, scope: both, aud: docs },
  { name: 'an audience', by: 'reporter', wish: { audience: docs }, scope: both, aud: docs },
  {
    name: 'an audience that is no URI',
    by: 'reporter',
    wish: { audience: 'mcp-server' },
    scope: '',
    aud: 'mcp-server',
  },
  {
    name: 'one scope at a target',
    by: 'reporter',
    wish: { resource: docs, scope: 'read:documents' },
    scope: 'read:documents',
    aud: docs,
  },
  {
    name: 'the same target by both names',
    by: 'reporter',
    wish: { resource: docs, audience: docs },
    scope: both,
    aud: docs,
  },
  {
    name: 'the same target four times',
    by: 'reporter',
    wish: { resource: [docs, docs], audience: [docs, docs] },
    scope: both,
    aud: docs,
  },
  {
    name: 'two targets: what may be had at both',
    by: 'reporter',
    wish: { resource: [docs, files] },
    scope: 'read:documents',
    aud: [docs, files],
  },
  {
    name: 'two targets in the other order',
    by: 'reporter',
    wish: { resource: [files, docs] },
    scope: 'read:documents',
    aud: [files, docs],
  },
  {
    name: 'three targets that share no scope',
    by: 'reporter',
    wish: { audience: ['mcp-server', files], resource: docs },
    scope: '',
    aud: ['mcp-server', files, docs],
  },
  { name: 'an agent', by: 'agent', wish: {}, scope: 'agent:self', aud: 'doc-analyst' },
  {
    name: 'an agent at a target',
    by: 'agent',
    wish: { audience: files },
    scope: 'read:documents list:files',
    aud: files,
  },
  {
    name: 'an agent at two targets',
    by: 'agent',
    wish: { audience: files, resource: docs, scope: 'read:documents' },
    scope: 'read:documents',
    aud: [files, docs],
  },
]

for (const { name, by, wish, scope, aud } of cases) {
  test(`scope: ${name}`, async () => {
    for (const body of ['form', 'json'] as const) {
      const answer = await ask(by, wish, body)
      expect(answer.status).toBe(200)
      expect(answer.json['scope']).toBe(scope)
      const claims = decodeJwt(String(answer.json['access_token']))
      expect(claims.aud).toEqual(aud)
      expect(claims['scope']).toBe(scope === '' ? undefined : scope)
    }
  })

  test(`asked again for what was granted, it grants the same: ${name}`, async () => {
    const first = await ask(by, wish, 'form')
    const granted = String(first.json['scope'])
    const again = await ask(by, { ...wish, scope: granted }, 'form')
    expect({ status: again.status, scope: again.json['scope'] }).toEqual({
      status: 200,
      scope: granted,
    })
  })

  test(`nothing is null: ${name}`, async () => {
    const { text, json } = await ask(by, wish, 'form')
    expect(text).not.toContain('null')
    expect(Object.values(json)).not.toContain(undefined)
    const claims = decodeJwt(String(json['access_token']))
    expect(Object.values(claims)).not.toContain(null)
  })
}

const numbered = (count: number, name: string) =>
  Array.from({ length: count }, (_, at) => `${name}:${String(at)}`)

const wide: readonly (readonly [name: string, grants: readonly Json[]])[] = [
  ['120 scopes', [{ scopes: numbered(60, 'first') }, { scopes: numbered(60, 'second') }]],
  ['more than 4096 characters', [{ scopes: numbered(25, 'a'.repeat(180)) }]],
]

for (const [name, grants] of wide) {
  test(`more than can be asked for again is no configuration: ${name}`, async () => {
    const tenant = { slug: 'acme-corp', algorithm: 'ES256', clients: [client('wide', { grants })] }
    await expect(runAuthority({ tenants: () => [tenant] })).rejects.toThrow(
      'authority.tenants[0].clients[0].grants: the scopes of one target must fit into 100 values and 4096 characters',
    )
  })
}
