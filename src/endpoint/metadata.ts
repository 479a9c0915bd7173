import { grantTypes } from '../oauth/grant_types.ts'
import { signatureAlgorithms } from '../oauth/signature_algorithms.ts'
import { dpopAlgorithms } from './dpop/proof.ts'
import type { Tenant } from './tenant.ts'

/** `federated_jwt` goes over the wire as `private_key_jwt` does, and has no registered name of its own. */
const authMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']

/**
 * Authorization server metadata (RFC 8414 section 2), which is an OpenID Provider's as well (OpenID Connect Discovery 1.0
 * section 3). It names what works here and nothing else.
 */
export function metadataOf({ issuer, slug, signer }: Tenant, origin: string) {
  const base = `${origin}/t/${slug}/api/v1`
  return {
    issuer,
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    userinfo_endpoint: `${base}/oauth/userinfo`,
    introspection_endpoint: `${base}/oauth/introspect`,
    revocation_endpoint: `${base}/oauth/revoke`,
    jwks_uri: `${base}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    // RFC 9207 section 3.
    authorization_response_iss_parameter_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    pushed_authorization_request_endpoint: `${base}/oauth/par`,
    require_pushed_authorization_requests: false,
    request_uri_parameter_supported: false,
    end_session_endpoint: `${base}/oauth/logout`,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: signer.algorithms(),
    grant_types_supported: Object.values(grantTypes),
    token_endpoint_auth_methods_supported: [...authMethods, 'none'],
    token_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    introspection_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    revocation_endpoint_auth_methods_supported: [...authMethods, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: signatureAlgorithms,
    code_challenge_methods_supported: ['S256'],
    dpop_signing_alg_values_supported: dpopAlgorithms,
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'exp',
      'iat',
      'auth_time',
      'nonce',
      'at_hash',
      'name',
      'given_name',
      'family_name',
      'picture',
      'email',
      'email_verified',
    ],
    resource_indicators_supported: true,
  }
}
