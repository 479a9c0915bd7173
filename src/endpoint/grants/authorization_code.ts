import { OAuthError } from '../../oauth/errors.ts'
import { verifierAnswers } from '../../oauth/pkce.ts'
import { Ceiling } from '../../policy/ceiling.ts'
import type { RegisteredClient } from '../client/registered.ts'
import type { FoundCode } from '../code.ts'
import { missing, type TokenRequest } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import type { Caller, Grant, Spent } from './grant.ts'

/** An authorization code for the tokens that it stands for (RFC 6749 section 4.1.3, RFC 7636). */
export const authorizationCode: Grant = {
  name: 'authorization_code',
  parameters: ['code', 'redirect_uri', 'code_verifier'],
  clientAuthentication: 'identified',
  async authorize(request, caller, tenant) {
    const { client } = caller
    if (!client) return new OAuthError('client_unproven')
    const { code: text, redirect_uri: redirectUri } = request.own
    if (text === undefined) return missing('code')
    if (redirectUri === undefined) return missing('redirect_uri')
    const code = await tenant.codes.find(text)
    const fault = code && (await judge(code, request, caller, tenant))
    if (!code) return refuse('code_unknown')
    if (fault !== undefined) return refuse(fault)
    const user = await tenant.users.active(code.sub)
    if (!user) return refuse('user_gone')
    const withIdentity = code.scope.includes('openid')
    return {
      party: client,
      sub: code.sub,
      ceiling: client.ceiling.within(Ceiling.held(code.scope, code.targets)),
      targets: code.targets,
      lifetimeSeconds: client.lifetimeSeconds,
      grantId: code.grantId,
      authTime: code.authTime,
      mayAct: mayActOf(client, tenant),
      ...(withIdentity && {
        identity: { user, nonce: code.nonce },
        identityScope: code.scope,
      }),
      spend: () => spend(code, client, caller, tenant),
    }
  },
}

/**
 * What is wrong with a code for this request. Of several faults the one that reveals a second use comes right after the
 * client: only its own client can set that off, and it does so with whatever else the request says.
 */
async function judge(
  code: FoundCode,
  { own }: TokenRequest,
  { client, dpop }: Caller,
  tenant: Tenant,
): Promise<string | undefined> {
  if (code.clientId !== client?.id) return 'code_of_another_client'
  if (code.consumed) {
    await tenant.revocations.endGrant(code.grantId)
    return 'code_reused'
  }
  if (tenant.isPast(code.expiresAt)) return 'code_expired'
  if (code.redirectUri !== own.redirect_uri) return 'redirect_uri_mismatch'
  // A public client has nothing but the verifier to show that the code was meant for it.
  if (client.isPublic && code.codeChallenge === undefined) return 'pkce_missing'
  if (!verifierAnswers(code.codeChallenge, own.code_verifier)) return 'pkce_mismatch'
  if (code.dpopJkt !== undefined && code.dpopJkt !== dpop?.jkt) return 'dpop_key_mismatch'
  const { grantId, sub, clientId, issuedAt } = code
  const revoked = await tenant.revocations.reaches({ grantId, sub, clientId, issuedAt })
  return revoked ? 'code_revoked' : undefined
}

async function spend(
  code: FoundCode,
  client: RegisteredClient,
  { dpop }: Caller,
  tenant: Tenant,
): Promise<Spent | OAuthError> {
  if (!(await tenant.codes.consume(code))) {
    // Lost a race against itself: two requests had the same code, and which is the thief's cannot be known.
    await tenant.revocations.endGrant(code.grantId)
    return refuse('code_reused')
  }
  if (!client.grantTypes.includes('refresh_token')) return {}
  const owner = {
    clientId: client.id,
    sub: code.sub,
    lifetimeSeconds: client.refreshLifetimeSeconds,
  }
  const { scope, targets, authTime } = code
  // A confidential client proves itself at each refresh; a public one has nothing but its key (RFC 9449 section 5).
  const jkt = client.isPublic ? dpop?.jkt : undefined
  return {
    refreshToken: await tenant.refreshTokens.start(code.grantId, owner, {
      scope,
      targets,
      authTime,
      jkt,
    }),
  }
}

/** Who may act for the users of a client (RFC 8693 section 4.4), where its registration says so. */
export function mayActOf({ mayAct }: RegisteredClient, { issuer }: Tenant) {
  return mayAct === undefined ? undefined : { sub: mayAct, iss: issuer }
}

function refuse(reason: string): OAuthError {
  return new OAuthError('grant_invalid', { reason })
}
