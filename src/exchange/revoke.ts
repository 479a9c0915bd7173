import { LinkFailure, type AuthorityLink } from './link.ts'

const TIMEOUT_MS = 5_000

/**
 * Has the authority end a token (RFC 7009). Without client authentication: an agent has none to show, and holding the token
 * is enough to end it. False: it may still be good.
 */
export function revocation(link: AuthorityLink): (token: string) => Promise<boolean> {
  return async (token) => {
    const answer = await link({
      method: 'POST',
      path: { from: 'tenant', segments: ['oauth', 'revoke'] },
      query: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from(new URLSearchParams({ token }).toString()),
      totalTimeoutMs: TIMEOUT_MS,
    })
    return !(answer instanceof LinkFailure) && answer.status === 200
  }
}
