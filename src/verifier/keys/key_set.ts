import { createPublicKey, type KeyObject } from 'node:crypto'
import { OperatorFault } from '../../platform/operator_fault.ts'
import { isJsonObject, JsonFault, parseStrictJson } from '../../platform/strict_json.ts'
import { keySuits, type SignatureAlgorithm } from './algorithms.ts'

const MAX_KEYS = 100
const MAX_KID_LENGTH = 256

/** The text is no usable JWK set. The message is for the operator. */
export class KeySetFault extends OperatorFault {}

interface Entry {
  readonly key: KeyObject
  /** The `alg` of the key (RFC 7517 section 4.4), where it states one. */
  readonly alg: string | undefined
}

/** An issuer's keys by `kid`. A fetched set replaces the one before it whole, so that a withdrawn key is gone. */
export class KeySet {
  readonly #keys: ReadonlyMap<string, Entry>

  private constructor(keys: ReadonlyMap<string, Entry>) {
    this.#keys = keys
  }

  /**
   * Reads a JWK set (RFC 7517 section 5). Keys that cannot verify a signature here (other uses, unknown types, symmetric
   * ones, without a `kid`) are passed over, as section 5 asks; a `kid` that stands twice names no key at all, for which of
   * the two is meant cannot be known.
   * @throws KeySetFault
   */
  static parse(text: string): KeySet {
    let document: unknown
    try {
      document = parseStrictJson(text)
    } catch (error) {
      if (error instanceof JsonFault)
        throw new KeySetFault(`the key set cannot be read: ${error.message}`)
      throw error
    }
    return KeySet.from(document)
  }

  /**
   * The same, of a document that is parsed already.
   * @throws KeySetFault
   */
  static from(document: unknown): KeySet {
    if (!isJsonObject(document) || !Array.isArray(document['keys'])) {
      throw new KeySetFault('the key set has no member "keys"')
    }
    const listed = document['keys'] as readonly unknown[]
    if (listed.length > MAX_KEYS) {
      throw new KeySetFault(`the key set has more than ${String(MAX_KEYS)} keys`)
    }
    const keys = new Map<string, Entry>()
    const twice = new Set<string>()
    for (const jwk of listed) {
      if (!isJsonObject(jwk)) throw new KeySetFault('the key set has a key that is no object')
      const { kid, use, alg } = jwk
      if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH) continue
      if (use !== undefined && use !== 'sig') continue
      if (!mayVerify(jwk['key_ops'])) continue
      const key = importKey(jwk)
      if (!key) continue
      if (keys.has(kid)) twice.add(kid)
      keys.set(kid, { key, alg: typeof alg === 'string' ? alg : undefined })
    }
    for (const kid of twice) keys.delete(kid)
    return new KeySet(keys)
  }

  get size(): number {
    return this.#keys.size
  }

  /** The key of that name, if it may be used with that algorithm. */
  find(kid: string, algorithm: SignatureAlgorithm): KeyObject | undefined {
    const entry = this.#keys.get(kid)
    if (!entry || (entry.alg !== undefined && entry.alg !== algorithm)) return undefined
    return keySuits(entry.key, algorithm) ? entry.key : undefined
  }

  /** The one key that may be used with that algorithm; none where there are several, for which is meant cannot be known. */
  sole(algorithm: SignatureAlgorithm): KeyObject | undefined {
    const suiting = [...this.#keys.keys()].flatMap((kid) => this.find(kid, algorithm) ?? [])
    return suiting.length === 1 ? suiting[0] : undefined
  }
}

/** RFC 7517 section 4.3. */
function mayVerify(keyOps: unknown): boolean {
  return keyOps === undefined || (Array.isArray(keyOps) && keyOps.includes('verify'))
}

function importKey(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  const { kty } = jwk
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return undefined
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}
