import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { chartSchema } from '../../scripts/chart_schema.ts'
import { parseClientFiles } from '../../src/config/client_files.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { chartFolder, template, type Values } from './chart.ts'
import { agent } from './modes.ts'

const secretHashes = [`sha256:${'a'.repeat(43)}`]
const redirectUris = ['https://app.example.com/callback']
const reporter = { id: 'reporter', secretHashes }
const agentIn = (proof: Values): Values => ({ ...agent, proof: { ...agent.proof, ...proof } })

interface Policy {
  readonly agents?: readonly object[]
  readonly clients?: readonly object[]
}

/** Whether the authority takes it when it reads its ConfigMaps. */
function isTakenByProgram({ agents = [], clients = [] }: Policy): boolean {
  const provider = { name: 'this-cluster', kind: 'kubernetes' }
  try {
    const taken = parseClientFiles([{ path: 'clients.yaml', text: JSON.stringify({ clients }) }], {
      providers: [provider] as never,
      clients: [],
      users: [],
    })
    const { conflicts } = compilePolicy(
      [{ path: 'policy.yaml', text: JSON.stringify({ agents }) }],
      {
        providers: new Map([[provider.name, 'kubernetes']]),
        takenIds: taken.map(({ id }) => id),
      },
    )
    return conflicts.length === 0
  } catch {
    return false
  }
}

const faulty: readonly (Policy & { readonly what: string; readonly says: string })[] = [
  { what: 'two scopes in one', agents: [{ ...agent, grants: [{ scopes: ['a b'] }] }], says: 'at ' },
  {
    what: 'two scopes in one on behalf of others',
    agents: [{ ...agent, delegation: { scopes: ['a b'] } }],
    says: "at '/agents/0/delegation/scopes/0'",
  },
  {
    what: 'a target with a space',
    agents: [{ ...agent, grants: [{ target: 'a b', scopes: [] }] }],
    says: "at '/agents/0/grants/0/target'",
  },
  {
    what: 'scopes as one text',
    agents: [{ ...agent, grants: [{ scopes: 'read:documents' }] }],
    says: "at '/agents/0/grants/0/scopes'",
  },
  {
    what: 'a namespace in capitals',
    agents: [agentIn({ namespace: 'Demo' })],
    says: "at '/agents/0/proof/namespace'",
  },
  {
    what: 'a service account with a slash',
    agents: [agentIn({ serviceAccount: 'demo/hello' })],
    says: "at '/agents/0/proof/serviceAccount'",
  },
  {
    what: 'a lifetime of a minute and less',
    agents: [{ ...agent, lifetime: 59 }],
    says: "at '/agents/0/lifetime'",
  },
  {
    what: 'no service account',
    agents: [{ ...agent, proof: { provider: 'this-cluster', namespace: 'demo' } }],
    says: 'the agent hello-agent: proof.serviceAccount is missing',
  },
  {
    what: 'a role of AWS beside a service account',
    agents: [agentIn({ arn: 'arn:aws:iam::123456789012:role/a' })],
    says: 'proof.arn means nothing for pods of this cluster',
  },
  {
    what: 'every namespace without a word',
    agents: [agentIn({ namespace: '*' })],
    says: 'needs anyNamespace: true',
  },
  {
    what: 'the sub of another agent',
    agents: [agent, { ...agent, name: 'other', sub: 'agent:hello-agent' }],
    says: 'agent:hello-agent is the name, clientId or sub of two of agents',
  },
  {
    what: 'a client with the id of an agent',
    agents: [agent],
    clients: [{ ...reporter, id: 'hello-agent' }],
    says: 'the client hello-agent has an id that another client or an agent has',
  },
  { what: 'a client twice', clients: [reporter, reporter], says: 'has an id that another client' },
  { what: 'a client without an id', clients: [{ secretHashes }], says: "missing property 'id'" },
  {
    what: 'a secret in clear',
    clients: [{ id: 'reporter', secretHashes: ['my-secret'] }],
    says: 'secretHashes[0] must be sha256: and 43 characters',
  },
  {
    what: 'a setting that is none',
    clients: [{ ...reporter, secret: 'x' }],
    says: "additional properties 'secret' not allowed",
  },
  { what: 'no secret', clients: [{ id: 'reporter' }], says: 'secretHashes is missing' },
  {
    what: 'a secret that is not asked for',
    clients: [{ ...reporter, methods: ['none'], grantTypes: ['token_exchange'] }],
    says: 'secretHashes means nothing with methods none',
  },
  {
    what: 'keys that are not asked for',
    clients: [{ ...reporter, jwks: { keys: [{ kty: 'EC' }] } }],
    says: 'jwks goes with the method private_key_jwt',
  },
  {
    what: 'no keys',
    clients: [{ id: 'reporter', methods: ['private_key_jwt'] }],
    says: 'jwks goes with the method private_key_jwt',
  },
  {
    what: 'no proof',
    clients: [{ id: 'reporter', methods: ['federated_jwt'] }],
    says: 'proof goes with the method federated_jwt',
  },
  {
    what: 'a proof of another place',
    clients: [
      {
        id: 'reporter',
        methods: ['federated_jwt'],
        proof: { provider: 'prod', namespace: 'a', serviceAccount: 'b' },
      },
    ],
    says: 'the client reporter has the provider prod',
  },
  {
    what: 'public and not',
    clients: [{ ...reporter, methods: ['none', 'client_secret_basic'] }],
    says: 'the method none stands alone',
  },
  {
    what: 'public with tokens of its own',
    clients: [{ id: 'spa', methods: ['none'] }],
    says: 'cannot have the grant client_credentials',
  },
  {
    what: 'public and may introspect',
    clients: [
      { id: 'spa', methods: ['none'], grantTypes: ['token_exchange'], mayIntrospect: true },
    ],
    says: 'are for clients that authenticate',
  },
  {
    what: 'no place to come back to',
    clients: [{ ...reporter, grantTypes: ['authorization_code'] }],
    says: 'and no redirectUris',
  },
  ...[
    'http://app.example.com/',
    'https://app.example.com/#a',
    'https://*.example.com/',
    'app:/',
  ].map((uri) => ({
    what: `the redirect URI ${uri}`,
    clients: [{ ...reporter, grantTypes: ['authorization_code'], redirectUris: [uri] }],
    says: `the redirect URI ${uri} must be https`,
  })),
]

const sound: readonly (Policy & { readonly what: string })[] = [
  { what: 'an agent', agents: [agent] },
  { what: 'every namespace', agents: [agentIn({ namespace: '*', anyNamespace: true })] },
  {
    what: 'an agent with everything',
    agents: [
      {
        ...agent,
        sub: 'hello',
        clientId: 'hello',
        capabilities: ['tool:search_web'],
        delegation: { scopes: ['read:documents'], maxDepth: 2, subjects: ['user_*'] },
        maxTargets: 2,
        lifetime: 300,
        exchangesPerMinute: 10,
      },
    ],
  },
  { what: 'a client with a secret', clients: [reporter] },
  {
    what: 'a client of a browser',
    clients: [
      {
        id: 'spa',
        methods: ['none'],
        grantTypes: ['authorization_code', 'refresh_token'],
        redirectUris: [...redirectUris, 'http://127.0.0.1/callback', 'com.example.app:/callback'],
      },
    ],
  },
  {
    what: 'a pod as a client',
    clients: [
      {
        id: 'job',
        methods: ['federated_jwt'],
        proof: { provider: 'this-cluster', namespace: 'a', serviceAccount: 'b' },
      },
    ],
  },
]

const values = ({ agents, clients }: Policy): Values => ({
  ...(agents && { agents }),
  ...(clients && { clients }),
})

describe('what the authority would refuse is refused before it is installed:', () => {
  test.each(faulty)('$what', ({ says, ...policy }) => {
    const { ok, text } = template(values(policy))
    expect({ program: isTakenByProgram(policy), helm: ok }).toEqual({ program: false, helm: false })
    expect(text).toContain(says)
    expect(text).not.toContain('my-secret')
  })
})

describe('what the authority takes is installed:', () => {
  test.each(sound)('$what', (policy) => {
    const { ok, text } = template(values(policy))
    expect({ program: isTakenByProgram(policy), helm: ok }, text.slice(0, 500)).toEqual({
      program: true,
      helm: true,
    })
  })
})

test('agents and clients are in step with the program (node scripts/chart_schema.ts)', async () => {
  const text = readFileSync(`${chartFolder}values.schema.json`, 'utf8')
  expect(await chartSchema(text)).toBe(text)
})
