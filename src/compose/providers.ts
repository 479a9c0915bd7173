import type { TenantConfig } from '../config/config.ts'
import type {
  ReviewConfig,
  SignedRequestConfig,
  TokenProviderConfig,
} from '../config/provider/config.ts'
import { unixSeconds } from '../platform/clock.ts'
import type { SignedRequestProvider } from '../verifier/aws/aws_request.ts'
import { Questions } from '../verifier/aws/questions.ts'
import { TokenReviews } from '../verifier/kubernetes/token_review.ts'
import type { Provider, TokenProvider } from '../verifier/provider.ts'
import { claimRules } from './claim_rules.ts'
import { keptKeySets, placeOf } from './kept_key_sets.ts'
import { openKeys } from './key_sources.ts'
import type { Surroundings } from './surroundings.ts'
import type { TenantNeeds } from './tenant.ts'

/** Opens what the providers of a tenant verify with: keys, the API server, STS. */
export async function openProviders(
  { slug, providers }: TenantConfig,
  needs: Omit<TenantNeeds, 'origin'>,
): Promise<readonly Provider[]> {
  const open: Provider[] = []
  for (const provider of providers) {
    open.push(
      provider.kind === 'aws4_request'
        ? signedRequests(slug, provider, needs)
        : await tokens(slug, provider, needs),
    )
  }
  return open
}

async function tokens(
  tenant: string,
  provider: TokenProviderConfig,
  { store, seal, opened, surroundings }: Omit<TenantNeeds, 'origin'>,
): Promise<TokenProvider> {
  const parts = {
    keys: await openKeys(provider, {
      kept: (name, issuers, location) =>
        keptKeySets(name, placeOf(issuers, location), {
          tenant,
          store,
          seal,
          log: surroundings.log,
        }),
      opened,
      surroundings,
    }),
    claims: claimRules(provider),
  }
  if (provider.kind !== 'kubernetes') return { ...provider, ...parts }
  const { name, review } = provider
  return {
    ...provider,
    ...parts,
    review: review && (await openReviews(name, review, surroundings)),
  }
}

/** The client of the API server costs more than all the rest of an authority, so it is loaded only for those who ask for it. */
async function openReviews(
  provider: string,
  { mode, kubeconfig }: ReviewConfig,
  surroundings: Surroundings,
): Promise<TokenReviews> {
  const { openReview } = await import('./token_review.ts')
  const ask = await openReview({ kubeconfig }, surroundings)
  return new TokenReviews({ provider, mode, ask }, surroundings)
}

function signedRequests(
  tenant: string,
  provider: SignedRequestConfig,
  { store, surroundings }: Pick<TenantNeeds, 'store' | 'surroundings'>,
): SignedRequestProvider {
  const { clock, http } = surroundings
  return {
    ...provider,
    ask: http,
    questions: new Questions(),
    once: (hash, untilSeconds) =>
      store.reserve(
        { tenant, owner: `aws ${provider.name}`, jti: hash, expiresAt: untilSeconds },
        unixSeconds(clock),
      ),
  }
}
