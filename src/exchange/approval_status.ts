import { memberOf, retryAfterMsOf } from './introspection.ts'
import { LinkFailure, type AuthorityLink } from './link.ts'

/**
 * What became of what a user was asked. `gone`: the authority knows nothing of it. `unproven` and `unanswered` are as of a
 * token's standing.
 */
export type ApprovalStatus =
  | { readonly kind: 'pending' | 'approved' | 'denied' | 'expired' | 'gone' | 'unproven' }
  | { readonly kind: 'unanswered'; readonly retryAfterMs: number }

const TIMEOUT_MS = 5_000
const statuses = ['pending', 'approved', 'denied', 'expired'] as const

/** Asks at `…/agents/me/approvals/{approval}/status`, with the agent's own token. Never rejects. */
export function approvalStatus(
  link: AuthorityLink,
): (approval: string, own: string) => Promise<ApprovalStatus> {
  return async (approval, own) => {
    if (!isApproval(approval)) return { kind: 'gone' }
    const answer = await link({
      method: 'GET',
      path: { from: 'tenant', segments: ['agents', 'me', 'approvals', approval, 'status'] },
      query: '',
      headers: { authorization: `Bearer ${own}` },
      body: undefined,
      totalTimeoutMs: TIMEOUT_MS,
    })
    if (answer instanceof LinkFailure) return { kind: 'unanswered', retryAfterMs: 0 }
    if (answer.status === 401) return { kind: 'unproven' }
    if (answer.status === 404) return { kind: 'gone' }
    const said = answer.status === 200 ? memberOf(answer.body, 'status') : undefined
    const status = statuses.find((one) => one === said)
    if (status) return { kind: status }
    return { kind: 'unanswered', retryAfterMs: retryAfterMsOf(answer.header('retry-after')) }
  }
}

/** A name becomes a segment of a path: one that could be more than that is none that was given. */
export function isApproval(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,256}$/.test(text)
}
