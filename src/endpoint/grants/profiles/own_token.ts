import { OAuthError } from '../../../oauth/errors.ts'
import type { UnverifiedJws } from '../../../verifier/jws.ts'
import type { AccessToken } from '../../access_token.ts'
import { isMadeFor, isOwn, type Party, type Tenant } from '../../tenant.ts'
import type { Caller } from '../grant.ts'

/** One from the other: a token names all that it came of, and must not grow without end. */
const MAX_DERIVATIONS = 16

/**
 * Whether a token claims to be of this tenant. The claim alone gives nothing: it selects which rules the token is held to.
 */
export function saysOurs({ payload }: UnverifiedJws, tenant: Tenant): boolean {
  return payload['iss'] === tenant.issuer
}

/**
 * An access token of ours as subject or actor. One that is bound to a key is only good with that key on this very request,
 * or an exchange would launder it into one that anybody can use.
 */
export async function readOwn(
  as: 'subject' | 'actor',
  shown: string | UnverifiedJws,
  { dpop }: Caller,
  tenant: Tenant,
): Promise<AccessToken | OAuthError> {
  const token = await tenant.accessTokens.read(shown)
  if (typeof token === 'string') return refuse(`${as}_${token}`)
  if (token.jkt !== undefined && token.jkt !== dpop?.jkt) return refuse(`${as}_unbound`)
  if (token.derivedFrom.length >= MAX_DERIVATIONS) return refuse(`${as}_derived_too_often`)
  return token.exchangeable ? token : refuse(`${as}_not_exchangeable`)
}

/**
 * The targets that a token is confined to for somebody. One that was made for its own client, for our issuer, or for that
 * party itself, and for nobody besides, is confined to none: it was never meant for another place, so its holder's own rules
 * decide where it may go.
 */
export function confinedTo(
  token: AccessToken,
  party: Party,
  { issuer }: Tenant,
): readonly string[] {
  const { audiences, clientId } = token
  const free = audiences.every(
    (audience) => isOwn({ id: clientId }, issuer, [audience]) || isMadeFor(party, [audience]),
  )
  return free ? [] : audiences
}

/** Whether whoever a token was issued to may exchange at all. Agents may; a registered client where its registration says so. */
export async function mayExchange(party: Party, tenant: Tenant): Promise<boolean> {
  if (party.agent) return true
  const client = await tenant.clients.find(party.id)
  return client?.grantTypes.includes('token_exchange') ?? false
}

function refuse(reason: string): OAuthError {
  return new OAuthError('token_refused', { reason })
}
