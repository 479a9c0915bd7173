import { BrokerError } from '../errors.ts'

declare const normalized: unique symbol

/** What a request asks for, in the one form in which it is judged and sent on. Made in this file only. */
export interface Target {
  readonly [normalized]: true
  /** Begins with a slash; has neither dot segments nor empty ones, and nothing in it is encoded that need not be. */
  readonly path: string
  /** With its question mark, or empty. */
  readonly query: string
}

/** pchar of RFC 3986 section 3.3, and slashes. */
const pathCharacters = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*$/
/** What URLs have (RFC 3986), and what clients leave unencoded there (the URL standard of the WHATWG). */
const queryCharacters = /^[A-Za-z0-9._~!$&'()*+,;=:@%/?[\]{}|^`-]*$/
const plainPath = /^[A-Za-z0-9_~/-]*$/

const MALFORMED = new BrokerError('proxy_path_malformed')

/**
 * Reads the target of a request, whose host the guards have judged. What two programs read differently is refused, for one of
 * them judges and the other obeys: dot segments, empty segments, an encoded slash, backslash or percent sign.
 */
export function targetOf(text: string): Target | BrokerError {
  const local = text.startsWith('/') ? text : text.replace(/^http:\/\/[^/?#]*/i, '')
  const mark = local.indexOf('?')
  const path = mark === -1 ? local : local.slice(0, mark)
  const query = mark === -1 ? '' : local.slice(mark)
  if (query !== '' && !queryCharacters.test(query)) return MALFORMED
  if (!pathCharacters.test(path)) return MALFORMED
  const decoded = path.includes('%') ? decodedPath(path) : path
  if (decoded === undefined || path.includes('//')) return MALFORMED
  // No dots and no parameters: nothing that climbs.
  if (!plainPath.test(decoded) && decoded.split('/').some(climbs)) return MALFORMED
  return { path: decoded, query } as Target
}

/** A segment of dots, or one that some servers read so after they cut its parameters off (`..;x`). */
function climbs(segment: string): boolean {
  return /^\.{0,2}(;|%3B)/.test(segment) || segment === '.' || segment === '..'
}

const unreserved = /^[A-Za-z0-9._~-]$/

/** RFC 3986 section 6.2.2: what need not be encoded is not, and digits are in upper case. Undefined: it cannot be judged. */
function decodedPath(path: string): string | undefined {
  let isSound = true
  const decoded = path.replace(/%([0-9A-Fa-f]{2})?/g, (_, digits: string | undefined) => {
    const code = digits === undefined ? 0 : Number.parseInt(digits, 16)
    const char = String.fromCharCode(code)
    // Slash, backslash, a percent sign that begins a second layer, and what no name has.
    if (code < 0x20 || code === 0x7f || '/\\%'.includes(char)) isSound = false
    return code < 0x80 && unreserved.test(char) ? char : `%${(digits ?? '').toUpperCase()}`
  })
  return isSound && isUtf8(decoded) ? decoded : undefined
}

/** Other bytes have no one reading: an overlong form of a dot or a slash is among them. */
function isUtf8(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}
