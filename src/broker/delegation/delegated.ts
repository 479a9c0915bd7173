import { hash } from 'node:crypto'
import type { IssuedToken } from '../../exchange/exchanger.ts'
import { parseScope } from '../../oauth/scope.ts'
import { tokenTypes, type TokenType } from '../../oauth/token_types.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import type { KnownAgent, Servable } from '../servable.ts'
import type { Wish } from '../wish.ts'
import { actClaimOf, readChain, type Chain } from './chain.ts'
import { isChainFor, type Part, type SubjectToken } from './subject.ts'

/** A token by which the workload acts for somebody, as it is held. */
export interface Delegated extends Servable {
  readonly sub: string
  readonly chain: Chain
  /** The answer as it is written, but for what is left of the token's life. */
  readonly written: string
  /** What the log calls it, in place of the token: the audit trail of the authority does the same. */
  readonly sha256: string
  /** Monotonic. */
  readonly askedAt: number
  /** When the authority last said that it is good; monotonic, counted from when it was asked. */
  checkedAt: number
  /** When it was handed out last; monotonic. */
  usedAt: number
  /** To be called once it must not be in use any more. */
  readonly users: Set<() => void>
}

/** Why an answer is not what was asked for. For the operator. */
export type Mismatch =
  | 'not_a_jwt'
  | 'another_subject'
  | 'another_chain'
  | 'another_client'
  | 'wider_scope'
  | 'bound_to_a_key'

interface Expected {
  readonly subject: SubjectToken
  readonly agent: KnownAgent
  readonly part: Part
  readonly wish: Wish
  readonly asked: Wish
  readonly askedAt: number
}

/**
 * Judges a token that the authority gave. It must be the subject's, with the very chain that was asked for: an authority
 * that passes the actor over, or answers with the agent's own token, would have the agent act as somebody else than its
 * caller believes, and nobody would see it.
 */
export function delegatedOf(issued: IssuedToken, expected: Expected): Delegated | Mismatch {
  const { subject, agent, part, wish, asked, askedAt } = expected
  const { accessToken, scope, issuedTokenType = tokenTypes.access_token } = issued
  const jws = parseCompactJws(accessToken)
  if (typeof jws === 'string') return 'not_a_jwt'
  const { iss, sub, act, iat, client_id: clientId, scope: claimed, cnf } = jws.payload
  const chain = readChain(act)
  if (iss !== subject.iss || sub !== subject.sub) return 'another_subject'
  if (!chain || !isChainFor(chain, subject, agent, part)) return 'another_chain'
  if (clientId !== undefined && clientId !== agent.client_id) return 'another_client'
  const isTooWide =
    isWider(scope, asked) || (typeof claimed === 'string' && isWider(claimed, asked))
  if (isTooWide) return 'wider_scope'
  // As a bearer token it is good for nothing (RFC 9449 section 6).
  if (cnf !== undefined) return 'bound_to_a_key'
  return {
    wish,
    asked,
    scope,
    quotedToken: JSON.stringify(accessToken),
    agent: undefined,
    issuedAt: typeof iat === 'number' ? iat : undefined,
    sub,
    chain,
    written: writtenOf({ scope, issuedTokenType, sub, chain }),
    sha256: hash('sha256', accessToken, 'base64url'),
    askedAt,
    checkedAt: askedAt,
    usedAt: -Infinity,
    users: new Set(),
  }
}

/** The members of an answer: RFC 8693 section 2.2.1, and who acts for whom. Without the braces, for more may stand beside them. */
export function membersOf({ quotedToken, written }: Delegated, expiresIn: number): string {
  return `"access_token":${quotedToken},"expires_in":${String(expiresIn)},${written}`
}

function writtenOf(parts: {
  readonly scope: string | undefined
  readonly issuedTokenType: TokenType
  readonly sub: string
  readonly chain: Chain
}): string {
  const { scope = '', issuedTokenType, sub, chain } = parts
  const members = {
    token_type: 'Bearer',
    issued_token_type: issuedTokenType,
    scope,
    sub,
    act: actClaimOf(chain),
    actor_chain: chain.map((actor) => actor.sub).toReversed(),
  }
  return JSON.stringify(members).slice(1, -1)
}

/** Where nothing is asked for, what comes is the authority's to choose; a token wider than what was named is none. */
function isWider(scope: string | undefined, { scope: asked }: Wish): boolean {
  if (!asked || scope === undefined || scope === '') return false
  return parseScope(scope)?.every((one) => asked.includes(one)) !== true
}

/** How many act in it. */
export function depthOf({ chain }: Delegated): number {
  return chain.length
}
