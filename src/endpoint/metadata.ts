import { grantTypes } from '../oauth/grant_types.ts'
import type { Tenant } from './tenant.ts'

/**
 * Authorization server metadata (RFC 8414 section 2), which is an OpenID Provider's as well (OpenID Connect Discovery 1.0
 * section 3). It names what works here and nothing else.
 */
export function metadataOf({ issuer, slug, signer }: Tenant, origin: string) {
  const base = `${origin}/t/${slug}/api/v1`
  return {
    issuer,
    token_endpoint: `${base}/oauth/token`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: [],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [signer.algorithm],
    grant_types_supported: Object.values(grantTypes),
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    resource_indicators_supported: true,
  }
}
