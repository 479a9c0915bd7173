import { createHash } from 'node:crypto'
import { Seal } from '../../src/endpoint/sealing.ts'
import { openSigner } from '../../src/endpoint/signer.ts'
import type { RegisteredClient, Tenant } from '../../src/endpoint/tenant.ts'
import type { Clock } from '../../src/platform/clock.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { Ceiling } from '../../src/policy/ceiling.ts'
import { compilePattern } from '../../src/policy/pattern.ts'
import { Policy } from '../../src/policy/policy.ts'
import { memoryStore } from '../../src/store/memory.ts'
import { KeySet } from '../../src/verifier/key_set.ts'
import { localKeys } from '../../src/verifier/key_source.ts'
import { verifierOf } from '../../src/verifier/registry.ts'
import type { FakeCluster } from './cluster.ts'
import { secret } from './running_authority.ts'

type Part = 'verify' | 'match' | 'sign'

const ceiling = new Ceiling([{ scopes: ['read'] }], 1)

/**
 * A tenant that tells when its verifier, its policy and its signer are asked. Its client `agent` is the agent of the
 * cluster's workload; `only-itself` and `only-exchange` have one grant each.
 */
export async function watchedTenant(
  clock: Clock,
  cluster: FakeCluster,
  asked: (part: Part) => void,
): Promise<Tenant> {
  const seal = new Seal(systemRandom.bytes(32), systemRandom)
  const signer = await openSigner('acme-corp', 'ES256', { store: memoryStore(), seal, clock })
  const verifier = await verifierFor(cluster, clock)
  return {
    slug: 'acme-corp',
    issuer: cluster.audience,
    atOrigin: false,
    clients: new Map(clients.map((client) => [client.id, client])),
    signer: {
      ...signer,
      sign: (claims, typ) => {
        asked('sign')
        return signer.sign(claims, typ)
      },
    },
    verifier: {
      verify: (proof) => {
        asked('verify')
        return verifier.verify(proof)
      },
    },
    policy: () => {
      asked('match')
      return policy
    },
  }
}

const policy = new Policy([
  {
    name: 'agent',
    sub: 'agent:agent',
    clientId: 'agent',
    rule: {
      provider: 'prod',
      namespace: compilePattern('research'),
      serviceAccount: compilePattern('doc-analyst'),
      uid: undefined,
    },
    ceiling,
    lifetimeSeconds: 600,
  },
])

const clients: readonly RegisteredClient[] = [
  clientOf('agent', ['client_credentials', 'token_exchange']),
  clientOf('only-itself', ['client_credentials']),
  clientOf('only-exchange', ['token_exchange']),
]

function clientOf(id: string, grantTypes: RegisteredClient['grantTypes']): RegisteredClient {
  return {
    id,
    grantTypes,
    ceiling,
    secretHashes: [createHash('sha256').update(secret).digest()],
    methods: ['client_secret_basic'],
    lifetimeSeconds: 600,
  }
}

async function verifierFor(cluster: FakeCluster, clock: Clock) {
  const keys = KeySet.from(await cluster.jwks())
  const provider = {
    name: 'prod',
    kind: 'kubernetes' as const,
    issuers: [cluster.issuer],
    audiences: [cluster.audience],
    algorithms: ['RS256' as const],
    requirePod: true,
    keys: localKeys(() => keys),
  }
  return verifierOf([provider], clock)
}
