import { OAuthError } from '../../../oauth/errors.ts'
import { Ceiling } from '../../../policy/ceiling.ts'
import type { AccessToken } from '../../access_token.ts'
import type { RegisteredClient } from '../../client/registered.ts'
import type { Tenant } from '../../tenant.ts'
import type { Authorization, Caller } from '../grant.ts'
import { confinedTo } from './own_token.ts'

/** Nobody sees in such a token that another acts, so it lives no longer than one piece of work needs. */
const LIFETIME_SECONDS = 300

/**
 * Impersonation: a client takes a user's place (RFC 8693 section 1.1). Off until its registration names the user. The result
 * carries no actor and is the end of the road; the audit trail is where one sees who it was.
 */
export async function impersonation(
  subject: AccessToken,
  client: RegisteredClient,
  { authenticated }: Caller,
  tenant: Tenant,
): Promise<Authorization | OAuthError> {
  const user = await tenant.users.active(subject.sub)
  if (!authenticated || !user || !client.impersonates.includes(user.sub)) {
    return new OAuthError('delegation_unlinked', { reason: 'impersonation_not_allowed' })
  }
  // Somebody who acts for a user cannot make another be that user.
  if (subject.act) return new OAuthError('token_refused', { reason: 'subject_delegated' })
  const targets = confinedTo(subject, client, tenant)
  return {
    party: client,
    sub: subject.sub,
    ceiling: client.ceiling.within(Ceiling.held(subject.scope, targets)),
    targets,
    lifetimeSeconds: LIFETIME_SECONDS,
    notAfter: subject.expiresAt,
    grantId: subject.grantId,
    derivedFrom: [...subject.derivedFrom, subject.jti],
    authTime: subject.authTime,
    final: true,
  }
}
