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
}

/** Writes the answer of RFC 6749 section 5.1 around the one number that changes. */
export function servableOf({ accessToken, scope }: IssuedToken): Servable {
  return {
    beforeExpiry: `{"access_token":${JSON.stringify(accessToken)},"token_type":"Bearer","expires_in":`,
    afterExpiry: `,"scope":${JSON.stringify(scope)}}`,
    agent: agentOf(accessToken),
  }
}

export function bodyOf({ beforeExpiry, afterExpiry }: Servable, expiresIn: number): string {
  return beforeExpiry + String(expiresIn) + afterExpiry
}

/** To a client an access token is opaque (RFC 6749 section 1.4); this is for people who ask who they are, and decides nothing. */
function agentOf(accessToken: string): KnownAgent | undefined {
  const jws = parseCompactJws(accessToken)
  if (typeof jws === 'string') return undefined
  const { sub, client_id: clientId } = jws.payload
  if (typeof sub !== 'string' || typeof clientId !== 'string') return undefined
  return { sub, client_id: clientId }
}
