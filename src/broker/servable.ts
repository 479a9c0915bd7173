import type { IssuedToken } from '../exchange/exchanger.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import type { Wish } from './wish.ts'

/** The agent that a token says it is for. */
export interface KnownAgent {
  readonly iss: string
  readonly sub: string
  readonly client_id: string
}

/** A token as the cache holds it. Thousands may be held: nothing stands here twice. */
export interface Servable {
  /** What it was asked for with, and will be again. */
  readonly wish: Wish
  /** What the authority was asked for in the end: what the wish leaves open, the local policy may say. */
  readonly asked: Wish
  /** Undefined: the authority did not say. */
  readonly scope: string | undefined
  /** As it stands in an answer, in quotes. */
  readonly quotedToken: string
  readonly agent: KnownAgent | undefined
  /** When the token says it was made, in Unix seconds. */
  readonly issuedAt: number | undefined
}

/** `known`: the agent of the token before, for which the next one is as a rule. */
export function servableOf(
  { accessToken, scope }: IssuedToken,
  { wish, asked }: Pick<Servable, 'wish' | 'asked'>,
  known: KnownAgent | undefined,
): Servable {
  const { agent, issuedAt } = whatItSays(accessToken)
  return {
    wish,
    asked,
    scope,
    quotedToken: JSON.stringify(accessToken),
    agent: known && agent && isSame(known, agent) ? known : agent,
    issuedAt,
  }
}

/** The token itself, for whoever needs it without its answer. */
export function accessTokenOf({ quotedToken }: Servable): string {
  return JSON.parse(quotedToken) as string
}

/** The answer of RFC 6749 section 5.1. */
export function bodyOf({ quotedToken, scope }: Servable, expiresIn: number): string {
  return `{"access_token":${quotedToken},"token_type":"Bearer","expires_in":${String(expiresIn)},"scope":${JSON.stringify(scope ?? '')}}`
}

function isSame(one: KnownAgent, other: KnownAgent): boolean {
  return one.iss === other.iss && one.sub === other.sub && one.client_id === other.client_id
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
