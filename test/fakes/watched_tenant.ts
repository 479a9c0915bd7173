import { resolveConfig } from '../../src/config/load.ts'
import { Opened } from '../../src/compose/opened.ts'
import { openTenant } from '../../src/compose/tenant.ts'
import { Seal } from '../../src/endpoint/sealing.ts'
import type { Tenant } from '../../src/endpoint/tenant.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { compilePolicy } from '../../src/policy/compile.ts'
import { memoryStore } from '../../src/store/memory.ts'
import type { FakeCluster } from './cluster.ts'
import { client, type Json } from './running_authority.ts'
import { testSurroundings } from './surroundings.ts'

/** What lies behind the phases of the frame, by what it does. */
export type Part = 'verify' | 'read' | 'find' | 'spend' | 'sign'

const policy = `
agents:
  - name: agent
    proof: { provider: prod, namespace: research, serviceAccount: doc-analyst }
    grants: [{ scopes: [read] }]
    delegation: { scopes: [read] }
    lifetime: 600
`

const allGrants = ['authorization_code', 'client_credentials', 'refresh_token', 'token_exchange']
const common = {
  methods: ['client_secret_basic'],
  redirectUris: ['https://app.example/callback'],
  grants: [{ scopes: ['read'] }],
  lifetime: 600,
}

/** `able` may do everything; of the others each lacks something. */
const clients: readonly Json[] = [
  client('able', {
    ...common,
    grantTypes: allGrants,
    delegation: { scopes: ['read'] },
    impersonation: { users: ['user_a'] },
  }),
  client('web', { ...common, grantTypes: allGrants }),
  ...allGrants.map((missing) =>
    client(`without-${missing}`, {
      ...common,
      grantTypes: allGrants.filter((grant) => grant !== missing),
    }),
  ),
]

/**
 * A tenant over a store in memory that tells when what lies behind the phases is asked. Its client `able` has every grant
 * and every right; the agent `agent` is the cluster's workload.
 */
export async function watchedTenant(
  clock: Clock,
  cluster: FakeCluster,
  asked: (part: Part) => void,
): Promise<Tenant> {
  const tenant = await plainTenant(clock, cluster)
  const telling = <T extends object>(target: T, parts: Partial<Record<keyof T, Part>>): T =>
    new Proxy(target, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name)
        if (typeof value !== 'function') return value
        const part = parts[name as keyof T]
        return (...given: readonly unknown[]): unknown => {
          if (part) asked(part)
          return Reflect.apply(value, of, given)
        }
      },
    })
  return {
    ...tenant,
    signer: telling(tenant.signer, { sign: 'sign' }),
    verifier: telling(tenant.verifier, { verify: 'verify' }),
    accessTokens: telling(tenant.accessTokens, { read: 'read' }),
    codes: telling(tenant.codes, { find: 'find', consume: 'spend' }),
    refreshTokens: telling(tenant.refreshTokens, { find: 'find', rotate: 'spend' }),
  }
}

async function plainTenant(clock: Clock, cluster: FakeCluster): Promise<Tenant> {
  const provider = {
    name: 'prod',
    kind: 'kubernetes',
    issuers: [cluster.issuer],
    audiences: [cluster.audience],
    keys: { inline: await cluster.jwks() },
  }
  const { authority } = resolveConfig(
    {
      roles: ['authority'],
      authority: {
        origin: 'https://auth.example',
        store: { file: 'none' },
        keyEncryptionFile: 'none',
        tenants: [
          {
            slug: 'acme-corp',
            algorithm: 'ES256',
            providers: [provider],
            clients,
            users: [{ sub: 'user_a' }],
          },
        ],
      },
    },
    {},
  )
  const [config] = authority?.tenants ?? []
  if (!config) throw new Error('the document has no tenant')
  const compiled = compilePolicy([{ path: 'policy.yaml', text: policy }], {
    providers: new Map([['prod', 'kubernetes']]),
    takenIds: [],
  })
  return openTenant(config, () => compiled.policy, {
    origin: 'https://auth.example',
    store: memoryStore(),
    seal: new Seal(systemRandom.bytes(32), systemRandom),
    opened: new Opened(),
    surroundings: testSurroundings(clock),
  })
}
