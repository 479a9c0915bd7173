import { OAuthError } from '../../../oauth/errors.ts'
import { Ceiling } from '../../../policy/ceiling.ts'
import { mayActFor } from '../../../policy/policy.ts'
import type { AccessToken } from '../../access_token.ts'
import type { TokenRequest } from '../../request.ts'
import { isOwn, type Party, type Tenant } from '../../tenant.ts'
import type { Authorization } from '../grant.ts'
import { confinedTo, mayExchange } from './own_token.ts'

/**
 * Narrowing: a lone access token of ours becomes one for less, for its own client. Subject, client and chain of actors stay
 * what they are, and nobody has to authenticate, for whoever holds the token could do more with it as it is.
 */
export async function narrowing(
  subject: AccessToken,
  request: TokenRequest,
  tenant: Tenant,
): Promise<Authorization | OAuthError> {
  const { clientId, act } = subject
  if (request.clientId !== undefined && request.clientId !== clientId) {
    return new OAuthError('token_refused', { reason: 'client_mismatch' })
  }
  const party = await tenant.clients.party(clientId)
  if (!party) return new OAuthError('token_refused', { reason: 'client_gone' })
  if (!(await mayExchange(party, tenant))) {
    return new OAuthError('grant_not_allowed', { detail: `client ${party.id}` })
  }
  const own = act ? party.delegation?.ceiling : party.ceiling
  // The trust policy may have changed since the token was made.
  if (!own || (act && !mayActFor(party.delegation, subject.sub))) {
    return new OAuthError('delegation_not_allowed', { detail: describe(party) })
  }
  const targets = confinedTo(subject, party, tenant)
  return {
    party,
    sub: subject.sub,
    ceiling: own.within(Ceiling.held(subject.scope, targets)),
    targets,
    lifetimeSeconds: party.lifetimeSeconds,
    notAfter: subject.expiresAt,
    grantId: subject.grantId,
    derivedFrom: [...subject.derivedFrom, subject.jti],
    act,
    mayAct: subject.mayAct,
    authTime: subject.authTime,
    byHolder: !isOwn(party, tenant.issuer, subject.audiences),
  }
}

function describe({ id }: Party): string {
  return `${id} may no longer act for others`
}
