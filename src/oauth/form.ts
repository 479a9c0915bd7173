/** Of a request: more parameters than any of ours has. */
export const MAX_PAIRS = 64

/**
 * Decodes application/x-www-form-urlencoded strictly: percent signs must introduce bytes, and the bytes must be UTF-8.
 * `URLSearchParams` replaces what it cannot read, and two readers that repair differently see two requests.
 * Undefined when the text is not well-formed.
 */
export function decodeForm(
  text: string,
): readonly (readonly [name: string, value: string])[] | undefined {
  // Counted with the empty ones: a limit after which the rest is left out would hide what stands there.
  const pieces = text.split('&', MAX_PAIRS + 1)
  if (pieces.length > MAX_PAIRS) return undefined
  const pairs = pieces.filter((piece) => piece !== '')
  try {
    return pairs.map((pair) => {
      const at = pair.indexOf('=')
      const name = at === -1 ? pair : pair.slice(0, at)
      return [decodeFormText(name), decodeFormText(at === -1 ? '' : pair.slice(at + 1))] as const
    })
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

/**
 * Decodes one name or value.
 * @throws URIError when it is not well-formed
 */
export function decodeFormText(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
