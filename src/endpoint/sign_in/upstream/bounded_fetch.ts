import type { CustomFetch } from 'openid-client'
import {
  isSafeUrl,
  type HttpAnswer,
  type HttpClient,
  type HttpRequest,
} from '../../../platform/http_client.ts'
import { guardOf } from '../../../verifier/keys/key_hosts.ts'

/** Discovery documents, key sets and tokens are far smaller. */
const MAX_BYTES = 524_288

/** Of one provider. */
export interface FetchBounds {
  readonly issuer: string
  /** Hosts that may have an address that is not public. */
  readonly hosts: readonly string[]
  /** PEM. */
  readonly ca: string | undefined
}

/** The library asked for what no part of a sign-in needs. */
class FetchRefused extends Error {
  readonly code = 'fetch_refused'
}

/**
 * What `openid-client` fetches with: our own client, whose time-outs, caps, trust and proxies hold for it then, and which
 * follows no redirect. A host that the provider names beside its own must have a public address, for who writes its documents
 * must not make us ask in the operator's network.
 */
export function boundedFetch(http: HttpClient, { issuer, hosts, ca }: FetchBounds): CustomFetch {
  const own = new URL(issuer).host
  return async (address, { method, headers, body }) => {
    const url = new URL(address)
    const isHttps = issuer.startsWith('https:')
    if (!isSafeUrl(url) || (isHttps && url.protocol !== 'https:')) throw new FetchRefused()
    const from = url.host === own ? { jwksUrl: url } : { discoveryOf: issuer }
    const guard = guardOf(url, { from, hosts, caFile: undefined, bearerTokenFile: undefined })
    const answer = await http({
      method: methodOf(method),
      url,
      headers,
      ...(body !== undefined && body !== null && { body: textOf(body) }),
      ...(ca !== undefined && { ca }),
      mayConnectTo: guard.mayConnectTo,
      connectTimeoutMs: 2_000,
      totalTimeoutMs: 5_000,
      maxBytes: MAX_BYTES,
    })
    return responseOf(answer)
  }
}

/** No other header of an answer is looked at. */
function responseOf(answer: HttpAnswer): Response {
  const { status, body } = answer
  const contentType = answer.header('content-type')
  // These have no body (Fetch Standard, null body status), and no part of a sign-in is answered with one.
  const isEmpty = [204, 205, 304].includes(status)
  return new Response(isEmpty ? null : body, {
    status: status >= 200 && status <= 599 ? status : 502,
    headers: contentType === undefined ? {} : { 'content-type': contentType },
  })
}

function methodOf(method: string): HttpRequest['method'] {
  if (method === 'GET' || method === 'POST') return method
  throw new FetchRefused()
}

function textOf(body: NonNullable<Parameters<CustomFetch>[1]['body']>): string {
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new FetchRefused()
}
