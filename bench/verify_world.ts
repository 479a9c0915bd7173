import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { stringify } from 'yaml'
import { systemClock, unixSeconds } from '../src/platform/clock.ts'
import { systemRandom } from '../src/platform/random.ts'
import { compilePolicy } from '../src/policy/compile.ts'
import type { Policy } from '../src/policy/policy.ts'
import { KeySet } from '../src/verifier/keys/key_set.ts'
import { localKeys } from '../src/verifier/keys/key_source.ts'
import { Providers } from '../src/verifier/registry.ts'
import { CLUSTER_ISSUER } from './proof.ts'

export const AUDIENCE = 'https://authority.example/t/acme-corp'
const KID = 'bench-key'
const LIFETIME_SECONDS = 7_200

export type BenchAlgorithm = 'RS256' | 'ES256'

/** A service account, or stars for several. */
export interface Account {
  readonly namespace: string
  readonly serviceAccount: string
}

/** An issuer with a key of its own. */
export interface BenchIssuer {
  readonly algorithm: BenchAlgorithm
  readonly publicKey: KeyObject
  /** A verifier that trusts it and remembers nothing yet. */
  providers(): Providers
  /** Proof of a pod of this account, as a kubelet hands it out; no two are the same. */
  token(account: Account): string
}

export function benchIssuer(algorithm: BenchAlgorithm): BenchIssuer {
  const { privateKey, publicKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KID, use: 'sig', alg: algorithm }
  const keys = KeySet.from({ keys: [jwk] })
  const provider = {
    name: 'bench',
    kind: 'kubernetes',
    issuers: [CLUSTER_ISSUER],
    audiences: [AUDIENCE],
    algorithms: [algorithm],
    keys: localKeys(() => keys),
    requirePod: false,
    node: undefined,
    review: undefined,
    maxAgeSeconds: undefined,
    requiredClaims: [],
    claims: [],
  } as const
  const header = part({ alg: algorithm, kid: KID })
  return {
    algorithm,
    publicKey,
    providers: () => new Providers([provider], systemClock),
    token: (account) => {
      const signed = `${header}.${part(claimsOf(account))}`
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
      return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`
    },
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** pkg/serviceaccount/claims.go of Kubernetes 1.32, with a node. */
function claimsOf({ namespace, serviceAccount }: Account) {
  const now = unixSeconds(systemClock)
  const uid = (): string => systemRandom.uuid()
  return {
    aud: [AUDIENCE],
    exp: now + LIFETIME_SECONDS,
    iat: now,
    iss: CLUSTER_ISSUER,
    jti: uid(),
    'kubernetes.io': {
      namespace,
      node: { name: 'ip-10-0-113-27.eu-central-1.compute.internal', uid: uid() },
      pod: { name: `${serviceAccount}-6d4cf56db6-x7k2p`, uid: uid() },
      serviceaccount: { name: serviceAccount, uid: uid() },
      warnafter: now + LIFETIME_SECONDS / 2,
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
  }
}

/** The text of a policy with one agent for each of these accounts. */
export function policyText(accounts: readonly Account[]): string {
  return stringify({
    agents: accounts.map((account, index) => ({
      name: `agent-${String(index)}`,
      proof: {
        provider: 'bench',
        ...account,
        ...(account.namespace.includes('*') && { anyNamespace: true }),
      },
      grants: [
        { scopes: ['agent:self'] },
        { target: 'https://docs.example.com', scopes: ['read:documents', 'write:documents'] },
      ],
    })),
  })
}

/** Compiles such a text. */
export function policyOf(text: string): Policy {
  const surroundings = { providers: new Map([['bench', 'kubernetes'] as const]), takenIds: [] }
  return compilePolicy([{ path: 'policy.yaml', text }], surroundings).policy
}
