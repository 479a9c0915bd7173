import { OAuthError } from '../oauth/errors.ts'
import { presentedToken } from './bearer.ts'
import type { RawRequest } from './request.ts'
import { isOwn, type Tenant } from './tenant.ts'
import { userClaims } from './user_claims.ts'

/** Who the subject of an access token is (OpenID Connect Core section 5.3): a user, as far as the scope goes, or an agent. */
export async function userinfo(
  method: string,
  raw: RawRequest,
  tenant: Tenant,
): Promise<object | OAuthError> {
  const urls = tenant.urls('/oauth/userinfo')
  const token = await presentedToken(raw, { method, urls }, tenant)
  if (token instanceof OAuthError) return token
  const { audiences, clientId, sub, scope } = token
  // A resource server that was shown a token for itself must not read a profile with it.
  if (!isOwn({ id: clientId }, tenant.issuer, audiences)) {
    return new OAuthError('bearer_invalid', { reason: 'token_audience' })
  }
  const agent = tenant.policy().ofSubject(sub)
  if (agent) {
    return {
      sub,
      name: agent.name,
      agent_id: agent.id,
      identity_type: 'agent',
      capabilities: agent.capabilities,
      workload_identity: agent.rule.provider,
      tenant: tenant.slug,
    }
  }
  if (!scope.includes('openid')) return new OAuthError('bearer_insufficient')
  const user = await tenant.users.active(sub)
  if (!user) return new OAuthError('bearer_invalid', { reason: 'user_gone' })
  return { sub, ...userClaims(user, scope), roles: user.roles, tenant: tenant.slug }
}
