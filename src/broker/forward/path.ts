import type { LinkPath } from '../../exchange/link.ts'

/** What is passed on. A path that is not among these is no route. */
export interface Forwardable {
  readonly path: LinkPath
  readonly kind: 'userinfo' | 'revoke' | 'family'
  /** That the path names; undefined where the credential does. */
  readonly tenant: string | undefined
}

const MAX_SEGMENTS = 8
/** What needs no encoding and has no meaning of its own to whatever stands before the authority. */
const segment = /^[A-Za-z0-9._~:@-]{1,256}$/

/**
 * Reads the target of a request and judges it by an allow-list, segment by segment: the authority is then asked for what
 * was judged and not for what was sent. Encoded slashes, dots that climb and a second layer of encoding are what proxies and
 * servers read differently.
 */
export function forwardableOf(target: string): Forwardable | undefined {
  // The host of an absolute target was judged by the guards.
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0] ?? ''
  const [root, ...encoded] = path.split('/')
  if (root !== '') return undefined
  const segments = encoded.map(decoded)
  if (!segments.every((one) => one !== undefined)) return undefined
  const [first, second, third, fourth] = segments
  if (first === 'api' && second === 'v1' && third === 'authz') {
    return judged(segments.slice(2), 'root', undefined)
  }
  const atTenant = (first === 't' || first === 'orgs') && third === 'api' && fourth === 'v1'
  return atTenant ? judged(segments.slice(4), 'tenant', second) : undefined
}

function judged(
  segments: readonly string[],
  from: LinkPath['from'],
  tenant: string | undefined,
): Forwardable | undefined {
  if (segments.length < 2 || segments.length > MAX_SEGMENTS) return undefined
  const [family, name] = segments
  const path = { from, segments }
  if (family === 'agents' || family === 'authz') return { path, kind: 'family', tenant }
  const isPair = family === 'oauth' && segments.length === 2
  return isPair && (name === 'userinfo' || name === 'revoke')
    ? { path, kind: name, tenant }
    : undefined
}

function decoded(text: string): string | undefined {
  let plain: string
  try {
    plain = decodeURIComponent(text)
  } catch {
    return undefined
  }
  return segment.test(plain) && plain !== '.' && plain !== '..' ? plain : undefined
}
