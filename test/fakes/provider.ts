import type { KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from '../../src/verifier/keys/algorithms.ts'
import type { WorkloadIdentity } from '../../src/verifier/identity.ts'
import { KeySet } from '../../src/verifier/keys/key_set.ts'
import {
  localKeys,
  type KeySource,
  type KeysUnavailable,
} from '../../src/verifier/keys/key_source.ts'
import type { KubernetesProvider } from '../../src/verifier/provider.ts'
import { CannotVerify, ProofRefusal } from '../../src/verifier/refusal.ts'
import type { FakeCluster } from './cluster.ts'

/** The provider of a cluster with its own keys, but for the changes. */
export async function providerOf(
  cluster: FakeCluster,
  changes: Partial<KubernetesProvider> = {},
): Promise<KubernetesProvider> {
  return {
    name: 'prod',
    kind: 'kubernetes',
    issuers: [cluster.issuer],
    audiences: [cluster.audience],
    algorithms: ['RS256'],
    requirePod: false,
    node: undefined,
    review: undefined,
    maxAgeSeconds: undefined,
    requiredClaims: [],
    claims: [],
    keys: await keysOf(cluster),
    ...changes,
  }
}

export async function keysOf(cluster: FakeCluster): Promise<KeySource> {
  const keys = KeySet.from(await cluster.jwks())
  return localKeys(() => keys)
}

/** Keys that remember what they were asked for. */
export class CountingKeys implements KeySource {
  readonly asked: string[] = []
  readonly #keys: KeySource

  constructor(keys: KeySource) {
    this.#keys = keys
  }

  find(
    kid: string,
    algorithm: SignatureAlgorithm,
  ): Promise<KeyObject | 'unknown' | KeysUnavailable> {
    this.asked.push(kid)
    return this.#keys.find(kid, algorithm)
  }
}

/** What became of a proof, in one word. */
export function outcomeOf(result: WorkloadIdentity | ProofRefusal | CannotVerify): string {
  if (result instanceof ProofRefusal) return result.code
  return result instanceof CannotVerify ? 'cannot_verify' : 'accepted'
}
