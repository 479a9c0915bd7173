import { RuleBroken, text, type Claims } from './claims.ts'
import type { GcpWorkload } from './identity.ts'

/**
 * What an identity token of Google says of a service account. Any Google account can have one for any audience, so it is the
 * number in `sub` that a rule names; the block `google.compute_engine` is the machine's and proves no more (CVE-2020-16251).
 * @throws RuleBroken
 */
export function gcpClaims(claims: Claims): Pick<GcpWorkload, 'kind' | 'subject' | 'email'> {
  const sub = text(claims, 'sub')
  if (!/^\d{5,32}$/.test(sub)) throw new RuleBroken('claim_malformed', 'sub is no number')
  const { azp, email, email_verified: verified } = claims
  if (azp !== undefined && azp !== sub) {
    throw new RuleBroken('subject_mismatch', 'azp and sub name different accounts')
  }
  if (email !== undefined && (typeof email !== 'string' || email.length > 320)) {
    throw new RuleBroken('claim_malformed', 'email is no text')
  }
  return { kind: 'gcp', subject: sub, email: verified === true ? email : undefined }
}
