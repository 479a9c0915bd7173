import { isJsonObject } from '../platform/strict_json.ts'
import { parseCompactJws } from '../verifier/jws.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError } from './errors.ts'
import type { GetToken } from './get_token.ts'
import { accessTokenOf, type KnownAgent } from './servable.ts'
import { plainWish, wishFor, type Wish } from './wish.ts'

/** Who a token says it is of; a token that lacks one of the three is nobody's. */
export interface Claimed {
  readonly iss: string
  readonly sub: string | undefined
  readonly clientId: string | undefined
  /** `sub` of the current actor, which is the outermost (RFC 8693 section 4.1). */
  readonly actor: string | undefined
  /** How many actors it names, one in the other. */
  readonly depth: number
}

/** What a token says of itself. Nothing is verified: the authority does that. Undefined: it is no JWT, or names no issuer. */
export function claimedBy(token: string): Claimed | undefined {
  const jws = parseCompactJws(token)
  if (typeof jws === 'string') return undefined
  const { iss, sub, client_id: clientId, act } = jws.payload
  if (typeof iss !== 'string') return undefined
  const actor = isJsonObject(act) ? textOf(act['sub']) : undefined
  return { iss, sub: textOf(sub), clientId: textOf(clientId), actor, depth: depthOf(act) }
}

/** Whether a token says that it is an agent's own. One that the agent holds for a user has another subject. */
export function isOf(claimed: Claimed | undefined, agent: KnownAgent): boolean {
  return (
    claimed?.iss === agent.iss && claimed.sub === agent.sub && claimed.clientId === agent.client_id
  )
}

/** Whether a token says that the agent acts with it for somebody. It is narrowed as its own is: the agent would else act for itself. */
export function isHeldBy(claimed: Claimed, agent: KnownAgent): boolean {
  return (
    claimed.iss === agent.iss && claimed.clientId === agent.client_id && claimed.actor === agent.sub
  )
}

export interface OwnToken {
  readonly token: string
  readonly agent: KnownAgent
  readonly isPlain: boolean
  /** Monotonic milliseconds. */
  readonly askedAt: number
}

/** The workload's own token, and whose it is. `isPlain`: it has no target, as the local policy may say one. */
export async function ownToken(
  getToken: GetToken,
  workload: Workload,
  agent: string | undefined,
): Promise<OwnToken | BrokerError> {
  const wish =
    agent === undefined
      ? plainWish
      : wishFor({ audiences: [], resources: [], scope: undefined, agent })
  const served = getToken.fromCache(workload, wish) ?? (await getToken.byExchange(workload, wish))
  if (served instanceof BrokerError) return served
  const { servable, askedAt } = served
  // Nothing can be said to be the workload's own where its own token cannot be read.
  if (!servable.agent) return new BrokerError('authority_answer_unusable')
  const isPlain = servable.asked.audiences.length === 0
  return { token: accessTokenOf(servable), agent: servable.agent, isPlain, askedAt }
}

/**
 * What a token that was exchanged reaches: the targets that it names itself where the request named none. The agent and its
 * issuer are none: with them alone it reaches nothing besides.
 */
export function reachOf(token: string, wish: Wish, agent: KnownAgent): Wish {
  if (wish.audiences.length > 0 || wish.resources.length > 0) return wish
  const jws = parseCompactJws(token)
  if (typeof jws === 'string') return wish
  const { aud } = jws.payload
  const audiences = (Array.isArray(aud) ? (aud as readonly unknown[]) : [aud]).filter(
    (one): one is string => typeof one === 'string' && one !== agent.client_id && one !== agent.iss,
  )
  if (audiences.length === 0) return wish
  return wishFor({ audiences, resources: [], scope: wish.scope, agent: wish.agent })
}

/** How deep a claim `act` is nested; the reader of the token bounds it. */
function depthOf(act: unknown): number {
  let depth = 0
  for (let each = act; isJsonObject(each); each = each['act']) depth += 1
  return depth
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
