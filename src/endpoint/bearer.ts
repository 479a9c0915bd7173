import { OAuthError } from '../oauth/errors.ts'
import type { AccessToken } from './access_token.ts'
import { dpopAlgorithms } from './dpop/proof.ts'
import type { RawRequest } from './request.ts'
import type { Tenant } from './tenant.ts'

/**
 * An access token that a caller shows at a resource of ours (RFC 6750 section 2.1, RFC 9449 section 7.1). A token that is
 * bound to a key comes under the scheme `DPoP` with a proof that names the token; under `Bearer` it is refused, or the
 * binding would be worth nothing.
 */
export async function presentedToken(
  { authorization, dpop }: RawRequest,
  place: { readonly method: string; readonly urls: readonly string[] },
  tenant: Tenant,
): Promise<AccessToken | OAuthError> {
  const [, scheme = '', text] = /^(bearer|dpop) +([\x21-\x7e]+)$/i.exec(authorization ?? '') ?? []
  if (text === undefined) return new OAuthError('bearer_missing')
  const token = await tenant.accessTokens.read(text)
  if (typeof token === 'string') return new OAuthError('bearer_invalid', { reason: token })
  const bound = scheme.toLowerCase() === 'dpop'
  if (bound !== (token.jkt !== undefined)) {
    return new OAuthError('bearer_invalid', { reason: 'token_scheme' })
  }
  if (!bound) return token
  if (dpop === undefined) return new OAuthError('bearer_dpop_invalid', { reason: 'dpop_missing' })
  const proof = await tenant.dpop.verify(dpop, {
    tenant: tenant.slug,
    method: place.method,
    urls: place.urls,
    accessToken: text,
  })
  if (proof instanceof OAuthError) return atResource(proof)
  return proof.jkt === token.jkt
    ? token
    : new OAuthError('bearer_dpop_mismatch', { reason: 'dpop_key_mismatch' })
}

const algorithms = dpopAlgorithms.join(' ')

/** The challenge that goes with a refusal at a resource of ours (RFC 6750 section 3, RFC 9449 section 7.1). */
export function challengeOf({ code, error }: OAuthError): Readonly<Record<string, string>> {
  switch (code) {
    case 'bearer_missing':
      return { 'www-authenticate': `Bearer, DPoP algs="${algorithms}"` }
    case 'bearer_invalid':
    case 'bearer_insufficient':
      return { 'www-authenticate': `Bearer error="${error}"` }
    case 'bearer_dpop_invalid':
    case 'bearer_dpop_mismatch':
    case 'bearer_dpop_nonce_needed':
      return { 'www-authenticate': `DPoP error="${error}", algs="${algorithms}"` }
    default:
      return {}
  }
}

/** At a resource a bad DPoP proof is a bad credential. */
function atResource({ code, reason, detail }: OAuthError): OAuthError {
  const details = { reason, ...(detail !== undefined && { detail }) }
  return new OAuthError(
    code === 'dpop_nonce_needed' ? 'bearer_dpop_nonce_needed' : 'bearer_dpop_invalid',
    details,
  )
}
