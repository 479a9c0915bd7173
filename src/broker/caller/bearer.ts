import type { IncomingMessage } from 'node:http'

const SCHEME = 'bearer '

/** The token of a request's one `Authorization` header (RFC 6750 section 2.1); undefined where there is none, or another scheme. */
export function bearerOf({ headers, rawHeaders }: IncomingMessage): string | undefined {
  const { authorization } = headers
  if (authorization?.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return undefined
  return comesTwice(rawHeaders) ? undefined : authorization.slice(SCHEME.length)
}

/** Node keeps the first of two such headers unseen, and which of them was meant cannot be known. */
function comesTwice(rawHeaders: readonly string[]): boolean {
  let found = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') found += 1
  }
  return found > 1
}
