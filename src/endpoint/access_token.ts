import { compactVerify } from 'jose'
import { actorsOf, parseAct, type Act } from '../oauth/act.ts'
import { parseScope, type Scope } from '../oauth/scope.ts'
import { unixSeconds, type Clock } from '../platform/clock.ts'
import { isJsonObject } from '../platform/strict_json.ts'
import { parseCompactJws, type UnverifiedJws } from '../verifier/jws.ts'
import type { Revocations } from './revocations.ts'
import type { Signer } from './signer.ts'

declare const verified: unique symbol

/** An access token of ours that is live: signed by us, neither expired nor revoked, its parties still there. */
export interface AccessToken {
  readonly [verified]: true
  readonly jti: string
  /** `jti` of the tokens that it is derived from, the first one first. */
  readonly derivedFrom: readonly string[]
  readonly grantId: string
  readonly sub: string
  readonly clientId: string
  readonly audiences: readonly string[]
  readonly scope: Scope
  readonly issuedAt: number
  readonly expiresAt: number
  readonly authTime: number | undefined
  readonly act: Act | undefined
  readonly mayAct: { readonly sub: string; readonly iss: string } | undefined
  /** Thumbprint of the key that it is bound to. */
  readonly jkt: string | undefined
  /** False for what impersonation made: it ends there. */
  readonly exchangeable: boolean
}

/** Why a token is not believed, for the log and the metric. */
export type AccessTokenFault =
  | 'token_malformed'
  | 'token_type'
  | 'token_foreign'
  | 'token_signature'
  | 'token_expired'
  | 'token_revoked'
  | 'token_orphaned'

interface AccessTokensDependencies {
  readonly issuer: string
  readonly signer: Pick<Signer, 'verificationKey'>
  readonly revocations: Pick<Revocations, 'reaches'>
  /** Whether the client and the subject of a token are still there. */
  readonly isKnown: (clientId: string, sub: string) => Promise<boolean>
  readonly clock: Clock
}

/** The claim that marks a token as the end of the road. */
export const NOT_EXCHANGEABLE = 'not_exchangeable'

/** The claim that names what a token is derived from: revoking one of these reaches it. */
export const DERIVED_FROM = 'derived_from'

/** Reads access tokens that a tenant itself issued (RFC 9068 section 4). */
export class AccessTokens {
  readonly #dependencies: AccessTokensDependencies

  constructor(dependencies: AccessTokensDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * The type is checked first: an ID token, a logout token or a platform's token is signed too, and is no access token
   * (RFC 9068 section 5). There is no leeway: both clocks are ours.
   */
  async read(shown: string | UnverifiedJws): Promise<AccessToken | AccessTokenFault> {
    const jws = typeof shown === 'string' ? parseCompactJws(shown) : shown
    if (typeof jws === 'string') return 'token_malformed'
    const { typ } = jws.header
    if (typ !== 'at+jwt' && typ !== 'application/at+jwt') return 'token_type'
    if (jws.payload['iss'] !== this.#dependencies.issuer) return 'token_foreign'
    if (!(await isSignedBy(this.#dependencies.signer, jws))) return 'token_signature'
    const token = claimsOf(jws.payload)
    if (!token) return 'token_malformed'
    if (token.expiresAt <= unixSeconds(this.#dependencies.clock)) return 'token_expired'
    if (!(await this.#areKnown(token))) return 'token_orphaned'
    return (await this.#dependencies.revocations.reaches(token)) ? 'token_revoked' : token
  }

  /** Whoever handed it on has to be there still, or what they handed on would outlive them. */
  async #areKnown({ clientId, sub, act }: AccessToken): Promise<boolean> {
    const { isKnown } = this.#dependencies
    if (!(await isKnown(clientId, sub))) return false
    for (const actor of actorsOf(act)) {
      if (!(await isKnown(actor.client_id, actor.sub))) return false
    }
    return true
  }
}

/** Whether one of our keys signed it. */
export async function isSignedBy(
  signer: Pick<Signer, 'verificationKey'>,
  { compact, header }: UnverifiedJws,
): Promise<boolean> {
  const { alg, kid } = header
  if (typeof alg !== 'string' || typeof kid !== 'string' || 'crit' in header) return false
  const key = signer.verificationKey(kid, alg)
  if (!key) return false
  try {
    await compactVerify(compact, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}

/** What the mint writes. It was signed by us, and is read with care all the same: an older version may have written it. */
function claimsOf(claims: Readonly<Record<string, unknown>>): AccessToken | undefined {
  const { jti, grant_id: grantId, sub, client_id: clientId, iat, exp, act, cnf } = claims
  const texts = [jti, grantId, sub, clientId]
  if (!texts.every((text) => typeof text === 'string' && text !== '')) return undefined
  if (typeof iat !== 'number' || typeof exp !== 'number') return undefined
  const { aud, scope, auth_time: authTime } = claims
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!audiences.every((audience) => typeof audience === 'string')) return undefined
  const derivedFrom: unknown = claims[DERIVED_FROM] ?? []
  if (!isTexts(derivedFrom)) return undefined
  const parsedScope = typeof scope === 'string' ? parseScope(scope) : []
  const parsedAct = act === undefined ? undefined : parseAct(act)
  if (!parsedScope || (act !== undefined && !parsedAct)) return undefined
  const jkt = isJsonObject(cnf) ? cnf['jkt'] : undefined
  // A binding that cannot be read must not become none.
  if (cnf !== undefined && typeof jkt !== 'string') return undefined
  return {
    jti,
    derivedFrom,
    grantId,
    sub,
    clientId,
    audiences,
    scope: parsedScope,
    issuedAt: iat,
    expiresAt: exp,
    authTime: typeof authTime === 'number' ? authTime : undefined,
    act: parsedAct,
    mayAct: mayActOf(claims['may_act']),
    jkt,
    exchangeable: claims[NOT_EXCHANGEABLE] !== true,
  } as unknown as AccessToken
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function mayActOf(value: unknown): AccessToken['mayAct'] {
  if (!isJsonObject(value)) return undefined
  const { sub, iss } = value
  return typeof sub === 'string' && typeof iss === 'string' ? { sub, iss } : undefined
}
