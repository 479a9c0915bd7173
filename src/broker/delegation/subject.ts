import { hash } from 'node:crypto'
import type { TokenType } from '../../oauth/token_types.ts'
import type { Clock } from '../../platform/clock.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import { BrokerError } from '../errors.ts'
import type { KnownAgent } from '../servable.ts'
import { isSameChain, readChain, type Chain } from './chain.ts'

declare const read: unique symbol

/** The token of somebody to act for, and what it says of itself. Made by `readSubject` only. */
export interface SubjectToken {
  readonly [read]: true
  readonly token: string
  readonly tokenType: TokenType
  /** What it is told from others by, in place of the token. */
  readonly digest: string
  readonly iss: string
  readonly sub: string
  readonly clientId: string | undefined
  /** Who acts for the subject already. */
  readonly chain: Chain
  /** Unix seconds. */
  readonly expiresAt: number
}

/** With less than this left a token ends on its way to whoever will check it. */
export const FLOOR_MS = 15_000
const MAX_TOKEN_LENGTH = 16_384

/**
 * Reads a subject token. Nothing is verified: the authority does that with each exchange. What it says of itself tells whose
 * budget it is charged to and what an answer has to agree with, and gives nobody anything.
 */
export function readSubject(
  token: string,
  tokenType: TokenType,
  clock: Clock,
): SubjectToken | BrokerError {
  const jws = token.length > MAX_TOKEN_LENGTH ? 'too_large' : parseCompactJws(token)
  if (typeof jws === 'string') return new BrokerError('subject_foreign')
  const { iss, sub, client_id: clientId, act, exp } = jws.payload
  const chain = readChain(act)
  const isRead =
    typeof iss === 'string' &&
    typeof sub === 'string' &&
    typeof exp === 'number' &&
    // Milliseconds that are no number in JSON would make an answer that nobody can read.
    Number.isSafeInteger(Math.trunc(exp * 1000))
  if (!isRead || !chain) return new BrokerError('subject_foreign')
  if (exp * 1000 - clock.wall() < FLOOR_MS) return new BrokerError('subject_expired')
  return {
    token,
    tokenType,
    digest: digestOf(token, tokenType),
    iss,
    sub,
    clientId: typeof clientId === 'string' ? clientId : undefined,
    chain,
    expiresAt: exp,
  } as unknown as SubjectToken
}

/** By what a subject token is found again. */
export function digestOf(token: string, tokenType: TokenType): string {
  return hash('sha256', `${tokenType} ${token}`, 'base64url')
}

/** What an agent is to a subject token. */
export type Part = 'own' | 'holder' | 'actor' | 'stranger'

/**
 * - `own`: it is the agent's own, and there is nobody to act for. - `holder`: the agent acts with it already; it is narrowed
 * as it is, or the agent would come to act for itself. - `actor`: the agent is added to the chain. - `stranger`: it is of
 * another issuer, and whoever is asked for the exchange has no business to see it.
 */
export function partOf({ iss, sub, clientId, chain }: SubjectToken, agent: KnownAgent): Part {
  if (iss !== agent.iss) return 'stranger'
  const [current] = chain
  if (!current) return sub === agent.sub && clientId === agent.client_id ? 'own' : 'actor'
  return clientId === agent.client_id && current.sub === agent.sub ? 'holder' : 'actor'
}

/**
 * Whether a token shows the chain that it has to: the agent, and all who acted before, unchanged. RFC 8693 has the current
 * actor outermost; LumoAuth's own documents show the first one there, so that the agent is innermost.
 */
export function isChainFor(
  chain: Chain,
  subject: Pick<SubjectToken, 'chain'>,
  agent: KnownAgent,
  part: Part,
): boolean {
  if (part === 'holder') return isSameChain(chain, subject.chain)
  const self = { sub: agent.sub, iss: agent.iss, client_id: agent.client_id }
  return (
    isSameChain(chain, [self, ...subject.chain]) || isSameChain(chain, [...subject.chain, self])
  )
}

/** How many act in the token that comes of it. */
export function depthFor({ chain }: Pick<SubjectToken, 'chain'>, part: Part): number {
  return part === 'holder' ? chain.length : chain.length + 1
}
