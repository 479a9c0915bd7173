import { isJsonObject } from '../platform/strict_json.ts'

/**
 * The claim `act` (RFC 8693 section 4.1): who acts now, and inside it who acted before. It names identities and nothing
 * else; an expiry or an audience in there would mean nothing.
 */
export interface Act {
  readonly sub: string
  readonly iss: string
  readonly client_id: string
  readonly act?: Act
}

const MAX_DEPTH = 8

/** Reads a claim of a token that is verified. Undefined when it is not of the form that we mint. */
export function parseAct(value: unknown, depth = 1): Act | undefined {
  if (!isJsonObject(value) || depth > MAX_DEPTH) return undefined
  const { sub, iss, client_id: clientId, act: inner } = value
  if (typeof sub !== 'string' || typeof iss !== 'string' || typeof clientId !== 'string') {
    return undefined
  }
  if (inner === undefined) return { sub, iss, client_id: clientId }
  const act = parseAct(inner, depth + 1)
  return act && { sub, iss, client_id: clientId, act }
}

/** The actors, the current one first. */
export function actorsOf(act: Act | undefined): readonly Act[] {
  const actors: Act[] = []
  for (let each = act; each; each = each.act) actors.push(each)
  return actors
}

/** Subs of the actors in the order in which they came: the first was allowed by the subject, each next by the one before. */
export function actorChain(act: Act | undefined): readonly string[] {
  return actorsOf(act)
    .map(({ sub }) => sub)
    .toReversed()
}
