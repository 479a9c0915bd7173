import { OAuthError } from '../../oauth/errors.ts'
import { isCodeChallenge } from '../../oauth/pkce.ts'
import { matchesRedirectUri } from '../../oauth/redirect_uri.ts'
import { parseScope, type Scope } from '../../oauth/scope.ts'
import { isResource } from '../../oauth/target.ts'
import type { RegisteredClient } from '../client/registered.ts'
import type { Tenant } from '../tenant.ts'

/** What a client asks of a user (RFC 6749 section 4.1.1), as text. */
export interface AuthorizationRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly scope?: string
  readonly resources?: readonly string[]
  readonly codeChallenge?: string
  readonly codeChallengeMethod?: string
  readonly nonce?: string
  readonly dpopJkt?: string
}

/** A user who signed in and agreed. */
export interface Consent {
  readonly sub: string
  /** Unix seconds. */
  readonly authTime: number
}

const MAX_NONCE_LENGTH = 512

/**
 * Scopes about the user and not about a target: they reach the ID token and userinfo, whatever the access token is for.
 * `offline_access` may be asked for and changes nothing: a client has refresh tokens or it has none.
 */
const identityScopes: ReadonlySet<string> = new Set(['openid', 'profile', 'email'])

/** What a request can be granted: nothing of it is wrong, and this is what the client may have of it. */
export interface Grantable {
  readonly client: RegisteredClient
  readonly scope: Scope
  readonly targets: readonly string[]
}

/**
 * Issues an authorization code for what a user agreed to. The one way to a code: whatever shows pages to people calls this
 * when they are done, so that no page can leave a check out.
 */
export async function issueCode(
  request: AuthorizationRequest,
  { sub, authTime }: Consent,
  tenant: Tenant,
): Promise<string | OAuthError> {
  const grantable = await grantableOf(request, tenant)
  if (grantable instanceof OAuthError) return grantable
  if (!(await tenant.users.active(sub))) return malformed('no such user')
  const { client, scope, targets } = grantable
  const { redirectUri, codeChallenge, nonce, dpopJkt } = request
  const refreshes = client.grantTypes.includes('refresh_token')
  return tenant.codes.issue(
    client.id,
    { sub, authTime, redirectUri, codeChallenge, nonce, dpopJkt, scope, targets },
    refreshes ? client.refreshLifetimeSeconds : 0,
  )
}

/** Judges a request before anybody is asked: a person is not to agree to what cannot be. */
export async function grantableOf(
  request: AuthorizationRequest,
  tenant: Tenant,
): Promise<Grantable | OAuthError> {
  const client = await tenant.clients.find(request.clientId)
  if (!client) return malformed('no such client')
  if (!client.grantTypes.includes('authorization_code')) return new OAuthError('grant_not_allowed')
  const { redirectUri, nonce } = request
  if (!client.redirectUris.some((uri) => matchesRedirectUri(uri, redirectUri))) {
    return malformed('redirect_uri is not registered')
  }
  const fault = challengeFault(request, client)
  if (fault !== undefined) return malformed(fault)
  if ((nonce?.length ?? 0) > MAX_NONCE_LENGTH) return malformed('nonce is too long')
  const granted = grantedScope(request, client)
  return granted instanceof OAuthError ? granted : { client, ...granted }
}

/** RFC 7636 section 4.3: without a method it would be `plain`, which shows the verifier to whoever sees the request. */
function challengeFault(
  { codeChallenge, codeChallengeMethod }: AuthorizationRequest,
  { isPublic }: RegisteredClient,
): string | undefined {
  if (codeChallenge === undefined) {
    if (codeChallengeMethod !== undefined) return 'code_challenge_method without code_challenge'
    return isPublic ? 'a public client needs a code_challenge' : undefined
  }
  if (codeChallengeMethod !== 'S256') return 'code_challenge_method must be S256'
  return isCodeChallenge(codeChallenge) ? undefined : 'code_challenge is malformed'
}

function grantedScope(
  { scope: text, resources = [] }: AuthorizationRequest,
  { ceiling }: RegisteredClient,
): { readonly scope: Scope; readonly targets: readonly string[] } | OAuthError {
  const wanted = text === undefined ? undefined : parseScope(text)
  if (text !== undefined && !wanted) return new OAuthError('scope_malformed')
  if (!resources.every(isResource)) return new OAuthError('target_malformed')
  const targets = [...new Set(resources)]
  const identity = (wanted ?? []).filter((value) => identityScopes.has(value))
  const others = wanted?.filter((value) => !identityScopes.has(value) && value !== 'offline_access')
  const aboutUser = ceiling.allow({ targets: [], scope: identity })
  const atTargets = ceiling.allow({ targets, scope: others })
  if (typeof aboutUser === 'string') return new OAuthError(aboutUser)
  if (typeof atTargets === 'string') return new OAuthError(atTargets)
  return { scope: [...new Set([...aboutUser.scope, ...atTargets.scope])], targets }
}

function malformed(detail: string): OAuthError {
  return new OAuthError('parameter_malformed', { detail })
}
