import { isJsonObject, JsonFault, parseStrictJson } from '../platform/strict_json.ts'

/** Longer tokens are refused before anything in them is read. */
export const MAX_TOKEN_BYTES = 16_384

type JsonObject = Readonly<Record<string, unknown>>

/** A compact JWS (RFC 7515 section 7.1) whose form is canonical. Nothing in it is verified yet. */
export interface UnverifiedJws {
  readonly compact: string
  readonly header: JsonObject
  readonly payload: JsonObject
}

export type JwsFault = 'too_large' | 'malformed'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Splits and decodes a compact JWS, canonical forms only: one text per token, so that no second spelling of the same
 * token slips past a cache, a replay list or a comparison. Padding, white space, bits left over in a last character and
 * members that stand twice are all refused; libraries commonly let them pass.
 */
export function parseCompactJws(compact: string): UnverifiedJws | JwsFault {
  if (compact.length > MAX_TOKEN_BYTES) return 'too_large'
  const parts = compact.split('.', 4)
  const [header, payload, signature] = parts
  if (parts.length !== 3 || !header || !payload || !signature) return 'malformed'
  if (!decodeBase64url(signature)) return 'malformed'
  const headerObject = decodeObject(header)
  const payloadObject = decodeObject(payload)
  if (!headerObject || !payloadObject) return 'malformed'
  return { compact, header: headerObject, payload: payloadObject }
}

function decodeObject(part: string): JsonObject | undefined {
  const bytes = decodeBase64url(part)
  if (!bytes) return undefined
  try {
    const value = parseStrictJson(decoder.decode(bytes))
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof JsonFault || error instanceof TypeError) return undefined
    throw error
  }
}

/** Node decodes leniently; only what encodes back to the same text was canonical. */
function decodeBase64url(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}
