import type { IncomingMessage } from 'node:http'

export type GuardCode = 'guard_header_missing' | 'host_not_allowed' | 'forwarded_request'

/**
 * What a proxy adds and a browser cannot leave out. Whoever can make some program of the pod fetch a URL (SSRF), or a
 * browser on the machine open a page, would otherwise fetch a token. `Sec-Fetch-Mode` alone is let pass: Node's own fetch
 * sends it.
 */
const refused: ReadonlySet<string> = new Set([
  'forwarded',
  'via',
  'origin',
  'referer',
  'sec-fetch-site',
  'sec-fetch-dest',
  'sec-fetch-user',
])

/** The `Host` values of a listener: each of its addresses, and `localhost` with their ports. Names that merely resolve here are refused, against DNS rebinding. */
export function hostAllowList(
  addresses: readonly string[],
  more: readonly string[],
): ReadonlySet<string> {
  const local = addresses.flatMap((address) =>
    // Over a socket there is no port: clients send the host of whatever URL they were given.
    address.startsWith('unix:')
      ? ['localhost']
      : [address, `localhost${address.slice(address.lastIndexOf(':'))}`],
  )
  return new Set([...local, ...more])
}

/** The first guard that a request fails, if any. One pass over the headers: this stands on the hot path. */
export function failedGuard(
  { headers, rawHeaders, url = '' }: IncomingMessage,
  hosts: ReadonlySet<string>,
): GuardCode | undefined {
  if (headers['lumo-broker'] !== 'true') return 'guard_header_missing'
  return failedOpenGuard({ headers, rawHeaders, url }, hosts)
}

/** The guards of a route whose callers cannot send a header of ours. Something else has to stand for it there. */
export function failedOpenGuard(
  { headers, rawHeaders, url = '' }: Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'url'>,
  hosts: ReadonlySet<string>,
): GuardCode | undefined {
  if (!hosts.has(headers.host ?? '') || !namesOwnHost(url, hosts) || hasTwoHosts(rawHeaders)) {
    return 'host_not_allowed'
  }
  for (const name in headers) {
    if (refused.has(name) || name.startsWith('x-forwarded-')) return 'forwarded_request'
  }
  return undefined
}

/** Node keeps the first of two and drops the other unseen (RFC 9112 section 3.2 wants them refused). */
function hasTwoHosts(rawHeaders: readonly string[]): boolean {
  let found = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') found += 1
  }
  return found > 1
}

/** The host of an absolute target counts, whatever `Host` says (RFC 9112 section 3.2.2). */
function namesOwnHost(target: string, hosts: ReadonlySet<string>): boolean {
  if (target.startsWith('/') || target === '*') return true
  return hosts.has(/^http:\/\/([^/?#]*)/i.exec(target)?.[1] ?? '')
}
