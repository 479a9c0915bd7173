import { LRUCache } from 'lru-cache'
import { bodyFormOf } from '../oauth/media_type.ts'
import { Parameters } from '../oauth/parameters.ts'
import { parseScope, type Scope } from '../oauth/scope.ts'
import { isAudience, isResource } from '../oauth/target.ts'
import { BrokerError } from './errors.ts'

declare const parsed: unique symbol

/** Which token a caller wants. Made in this file only. */
export interface Wish {
  readonly [parsed]: true
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  /** What must be left of the token, in seconds. */
  readonly minTtl: number
  /** Client id of the agent, where the pod may be several. */
  readonly agent: string | undefined
}

const names: ReadonlySet<string> = new Set(['audience', 'resource', 'scope', 'min_ttl', 'agent'])
const numbers: ReadonlySet<string> = new Set(['min_ttl'])

/** The request of a caller that names nothing: the token without a target. */
export const plainWish: Wish = {
  audiences: [],
  resources: [],
  scope: undefined,
  minTtl: 0,
  agent: undefined,
} as unknown as Wish

/** The wish of a configuration, whose parts were checked when it was read. */
export function wishFor(parts: {
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: readonly string[] | undefined
  readonly agent: string | undefined
}): Wish {
  const { audiences, resources, scope, agent } = parts
  return { audiences, resources, scope, minTtl: 0, agent } as Wish
}

/** The same wish, for other parts. */
export function changedWish(
  wish: Wish,
  parts: Partial<Pick<Wish, 'audiences' | 'scope' | 'agent'>>,
): Wish {
  return { ...wish, ...parts }
}

export function wishOfQuery(query: string): Wish | BrokerError {
  if (query === '') return plainWish
  const parameters = Parameters.ofForm(query)
  return typeof parameters === 'string' ? new BrokerError(parameters) : wishOf(parameters)
}

const REMEMBERED = 500
const LONGEST_REMEMBERED = 2_048

/** Reads query strings, and remembers what the recent ones of a reasonable length meant: callers repeat themselves. */
export function rememberingWishes(): (query: string) => Wish | BrokerError {
  const known = new LRUCache<string, Wish>({ max: REMEMBERED })
  return (query) => {
    const remembered = known.get(query)
    if (remembered) return remembered
    const wish = wishOfQuery(query)
    if (!(wish instanceof BrokerError) && query.length <= LONGEST_REMEMBERED) known.set(query, wish)
    return wish
  }
}

export function wishOfBody(contentType: string | undefined, body: Buffer): Wish | BrokerError {
  if (contentType === undefined && body.length === 0) return plainWish
  const form = bodyFormOf(contentType)
  if (!form) return new BrokerError('media_type')
  const parameters = Parameters.parse(body, form, numbers)
  return typeof parameters === 'string' ? new BrokerError(parameters) : wishOf(parameters)
}

function wishOf(parameters: Parameters): Wish | BrokerError {
  // A misspelt parameter that is passed over yields a token that nobody asked for.
  if (parameters.names().some((name) => !names.has(name)))
    return new BrokerError('parameter_unknown')
  // As a shell writes a variable that is not set. RFC 6749 section 3.2 would have it left out, for a token of another target.
  if (parameters.hadEmpty) return new BrokerError('parameter_malformed')
  const minTtl = parameters.one('min_ttl') ?? '0'
  if (!/^\d{1,6}$/.test(minTtl)) return new BrokerError('parameter_malformed')
  return wishIn(parameters, { minTtl: Number(minTtl), agent: parameters.one('agent') })
}

/** The target and scope among some parameters, whatever stands beside them. */
export function wishIn(
  parameters: Parameters,
  { minTtl, agent }: Pick<Wish, 'minTtl' | 'agent'>,
): Wish | BrokerError {
  const audiences = parameters.all('audience')
  const resources = parameters.all('resource')
  if (!audiences.every(isAudience) || !resources.every(isResource)) {
    return new BrokerError('target_malformed')
  }
  const scopeText = parameters.one('scope')
  const scope = scopeText === undefined ? undefined : parseScope(scopeText)
  if (scopeText !== undefined && !scope) return new BrokerError('scope_malformed')
  if (agent !== undefined && agent.length > 255) return new BrokerError('parameter_malformed')
  return { audiences, resources, scope, minTtl, agent } as Wish
}
