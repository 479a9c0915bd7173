/** Of a pod of 3 MB with nothing but short members there are fewer. */
const MAX_PARTS = 200_000
/** A pod has a dozen levels. */
const MAX_DEPTH = 64

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d]

/**
 * Whether a text of JSON has no more parts and levels than a pod may have; looked at before it is parsed, for parsing makes an object
 * of every two bytes of `[{},{},…]`: whoever reaches the port could take all memory with one body. What is no JSON is for the
 * parser to find.
 */
export function isModestJson(bytes: Uint8Array): boolean {
  let parts = 0
  let depth = 0
  let inText = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]
    if (inText) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) inText = false
    } else if (byte === QUOTE) inText = true
    else if (byte === COMMA) parts += 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      parts += 1
      depth += 1
      if (depth > MAX_DEPTH) return false
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
  }
  return parts <= MAX_PARTS
}
