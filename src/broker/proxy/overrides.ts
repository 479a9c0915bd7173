import type { IncomingMessage } from 'node:http'

/** An upstream that obeys one of these is asked for something else than what was judged. */
const ofRequest = [
  'x-http-method-override',
  'x-method-override',
  'x-override-method',
  'x-http-path-override',
  'x-http-host-override',
  'x-host-override',
  'x-host',
  'x-script-name',
  // Azure, in front of IIS: the address that was asked for.
  'x-waws-unencoded-url',
  // Next.js, which asks itself with them.
  'x-matched-path',
  'x-invoke-path',
  'x-invoke-query',
  'x-middleware-subrequest',
  // Rack: the file of the server that is the answer.
  'x-sendfile-type',
  'x-accel-mapping',
]

/** Gateways say them of those whom they let pass: whoever says them here is somebody else, or elsewhere. */
const ofSender = [
  'remote-user',
  'x-authenticated-user',
  'x-authenticated-userid',
  'x-webauth-user',
  'x-goog-authenticated-user-email',
  'x-goog-authenticated-user-id',
  'x-goog-iap-jwt-assertion',
  'cf-access-authenticated-user-email',
  'cf-access-jwt-assertion',
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-arr-clientcert',
  'client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'fastly-client-ip',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-originating-ip',
]

const overrides: ReadonlySet<string> = new Set([...ofRequest, ...ofSender])

/** Families of the same: `X-Original-URL`, `X-Remote-User`. Of `X-Forwarded-…` a guard has refused all. */
const families =
  /^x-(?:original|rewrite|override|real|request|http|envoy-original)-(?:method|url|uri|path|host)$|^(?:x-remote|x-auth-request|x-amzn-oidc|x-ms-client-principal|x-ssl-client|ssl-client|tailscale-user)(?:-|$)/

/**
 * CGI (RFC 3875 section 4.1.18), and with it WSGI, Rack and PHP, make `-` and `_` one, and some servers whatever is no letter
 * or digit: `X_Original_URL` would pass where `X-Original-URL` does not.
 */
const plainName = /^[A-Za-z0-9-]+$/

/** Whether a header could show the upstream another request, or another sender, than was judged. */
export function hasOverride({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (!plainName.test(name)) return true
    const lower = name.toLowerCase()
    if (overrides.has(lower) || families.test(lower)) return true
  }
  return false
}
