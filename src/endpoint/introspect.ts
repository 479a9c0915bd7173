import { actorChain } from '../oauth/act.ts'
import { OAuthError } from '../oauth/errors.ts'
import { showScope } from '../oauth/scope.ts'
import type { AccessToken } from './access_token.ts'
import { callerAt, type EndpointCaller, type CallerDependencies } from './endpoint_caller.ts'
import { refreshGrantOf } from './refresh_token.ts'
import { missing, readParameters, type RawRequest } from './request.ts'
import { isMadeFor, type Tenant } from './tenant.ts'

const INACTIVE = { active: false }

/**
 * What a token is worth now (RFC 7662). Whoever is neither its client, nor in its audience, nor allowed to look at all of
 * them learns that it is not active: the difference would tell a thief what it has.
 */
export async function introspect(
  raw: RawRequest,
  tenant: Tenant,
  dependencies: CallerDependencies,
): Promise<object | OAuthError> {
  const parameters = readParameters(raw)
  if (parameters instanceof OAuthError) return parameters
  const caller = await callerAt('/oauth/introspect', raw, parameters, tenant, dependencies)
  if (caller instanceof OAuthError) return caller
  const text = parameters.one('token')
  if (text === undefined) return missing('token')
  return tenant.refreshTokens.parse(text)
    ? ofRefreshToken(text, caller, tenant)
    : ofAccessToken(text, caller, tenant)
}

async function ofAccessToken(
  text: string,
  caller: EndpointCaller,
  tenant: Tenant,
): Promise<object> {
  const token = await tenant.accessTokens.read(text)
  if (typeof token === 'string') return INACTIVE
  const may =
    caller.mayIntrospect ||
    token.clientId === caller.party.id ||
    isMadeFor(caller.party, token.audiences)
  return may ? describe(token, caller, tenant) : INACTIVE
}

async function describe(
  token: AccessToken,
  { mayIntrospect }: EndpointCaller,
  tenant: Tenant,
): Promise<object> {
  const { sub, clientId, scope, audiences, act, mayAct, jkt, authTime } = token
  const agent = tenant.policy().ofSubject(sub)
  const user = await tenant.users.active(sub)
  return {
    active: true,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    ...(scope.length > 0 && { scope: showScope(scope) }),
    client_id: clientId,
    sub,
    // Nobody learns an address from a token that the user gave without it.
    ...(user?.email !== undefined &&
      (mayIntrospect || scope.includes('email')) && { username: user.email }),
    iss: tenant.issuer,
    aud: audiences.length === 1 ? audiences[0] : audiences,
    iat: token.issuedAt,
    nbf: token.issuedAt,
    exp: token.expiresAt,
    jti: token.jti,
    grant_id: token.grantId,
    tenant: tenant.slug,
    ...(authTime !== undefined && { auth_time: authTime }),
    ...(agent && { identity_type: 'agent', agent_id: agent.id }),
    ...(act && { act, actor_chain: actorChain(act) }),
    ...(mayAct && { may_act: mayAct }),
    ...(jkt !== undefined && { cnf: { jkt } }),
  }
}

/** A refresh token is its own client's affair and nobody else's. Only the one that can be used next is active. */
async function ofRefreshToken(
  text: string,
  caller: EndpointCaller,
  tenant: Tenant,
): Promise<object> {
  const presented = tenant.refreshTokens.parse(text)
  const family = presented && (await tenant.refreshTokens.find(presented))
  if (!presented || !family || family.clientId !== caller.party.id) return INACTIVE
  const { id: grantId, sub, clientId, createdAt, expiresAt } = family
  const live =
    tenant.refreshTokens.isCurrent(presented, family) &&
    !tenant.isPast(expiresAt) &&
    (await tenant.users.active(sub)) !== undefined &&
    !(await tenant.revocations.reaches({ grantId, sub, clientId, issuedAt: createdAt }))
  if (!live) return INACTIVE
  return {
    active: true,
    token_type: 'refresh_token',
    scope: showScope(refreshGrantOf(family).scope),
    client_id: clientId,
    sub,
    iss: tenant.issuer,
    iat: createdAt,
    exp: expiresAt,
    grant_id: grantId,
    tenant: tenant.slug,
  }
}
