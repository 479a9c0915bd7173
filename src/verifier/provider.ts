import type { SignedRequestProvider } from './aws/aws_request.ts'
import type { ClaimRules } from './claims.ts'
import type { SignatureAlgorithm } from './keys/algorithms.ts'
import type { KeySource } from './keys/key_source.ts'
import type { BindingRules } from './kubernetes/claims.ts'
import type { TokenReviews } from './kubernetes/token_review.ts'

interface Issuing extends ClaimRules {
  readonly name: string
  /** Accepted `iss` values; several during a migration. */
  readonly issuers: readonly string[]
  readonly audiences: readonly string[]
  readonly algorithms: readonly SignatureAlgorithm[]
  readonly keys: KeySource
}

export interface KubernetesProvider extends Issuing, BindingRules {
  readonly kind: 'kubernetes'
  /** Undefined: the API server is not asked. */
  readonly review: Pick<TokenReviews, 'check'> | undefined
}

/** Whoever issues tokens, as the configuration describes it. */
export type TokenProvider =
  | KubernetesProvider
  | (Issuing & { readonly kind: 'aws'; readonly account: string })
  | (Issuing & { readonly kind: 'gcp' })
  | (Issuing & { readonly kind: 'azure'; readonly tenantId: string })
  | (Issuing & { readonly kind: 'oidc' })

export type Provider = TokenProvider | SignedRequestProvider
