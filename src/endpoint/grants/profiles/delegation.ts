import { actorsOf, type Act } from '../../../oauth/act.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { Ceiling } from '../../../policy/ceiling.ts'
import { mayActFor } from '../../../policy/policy.ts'
import type { AccessToken } from '../../access_token.ts'
import type { TokenRequest } from '../../request.ts'
import { isOwn, type Party, type Tenant } from '../../tenant.ts'
import type { Authorization, Caller } from '../grant.ts'
import { linkBetween } from './link.ts'
import { confinedTo, mayExchange } from './own_token.ts'

/**
 * Delegation: an agent acts for the subject, and the token says so. `act` is the actor, with whoever acted before nested
 * unchanged inside (RFC 8693 section 4.1: outermost is the current actor).
 */
export async function delegation(
  subject: AccessToken,
  actor: AccessToken,
  request: TokenRequest,
  caller: Caller,
  tenant: Tenant,
): Promise<Authorization | OAuthError> {
  const party = await actingParty(actor, request, caller, tenant)
  if (party instanceof OAuthError) return party
  const { delegation: own } = party
  if (!own) return new OAuthError('delegation_not_allowed', { detail: `${party.id} may not` })
  if (!mayActFor(own, subject.sub)) {
    return new OAuthError('delegation_not_allowed', {
      reason: 'delegation_subject_not_allowed',
      detail: `${party.id} may not act for this subject`,
    })
  }
  const act: Act = {
    sub: actor.sub,
    iss: tenant.issuer,
    client_id: actor.clientId,
    ...(subject.act && { act: subject.act }),
  }
  const maxDepth = Math.min(own.maxDepth, tenant.settings.maxDelegationDepth)
  if (actorsOf(act).length > maxDepth) {
    return new OAuthError('delegation_too_deep', { members: { max_depth: maxDepth } })
  }
  const targets = confinedTo(subject, party, tenant)
  const held = Ceiling.held(subject.scope, targets)
  // Judged before anybody is asked: a user is not to read, and not to agree to, what no token could hold.
  const possible = own.ceiling.within(held).allow({
    targets: request.targets.length === 0 ? targets : request.targets,
    scope: request.scope,
  })
  if (typeof possible === 'string') return new OAuthError(possible)
  const wanted = { scopes: possible.scope, isNamed: request.scope !== undefined }
  const link = await linkBetween(subject, actor, party, wanted, tenant)
  if (link instanceof OAuthError) return link
  return {
    party,
    sub: subject.sub,
    ceiling: own.ceiling.within(link.scope ? held.within(Ceiling.held(link.scope, [])) : held),
    targets,
    lifetimeSeconds: party.lifetimeSeconds,
    notAfter: Math.min(subject.expiresAt, actor.expiresAt),
    grantId: subject.grantId,
    derivedFrom: [...subject.derivedFrom, subject.jti],
    act,
    authTime: subject.authTime,
  }
}

/**
 * Who acts. The actor token is the party's own and nobody else's: without client authentication it stands in for it, and
 * then it must have been made for its own client or for us. A resource server that received it could else show it as its own.
 */
async function actingParty(
  actor: AccessToken,
  request: TokenRequest,
  { client, authenticated }: Caller,
  tenant: Tenant,
): Promise<Party | OAuthError> {
  if (actor.act) return refuse('actor_acts_for_another')
  const party = await tenant.clients.party(actor.clientId)
  if (!party || party.sub !== actor.sub) return refuse('actor_is_no_party')
  if (client && client.id !== party.id) return refuse('actor_of_another_client')
  if (request.clientId !== undefined && request.clientId !== party.id) {
    return refuse('client_mismatch')
  }
  const own = isOwn(party, tenant.issuer, actor.audiences)
  if (!authenticated && !own) return refuse('actor_made_for_another')
  if (await mayExchange(party, tenant)) return party
  return new OAuthError('grant_not_allowed', { detail: `client ${party.id}` })
}

function refuse(reason: string): OAuthError {
  return new OAuthError('token_refused', { reason })
}
