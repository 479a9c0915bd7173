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
  refuseRepeatedMembers(text)
  return value
}

/** Walks text that JSON.parse has accepted, so only strings and brackets need to be told apart. */
function refuseRepeatedMembers(text: string): void {
  const open: (Set<string> | null)[] = []
  let nameExpected = false
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : null)
      if (open.length > MAX_DEPTH) throw new JsonFault('nested too deeply')
      nameExpected = character === '{'
    } else if (character === '}' || character === ']') {
      open.pop()
      nameExpected = false
    } else if (character === ',') {
      nameExpected = open.at(-1) instanceof Set
    } else if (character === '"') {
      const end = endOfString(text, at)
      if (nameExpected) {
        const name = JSON.parse(text.slice(at, end + 1)) as string
        const members = open.at(-1)
        if (members?.has(name)) throw new JsonFault('a member stands twice')
        members?.add(name)
        nameExpected = false
      }
      at = end
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** True for a JSON object: neither null nor an array. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
