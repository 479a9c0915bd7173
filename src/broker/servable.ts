import type { IssuedToken } from '../exchange/exchanger.ts'
import { parseCompactJws } from '../verifier/jws.ts'

/** The agent that a token says it is for. */
export interface KnownAgent {
  readonly sub: string
  readonly client_id: string
}

/** A token as the cache holds it: its answer is written but for what is left of it. */
export interface Servable {
  readonly beforeExpiry: string
  readonly afterExpiry: string
  readonly agent: KnownAgent | undefined
  /** When the token says it was made, in Unix seconds. */
  readonly issuedAt: number | undefined
}

/** Writes the answer of RFC 6749 section 5.1 around the one number that changes. */
export function servableOf({ accessToken, scope }: IssuedToken): Servable {
  return {
    beforeExpiry: `{"access_token":${JSON.stringify(accessToken)},"token_type":"Bearer","expires_in":`,
    afterExpiry: `,"scope":${JSON.stringify(scope)}}`,
    ...whatItSays(accessToken),
  }
}

export function bodyOf({ beforeExpiry, afterExpiry }: Servable, expiresIn: number): string {
  return beforeExpiry + String(expiresIn) + afterExpiry
}

/** To a client an access token is opaque (RFC 6749 section 1.4); this is for people who ask what goes on, and decides nothing. */
function whatItSays(accessToken: string): Pick<Servable, 'agent' | 'issuedAt'> {
  const jws = parseCompactJws(accessToken)
  if (typeof jws === 'string') return { agent: undefined, issuedAt: undefined }
  const { sub, client_id: clientId, iat } = jws.payload
  const named = typeof sub === 'string' && typeof clientId === 'string'
  return {
    agent: named ? { sub, client_id: clientId } : undefined,
    issuedAt: typeof iat === 'number' ? iat : undefined,
  }
}
