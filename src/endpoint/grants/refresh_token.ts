import { OAuthError } from '../../oauth/errors.ts'
import { Ceiling } from '../../policy/ceiling.ts'
import type { RefreshFamily } from '../../store/records.ts'
import type { RegisteredClient } from '../client/registered.ts'
import { refreshGrantOf, type PresentedRefreshToken, type RefreshGrant } from '../refresh_token.ts'
import { missing } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import { mayActOf } from './authorization_code.ts'
import type { Caller, Grant, Spent } from './grant.ts'

/**
 * A refresh token for a new access token and its successor (RFC 6749 section 6, RFC 9700 section 4.14.2). What is asked for
 * may be narrower than what was granted; the grant itself stays as it was.
 */
export const refreshToken: Grant = {
  name: 'refresh_token',
  parameters: ['refresh_token'],
  clientAuthentication: 'identified',
  async authorize(request, caller, tenant) {
    const { client } = caller
    if (!client) return new OAuthError('client_unproven')
    const text = request.own.refresh_token
    if (text === undefined) return missing('refresh_token')
    const presented = tenant.refreshTokens.parse(text)
    const family = presented && (await tenant.refreshTokens.find(presented))
    if (!presented || !family) return refuse('refresh_unknown')
    const grant = refreshGrantOf(family)
    const fault = await judge(family, grant, caller, tenant)
    if (fault !== undefined) return refuse(fault)
    return {
      party: client,
      sub: family.sub,
      ceiling: client.ceiling.within(Ceiling.held(grant.scope, grant.targets)),
      targets: grant.targets,
      lifetimeSeconds: client.lifetimeSeconds,
      grantId: family.id,
      authTime: grant.authTime,
      mayAct: mayActOf(client, tenant),
      spend: () => rotate(presented, tenant),
    }
  },
}

/** The client comes first: another one must not be able to have a family revoked. */
async function judge(
  family: RefreshFamily,
  grant: RefreshGrant,
  { client, dpop }: { readonly client: RegisteredClient | undefined } & Pick<Caller, 'dpop'>,
  tenant: Tenant,
): Promise<string | undefined> {
  if (family.clientId !== client?.id) return 'refresh_of_another_client'
  if (grant.jkt !== undefined && grant.jkt !== dpop?.jkt) return 'dpop_key_mismatch'
  if (tenant.isPast(family.expiresAt)) return 'refresh_expired'
  const lastUsedAt = (family.rotatedAt.at(-1) ?? family.createdAt * 1000) / 1000
  const idle = client.refreshIdleSeconds
  if (idle !== undefined && tenant.isPast(lastUsedAt + idle)) return 'refresh_idle'
  const { id: grantId, sub, clientId, createdAt: issuedAt } = family
  if (await tenant.revocations.reaches({ grantId, sub, clientId, issuedAt })) {
    return 'refresh_revoked'
  }
  return (await tenant.users.active(sub)) ? undefined : 'user_gone'
}

async function rotate(
  presented: PresentedRefreshToken,
  tenant: Tenant,
): Promise<Spent | OAuthError> {
  const { outcome, successor } = await tenant.refreshTokens.rotate(presented)
  return successor === undefined ? refuse(`refresh_${outcome}`) : { refreshToken: successor }
}

function refuse(reason: string): OAuthError {
  return new OAuthError('grant_invalid', { reason })
}
