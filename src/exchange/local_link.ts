import type { MemoryHttp } from '../platform/memory_http.ts'
import { LinkFailure, MAX_LINK_ANSWER_BYTES, type AuthorityLink, type LinkRequest } from './link.ts'

/** The way to the authority of this process. Its routes are the ones that the network meets, so that no check can be missing here. */
export function localLink(tenant: string, http: MemoryHttp): AuthorityLink {
  return async (request) => {
    const { method, headers, body } = request
    try {
      return await http(
        { method, path: pathOf(tenant, request), headers, body },
        MAX_LINK_ANSWER_BYTES,
      )
    } catch (error) {
      // Not its message, which may quote what was sent.
      return error === 'answer_too_large'
        ? new LinkFailure('unusable', 'the answer is too large')
        : new LinkFailure('unavailable', 'the authority of this process did not answer')
    }
  }
}

function pathOf(tenant: string, { path, query }: LinkRequest): string {
  const base = path.from === 'tenant' ? `/t/${tenant}/api/v1/` : '/'
  return base + path.segments.join('/') + (query === '' ? '' : `?${query}`)
}
