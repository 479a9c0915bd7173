/**
 * JSON in which a member may stand only once (RFC 8259 section 4 leaves duplicates to the parser; RFC 7515 section 4 and
 * RFC 7519 section 4 let a verifier refuse them). Two parsers that pick different duplicates are how one signed text
 * becomes two identities.
 */
export class JsonFault extends Error {}

const MAX_DEPTH = 32

/**
 * Parses JSON text strictly.
 * @throws JsonFault when it is not JSON, repeats a member, or nests deeper than 32
 */
export function parseStrictJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The engine's own message quotes the text, and the text may be a credential.
    throw new JsonFault('not JSON')
  }
  if (membersNamed(text) !== membersHeld(value)) throw new JsonFault('a member stands twice')
  return value
}

const QUOTE = 0x22
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * How many members text that JSON.parse has accepted names, which is the number of colons outside of its strings. The
 * value holds fewer when one stands twice. Counting needs no name to be decoded and none to be kept, which took most of the
 * time that a proof costs beside its signature.
 */
function membersNamed(text: string): number {
  let count = 0
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at)
        break
      case COLON:
        count++
        break
      case OPEN_OBJECT:
      case OPEN_LIST:
        if (++depth > MAX_DEPTH) throw new JsonFault('nested too deeply')
        break
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        depth--
        break
    }
  }
  return count
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

/** An odd number of backslashes before it. */
function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text.charCodeAt(first - 1) === BACKSLASH) first--
  return (at - first) % 2 === 1
}

/** How many members a value has, at any depth, which is bounded by then. */
function membersHeld(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inside: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let count = Array.isArray(value) ? 0 : inside.length
  for (const one of inside) count += membersHeld(one)
  return count
}

/** True for a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
