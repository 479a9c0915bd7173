import { createHash } from 'node:crypto'
import type { UserConfig } from '../config/user.ts'
import { OAuthError } from '../oauth/errors.ts'
import { showScope } from '../oauth/scope.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import type { Random } from '../platform/random.ts'
import type { Allowed } from '../policy/ceiling.ts'
import { DERIVED_FROM, NOT_EXCHANGEABLE } from './access_token.ts'
import { agentClaims } from './agent_claims.ts'
import type { Authorization } from './grants/grant.ts'
import type { Tenant } from './tenant.ts'
import { userClaims } from './user_claims.ts'

/** A successful answer (RFC 6749 section 5.1, RFC 8693 section 2.2.1), as it goes over the wire. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer' | 'DPoP'
  readonly expires_in: number
  /** Always there, never null: LumoAuth's own clients read it without looking. */
  readonly scope: string
  readonly refresh_token?: string
  readonly id_token?: string
  readonly issued_token_type?: string
}

/** What the audit trail tells of a token, beside the answer. */
export interface Minted {
  readonly response: TokenResponse
  readonly jti: string
  readonly grantId: string
  readonly audiences: readonly string[]
  readonly expiresAt: number
}

interface MintDependencies {
  readonly clock: Clock
  readonly random: Random
}

/** The single mint: every token is made here (RFC 9068; OpenID Connect Core section 2). */
export async function mint(
  authorization: Authorization,
  allowed: Allowed,
  jkt: string | undefined,
  tenant: Tenant,
  { clock, random }: MintDependencies,
): Promise<Minted | OAuthError> {
  const { party, sub, act, mayAct, authTime, final, notAfter = Infinity } = authorization
  const { derivedFrom = [] } = authorization
  const scope = showScope(allowed.scope)
  const now = unixSeconds(clock)
  const expiresAt = Math.min(now + authorization.lifetimeSeconds, notAfter)
  // What it is derived from has ended since it was read.
  if (expiresAt <= now) return new OAuthError('token_refused', { reason: 'subject_token_expired' })
  const audiences = allowed.targets.length === 0 ? [party.id] : [...allowed.targets]
  const [onlyAudience] = audiences
  const jti = random.uuid()
  // What is derived from this token inherits it, and revoking it reaches them all.
  const grantId = authorization.grantId ?? random.uuid()
  const accessToken = await tenant.signer.sign(
    {
      iss: tenant.issuer,
      sub,
      aud: audiences.length > 1 ? audiences : (onlyAudience ?? party.id),
      client_id: party.id,
      iat: now,
      exp: expiresAt,
      jti,
      grant_id: grantId,
      ...(derivedFrom.length > 0 && { [DERIVED_FROM]: derivedFrom }),
      tenant: tenant.slug,
      ...(scope !== '' && { scope }),
      ...(act && { act }),
      ...(mayAct && { may_act: mayAct }),
      ...(authTime !== undefined && { auth_time: authTime }),
      ...(jkt !== undefined && { cnf: { jkt } }),
      ...(final === true && { [NOT_EXCHANGEABLE]: true }),
      ...agentClaims(sub, tenant),
    },
    'at+jwt',
  )
  const idToken = await mintIdToken(authorization, accessToken, now, tenant)
  const response: TokenResponse = {
    access_token: accessToken,
    token_type: jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: expiresAt - now,
    scope,
    ...(idToken !== undefined && { id_token: idToken }),
    ...(authorization.issuedTokenType !== undefined && {
      issued_token_type: authorization.issuedTokenType,
    }),
  }
  return { response, jti, grantId, audiences, expiresAt }
}

/** An ID token is about a user and for the client alone; it is never an access token, and its type says so. */
async function mintIdToken(
  { party, identity, identityScope = [], authTime, lifetimeSeconds }: Authorization,
  accessToken: string,
  now: number,
  { issuer, signer }: Tenant,
): Promise<string | undefined> {
  if (!identity) return undefined
  const { user, nonce }: { user: UserConfig; nonce: string | undefined } = identity
  return signer.sign(
    {
      iss: issuer,
      sub: user.sub,
      aud: party.id,
      iat: now,
      exp: now + lifetimeSeconds,
      ...(authTime !== undefined && { auth_time: authTime }),
      ...(nonce !== undefined && { nonce }),
      at_hash: accessTokenHash(accessToken, signer.algorithm()),
      ...userClaims(user, identityScope),
    },
    'JWT',
  )
}

/**
 * The left half of the token's hash (OpenID Connect Core section 3.1.3.6). Ed25519 hashes with SHA-512 inside, and clients
 * take that as the hash of `EdDSA`.
 */
function accessTokenHash(token: string, algorithm: string): string {
  const hash = algorithm === 'EdDSA' ? 'sha512' : 'sha256'
  const digest = createHash(hash).update(token).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}
