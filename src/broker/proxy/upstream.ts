import type { Dispatcher } from 'undici'

/** The connections to the upstream of a route. */
export interface Upstream {
  readonly origin: string
  /** What sends to it now: another one after its CA has changed. */
  dispatcher(): Pick<Dispatcher, 'dispatch'>
}

/** What became of a request that got no answer. */
export type UpstreamFault = 'upstream_unavailable' | 'upstream_unusable'

/** Which of the two an error of the client is, and the code by which an operator finds out more. */
export function faultOf(error: unknown): {
  readonly fault: UpstreamFault
  readonly reason: string
} {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  const reason = typeof code === 'string' ? code : 'unknown'
  const isUnusable = unusable.has(reason) || name === 'HTTPParserError'
  return { fault: isUnusable ? 'upstream_unusable' : 'upstream_unavailable', reason }
}

/** Headers of more than 16 KiB, a length that is none, and what cannot stand in a header of ours. */
const unusable: ReadonlySet<string> = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_INVALID_ARG',
  'ERR_INVALID_CHAR',
  'ERR_HTTP_INVALID_STATUS_CODE',
  'ERR_HTTP_INVALID_HEADER_VALUE',
  'ERR_INVALID_HTTP_TOKEN',
])
