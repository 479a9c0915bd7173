import { LinkFailure, type AuthorityLink } from './link.ts'
import { readObject, retryAfterOf } from './wire.ts'

/**
 * What the authority says of a token. `unproven`: it does not know who asks. `unanswered`: nothing is known; `retryAfterMs`
 * is what it asked to be left alone for.
 */
export type Standing =
  | { readonly kind: 'active' | 'inactive' | 'unproven' }
  | { readonly kind: 'unanswered'; readonly retryAfterMs: number }

const TIMEOUT_MS = 5_000
const MAX_RETRY_AFTER_MS = 60_000

/** Asks whether a token is still good (RFC 7662), with the agent's own token as authentication (section 2.1). Never rejects. */
export function introspection(
  link: AuthorityLink,
): (token: string, own: string) => Promise<Standing> {
  return async (token, own) => {
    const answer = await link({
      method: 'POST',
      path: { from: 'tenant', segments: ['oauth', 'introspect'] },
      query: '',
      headers: {
        authorization: `Bearer ${own}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: Buffer.from(new URLSearchParams({ token }).toString()),
      totalTimeoutMs: TIMEOUT_MS,
    })
    if (answer instanceof LinkFailure) return { kind: 'unanswered', retryAfterMs: 0 }
    if (answer.status === 401) return { kind: 'unproven' }
    const active = answer.status === 200 ? memberOf(answer.body, 'active') : undefined
    if (typeof active === 'boolean') return { kind: active ? 'active' : 'inactive' }
    return { kind: 'unanswered', retryAfterMs: retryAfterMsOf(answer.header('retry-after')) }
  }
}

/** One member of an answer in JSON; undefined where it is no object or has none. */
export function memberOf(body: string, name: string): unknown {
  return readObject(body)?.[name]
}

export function retryAfterMsOf(header: string | undefined): number {
  return Math.min((retryAfterOf(header) ?? 0) * 1000, MAX_RETRY_AFTER_MS)
}
