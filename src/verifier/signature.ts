import { constants, hash, verify, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../platform/clock.ts'
import type { SignatureAlgorithm } from './keys/algorithms.ts'
import type { UnverifiedJws } from './jws.ts'

/** How long a signature that was good needs no second look: a pod asks for several tokens at once with one proof. */
const REMEMBERED_MS = 60_000
const MAX_REMEMBERED = 10_000

interface Verdict {
  readonly key: KeyObject
  readonly at: number
}

/**
 * Checks signatures, and remembers for a minute which were good, by the SHA-256 of the whole token: a proof that comes again
 * costs a hash. A verdict holds for the very key object that it was made with, so a key set that is fetched anew leaves none;
 * and it is of the signature alone, for claims and dates are judged each time. What was not good is not remembered, or a
 * flood of rubbish would push out what is.
 */
export class Signatures {
  readonly #clock: Clock
  readonly #good = new LRUCache<string, Verdict>({ max: MAX_REMEMBERED })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async isGood(
    { compact }: UnverifiedJws,
    algorithm: SignatureAlgorithm,
    key: KeyObject,
  ): Promise<boolean> {
    const name = hash('sha256', compact, 'base64url')
    const now = this.#clock.monotonic()
    const verdict = this.#good.get(name)
    if (verdict?.key === key && now - verdict.at < REMEMBERED_MS) return true
    const good = await verifySignature(compact, algorithm, key)
    if (good) this.#good.set(name, { key, at: now })
    return good
  }
}

/**
 * Whether the signature of a compact JWS (RFC 7515 section 5.2) is that of this key. Key and algorithm suit each other: a
 * key source sees to that. `node:crypto` is called here directly because a library on top of WebCrypto takes twice as long.
 * On a thread of the pool, for everybody else would wait meanwhile, and all but one of the cores would idle.
 */
function verifySignature(
  compact: string,
  algorithm: SignatureAlgorithm,
  key: KeyObject,
): Promise<boolean> {
  const end = compact.lastIndexOf('.')
  const signature = Buffer.from(compact.slice(end + 1), 'base64url')
  const data = Buffer.from(compact.slice(0, end), 'latin1')
  const options = { key, ...optionsOf(algorithm) }
  return onPool(digestOf(algorithm), data, options, signature)
}

const onPool = promisify(verify)

/** RFC 7518 section 3.1; EdDSA has its digest inside (RFC 8037 section 3.1). */
function digestOf(algorithm: SignatureAlgorithm): string | null {
  return algorithm === 'EdDSA' ? null : `sha${algorithm.slice(2)}`
}

function optionsOf(algorithm: SignatureAlgorithm) {
  if (algorithm.startsWith('ES')) return { dsaEncoding: 'ieee-p1363' } as const
  if (algorithm.startsWith('PS')) {
    return {
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    }
  }
  return {}
}
