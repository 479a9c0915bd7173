import { HttpFailure, type HttpClient } from '../platform/http_client.ts'
import {
  LinkFailure,
  MAX_LINK_ANSWER_BYTES,
  type AuthorityLink,
  type LinkPath,
  type LinkRequest,
} from './link.ts'
import type { RemoteAuthority } from './remote.ts'

/** The way to an authority over HTTP. */
export function remoteLink(authority: RemoteAuthority, http: HttpClient): AuthorityLink {
  return async (request) => {
    const ca = authority.ca()
    try {
      return await http({
        method: request.method,
        url: urlOf(authority.tokenUrl, request),
        headers: request.headers,
        ...(request.body && { body: request.body }),
        ...(ca !== undefined && { ca }),
        connectTimeoutMs: authority.connectTimeoutMs,
        totalTimeoutMs: request.totalTimeoutMs,
        maxBytes: MAX_LINK_ANSWER_BYTES,
      })
    } catch (error) {
      if (!(error instanceof HttpFailure)) {
        return new LinkFailure('unavailable', 'the request could not be made')
      }
      const code = error.code === 'answer_too_large' ? 'unusable' : 'unavailable'
      return new LinkFailure(code, error.message)
    }
  }
}

/** The tenant's prefix is that of the token endpoint, whichever of the two the caller used. */
function urlOf(
  tokenUrl: URL,
  { path, query }: { readonly path: LinkPath; readonly query: LinkRequest['query'] },
): URL {
  const base = path.from === 'tenant' ? new URL('..', tokenUrl).pathname : '/'
  const url = new URL(tokenUrl.origin)
  url.pathname = base + path.segments.join('/')
  url.search = query
  return url
}
