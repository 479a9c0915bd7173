import { createHash } from 'node:crypto'
import { parseCompactJws } from '../../../verifier/jws.ts'

/** An ID token names another access token than the one beside it. */
export class AtHashWrong extends Error {
  readonly code = 'at_hash_wrong'
}

/**
 * Whether an ID token, verified already, says of an access token that it came with it (OpenID Connect Core section 3.1.3.8).
 * One that says nothing passes: it need not in the code flow.
 */
export function goesWith(idToken: string, accessToken: string): boolean {
  const jws = parseCompactJws(idToken)
  if (typeof jws === 'string') return false
  const { at_hash: claimed } = jws.payload
  if (claimed === undefined) return true
  const hash = createHash(hashOf(String(jws.header['alg'])))
    .update(accessToken)
    .digest()
  return claimed === hash.subarray(0, hash.length / 2).toString('base64url')
}

function hashOf(algorithm: string): string {
  if (algorithm.endsWith('256')) return 'sha256'
  return algorithm.endsWith('384') ? 'sha384' : 'sha512'
}
