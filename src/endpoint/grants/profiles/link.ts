import { actorsOf } from '../../../oauth/act.ts'
import { OAuthError } from '../../../oauth/errors.ts'
import { isCovered } from '../../../store/records.ts'
import type { AccessToken } from '../../access_token.ts'
import { isMadeFor, type Party, type Tenant } from '../../tenant.ts'

/** What allows an actor to act for a subject. */
export interface Link {
  /** Where the user allowed some scopes and no others. */
  readonly scope?: readonly string[]
}

/** What an agent wants to do for a user. */
interface Asking {
  readonly scopes: readonly string[]
  /** Whether the request names them; else it takes what there is. */
  readonly isNamed: boolean
}

/**
 * What joins a subject to an actor. Two good tokens prove two identities and no relation between them: without a link, tokens
 * of different flows could be spliced into a chain that nobody agreed to. Where a user could agree, they are asked for
 * `wanted`, and the refusal says by which approval the agent will learn of their answer.
 */
export async function linkBetween(
  subject: AccessToken,
  actor: AccessToken,
  party: Party,
  wanted: Asking,
  tenant: Tenant,
): Promise<Link | OAuthError> {
  // The subject, or whoever acts for it, handed it to this client.
  if (subject.clientId === party.id || isMadeFor(party, subject.audiences)) return {}
  const { mayAct } = subject
  // Both members decide: the same sub at another issuer is somebody else (RFC 8693 section 4.4).
  if (mayAct?.sub === actor.sub && mayAct.iss === tenant.issuer) return {}
  const user = await tenant.users.active(subject.sub)
  if (!user) return new OAuthError('delegation_unlinked')
  const grant = await tenant.userGrant(user.sub, party.id)
  // What was not asked for by name is what the user allowed; what was is asked of them.
  if (grant && (!wanted.isNamed || isCovered(wanted.scopes, grant.scopes))) {
    return { scope: grant.scopes }
  }
  if (wanted.scopes.length === 0) return new OAuthError('scope_not_allowed')
  const { id, expiresInSeconds } = await tenant.approvals.open({
    user: user.sub,
    agent: party.id,
    scopes: wanted.scopes,
    chain: handsOf(subject),
  })
  return new OAuthError('consent_required', {
    members: { approval: id, expires_in: expiresInSeconds },
  })
}

/** Clients through whose hands a token came, the first one first. */
function handsOf({ act, clientId }: AccessToken): readonly string[] {
  const actors = actorsOf(act).map((actor) => actor.client_id)
  return [...new Set([...actors.toReversed(), clientId])]
}
