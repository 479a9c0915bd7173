import { compactVerify } from 'jose'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import { isSignatureAlgorithm, type SignatureAlgorithm } from './algorithms.ts'
import type { WorkloadIdentity } from './identity.ts'
import type { UnverifiedJws } from './jws.ts'
import type { KeySource } from './key_source.ts'
import { kubernetesClaims } from './kubernetes_claims.ts'
import { CannotVerify, ProofRefusal } from './refusal.ts'

/** One cluster's issuer as the configuration describes it. */
export interface KubernetesProvider {
  readonly name: string
  readonly kind: 'kubernetes'
  /** Accepted `iss` values; the API server's own list during an issuer migration. */
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly requirePod: boolean
  readonly keys: KeySource
}

/**
 * Judges a token that claims one of this provider's issuers and audiences: algorithm and header first, then the
 * signature, and only then what the claims say.
 */
export async function verifyKubernetes(
  jws: UnverifiedJws,
  provider: KubernetesProvider,
  clock: Clock,
): Promise<WorkloadIdentity | ProofRefusal | CannotVerify> {
  const header = checkHeader(jws, provider)
  if (header instanceof ProofRefusal) return header
  const key = await provider.keys.find(header.kid, header.alg)
  if (key === 'unknown') {
    return new ProofRefusal('key_unknown', 'the issuer has no such key', provider.name)
  }
  if ('unavailable' in key) {
    return new CannotVerify(key.unavailable, provider.name, key.retryAfterSeconds)
  }
  try {
    await compactVerify(jws.compact, key, { algorithms: [header.alg] })
  } catch {
    return new ProofRefusal('signature_invalid', 'the signature does not verify', provider.name)
  }
  return kubernetesClaims(jws.payload, provider, unixSeconds(clock))
}

/**
 * The API server writes `alg` and `kid`, external signers `typ` as well, and nothing else (KEP-740). A key that the token
 * brings along or points at (`jwk`, `jku`, `x5c`, `x5u`) is refused rather than ignored, as is any `crit`.
 */
function checkHeader(
  { header }: UnverifiedJws,
  provider: KubernetesProvider,
): { readonly alg: SignatureAlgorithm; readonly kid: string } | ProofRefusal {
  const refuse = (
    code: 'algorithm_not_allowed' | 'type_not_allowed' | 'header_not_allowed' | 'key_unknown',
    detail: string,
  ) => new ProofRefusal(code, detail, provider.name)
  const { alg, kid, typ } = header
  if (!isSignatureAlgorithm(alg) || !provider.algorithms.includes(alg)) {
    return refuse(
      'algorithm_not_allowed',
      'the algorithm is not among those allowed for the issuer',
    )
  }
  if (typ !== undefined && typ !== 'JWT') return refuse('type_not_allowed', 'typ is not JWT')
  if (Object.keys(header).some((name) => name !== 'alg' && name !== 'kid' && name !== 'typ')) {
    return refuse('header_not_allowed', 'the header has a member that no API server writes')
  }
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) {
    return refuse('key_unknown', 'kid is missing or unusable')
  }
  return { alg, kid }
}
