import type { IssuedToken } from '../exchange/exchanger.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import type { Wish } from './wish.ts'

/** The agent that a token says it is for. */
export interface KnownAgent {
  readonly iss: string
  readonly sub: string
  readonly client_id: string
}

/** A token as the cache holds it: its answer is written but for what is left of it. */
export interface Servable {
  /** What it was asked for with, and will be again. */
  readonly wish: Wish
  readonly scope: string
  readonly beforeExpiry: string
  readonly afterExpiry: string
  readonly agent: KnownAgent | undefined
  /** When the token says it was made, in Unix seconds. */
  readonly issuedAt: number | undefined
}

/** Writes the answer of RFC 6749 section 5.1 around the one number that changes. */
export function servableOf({ accessToken, scope }: IssuedToken, wish: Wish): Servable {
  return {
    wish,
    scope,
    beforeExpiry: `{"access_token":${JSON.stringify(accessToken)},"token_type":"Bearer","expires_in":`,
    afterExpiry: `,"scope":${JSON.stringify(scope)}}`,
    ...whatItSays(accessToken),
  }
}

/** The token itself, for whoever needs it without its answer. */
export function accessTokenOf(servable: Servable): string {
  return (JSON.parse(bodyOf(servable, 0)) as { access_token: string }).access_token
}

export function bodyOf({ beforeExpiry, afterExpiry }: Servable, expiresIn: number): string {
  return beforeExpiry + String(expiresIn) + afterExpiry
}

/** To a client an access token is opaque (RFC 6749 section 1.4); this is for people who ask what goes on, and decides nothing. */
function whatItSays(accessToken: string): Pick<Servable, 'agent' | 'issuedAt'> {
  const jws = parseCompactJws(accessToken)
  if (typeof jws === 'string') return { agent: undefined, issuedAt: undefined }
  const { iss, sub, client_id: clientId, iat } = jws.payload
  const named = typeof iss === 'string' && typeof sub === 'string' && typeof clientId === 'string'
  return {
    agent: named ? { iss, sub, client_id: clientId } : undefined,
    issuedAt: typeof iat === 'number' ? iat : undefined,
  }
}
