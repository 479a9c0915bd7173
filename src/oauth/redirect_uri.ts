const loopbackHosts = new Set(['127.0.0.1', '[::1]', 'localhost'])
/** RFC 8252 section 7.1: a private-use scheme is a domain name in reverse, so it has a dot. */
const privateScheme = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/

/** True when a URI may be registered: absolute, without fragment (RFC 6749 section 3.1.2), and nobody on the way can read it. */
export function isRegistrableRedirectUri(text: string): boolean {
  if (text.includes('#') || /[^\x21-\x7e]/.test(text) || text.includes('*')) return false
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password } = new URL(text)
  if (username !== '' || password !== '') return false
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && loopbackHosts.has(hostname)) ||
    privateScheme.test(protocol)
  )
}

/**
 * True when a presented URI is a registered one: character by character (RFC 9700 section 4.1.3), but for the port of an
 * `http` URI to a loopback address, which a native app takes as the system gives it (RFC 8252 section 7.3). `localhost` is
 * no such address: a name can be made to mean another machine.
 */
export function matchesRedirectUri(registered: string, presented: string): boolean {
  if (registered === presented) return true
  const pattern = /^(http:\/\/(?:127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/
  const [own, other] = [pattern.exec(registered), pattern.exec(presented)]
  if (!own || !other || own[1] !== other[1]) return false
  return registered.slice(own[0].length) === presented.slice(other[0].length)
}
