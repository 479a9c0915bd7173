import type { AwsPartition } from './aws_regions.ts'
import type { KeysConfig } from './keys.ts'
import type { ProvenKind } from '../proof_rule.ts'
import type { SignatureAlgorithm } from '../../oauth/signature_algorithms.ts'
import type { ProviderEntry } from './schema.ts'

/** What every issuer of tokens has, whatever its kind. */
export interface IssuingConfig {
  readonly name: string
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly maxAgeSeconds: number | undefined
  readonly requiredClaims: readonly string[]
  /** Path patterns by the name of a claim. */
  readonly claims: Readonly<Record<string, string>>
  readonly keys: KeysConfig
  readonly keyStalenessMs: number
}

export interface ReviewConfig {
  readonly mode: 'preferred' | 'required'
  readonly kubeconfig: string | undefined
}

export type TokenProviderConfig = IssuingConfig &
  (
    | {
        readonly kind: 'kubernetes'
        readonly requirePod: boolean
        readonly node: string | undefined
        readonly review: ReviewConfig | undefined
      }
    | { readonly kind: 'aws'; readonly account: string }
    | { readonly kind: 'gcp' }
    | { readonly kind: 'azure'; readonly tenantId: string }
    | { readonly kind: 'oidc' }
  )

/** Signed GetCallerIdentity requests, which are no tokens and have no keys. */
export interface SignedRequestConfig {
  readonly kind: 'aws4_request'
  readonly name: string
  readonly audiences: readonly string[]
  readonly partition: AwsPartition
  readonly regions: readonly string[]
  readonly accounts: readonly string[]
  readonly maxAgeSeconds: number
  readonly endpoint: URL | undefined
}

export type ProviderConfig = TokenProviderConfig | SignedRequestConfig

/** What the workloads of a provider are, once they are proven. */
export function provenKind({ kind, form }: Pick<ProviderEntry, 'kind' | 'form'>): ProvenKind {
  return form === 'irsa' || form === 'pod-identity' ? 'kubernetes' : kind
}

/** The same of a resolved provider. */
export function kindProven({ kind }: Pick<ProviderConfig, 'kind'>): ProvenKind {
  return kind === 'aws4_request' ? 'aws' : kind
}
