const MAX_LENGTH = 512

/**
 * True for a `resource` value (RFC 8707 section 2): an absolute URI without a fragment. The text itself is the
 * identifier, compared byte for byte, so it is judged and never rewritten.
 */
export function isResource(text: string): boolean {
  return (
    isAudience(text) &&
    !text.includes('#') &&
    /^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) &&
    URL.canParse(text)
  )
}

/** True for an `audience` value (RFC 8693 section 2.1): a logical name, here any printable ASCII without spaces. */
export function isAudience(text: string): boolean {
  return text.length <= MAX_LENGTH && /^[\x21-\x7e]+$/.test(text)
}
