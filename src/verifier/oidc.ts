import { subject, type Claims } from './claims.ts'
import type { OidcWorkload } from './identity.ts'

const MAX_CLAIM_LENGTH = 512
const MAX_CLAIMS = 100

/**
 * What an ID token of an OpenID Connect issuer says of its subject: `sub`, and the other claims that are texts, by which a
 * rule can tell more.
 * @throws RuleBroken
 */
export function oidcClaims(claims: Claims): Pick<OidcWorkload, 'kind' | 'subject' | 'claims'> {
  const texts = Object.entries(claims)
    .filter(
      (entry): entry is [string, string] =>
        typeof entry[1] === 'string' && entry[1].length <= MAX_CLAIM_LENGTH,
    )
    .slice(0, MAX_CLAIMS)
  return { kind: 'oidc', subject: subject(claims), claims: new Map(texts) }
}
