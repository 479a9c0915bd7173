import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import { showScope } from '../oauth/scope.ts'
import type { Allowed } from '../policy/ceiling.ts'
import type { Authorization } from './grants/grant.ts'
import type { Tenant } from './tenant.ts'

/** A successful answer (RFC 6749 section 5.1, RFC 8693 section 2.2.1), as it goes over the wire. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  /** Always there, never null: LumoAuth's own clients read it without looking. */
  readonly scope: string
  readonly issued_token_type?: string
}

/** The single mint: every access token is made here (RFC 9068). */
export async function mint(
  authorization: Authorization,
  allowed: Allowed,
  tenant: Tenant,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<TokenResponse> {
  const { sub, clientId, agent, lifetimeSeconds, issuedTokenType } = authorization
  const { targets } = allowed
  const scope = showScope(allowed.scope)
  const now = unixSeconds(clock)
  const [onlyTarget = clientId] = targets
  const accessToken = await tenant.signer.sign(
    {
      iss: tenant.issuer,
      sub,
      aud: targets.length > 1 ? [...targets] : onlyTarget,
      client_id: clientId,
      iat: now,
      exp: now + lifetimeSeconds,
      jti: random.uuid(),
      // What is derived from this token inherits it, and revoking it reaches them all.
      grant_id: random.uuid(),
      tenant: tenant.slug,
      ...(scope !== '' && { scope }),
      ...(agent !== undefined && { identity_type: 'agent', agent_name: agent }),
    },
    'at+jwt',
  )
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: lifetimeSeconds,
    scope,
    ...(issuedTokenType !== undefined && { issued_token_type: issuedTokenType }),
  }
}
