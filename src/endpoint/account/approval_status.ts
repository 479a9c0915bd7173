import { OAuthError } from '../../oauth/errors.ts'
import { presentedToken } from '../bearer.ts'
import type { RawRequest } from '../request.ts'
import { isOwn, type Tenant } from '../tenant.ts'

/**
 * `GET …/agents/me/approvals/{approval}/status`: what became of what an agent asked a user for. With the agent's own token, by
 * which it acts for nobody; of another agent's approval it learns nothing, not even that there is one.
 */
export async function approvalStatus(
  id: string,
  raw: RawRequest,
  method: string,
  tenant: Tenant,
): Promise<object | OAuthError> {
  const urls = tenant.urls(`/agents/me/approvals/${encodeURIComponent(id)}/status`)
  const token = await presentedToken(raw, { method, urls }, tenant)
  if (token instanceof OAuthError) return token
  if (raw.query !== '') return new OAuthError('query_refused')
  const { clientId, audiences, act } = token
  if (act || !isOwn({ id: clientId }, tenant.issuer, audiences)) {
    return new OAuthError('bearer_invalid', { reason: 'token_audience' })
  }
  const approval = await tenant.approvals.find(id)
  if (approval?.agent !== clientId) return new OAuthError('approval_unknown')
  const { status, scopes, expiresAt, expiresInSeconds } = approval
  return {
    approval: id,
    status,
    scope: scopes.join(' '),
    expires_at: expiresAt,
    ...(status === 'pending' && { expires_in: expiresInSeconds }),
  }
}
