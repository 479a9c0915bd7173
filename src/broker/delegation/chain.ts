import { isJsonObject } from '../../platform/strict_json.ts'

/** One who acts, as a token names them. `sub` alone is what every authority says (RFC 8693 section 4.1). */
export interface Actor {
  readonly sub: string
  readonly iss?: string
  readonly client_id?: string
}

/** Those who act, the outermost of the claim first: by RFC 8693 section 4.1 that is the current one. */
export type Chain = readonly Actor[]

/** The claim `act`, as an answer shows it. */
export interface ActClaim extends Actor {
  readonly act?: ActClaim
}

const MAX_DEPTH = 8

/** Reads a claim `act`. Of none it is empty; undefined: it cannot be read. */
export function readChain(claim: unknown): Chain | undefined {
  const chain: Actor[] = []
  for (let inner = claim; inner !== undefined;) {
    if (!isJsonObject(inner) || chain.length === MAX_DEPTH) return undefined
    const { sub, iss, client_id: clientId, act } = inner
    if (typeof sub !== 'string' || !isOptionalText(iss) || !isOptionalText(clientId)) {
      return undefined
    }
    chain.push({
      sub,
      ...(iss !== undefined && { iss }),
      ...(clientId !== undefined && { client_id: clientId }),
    })
    inner = act
  }
  return chain
}

export function actClaimOf([outermost, ...inner]: Chain): ActClaim | undefined {
  if (!outermost) return undefined
  const act = actClaimOf(inner)
  return { ...outermost, ...(act && { act }) }
}

/** Whether two name the same, as far as both say. */
function isSameActor(one: Actor, other: Actor): boolean {
  return (
    one.sub === other.sub &&
    (one.iss ?? other.iss) === (other.iss ?? one.iss) &&
    (one.client_id ?? other.client_id) === (other.client_id ?? one.client_id)
  )
}

export function isSameChain(one: Chain, other: Chain): boolean {
  return (
    one.length === other.length &&
    one.every((actor, index) => {
      const counterpart = other[index]
      return counterpart !== undefined && isSameActor(actor, counterpart)
    })
  )
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string'
}
