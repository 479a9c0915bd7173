import { isSignatureAlgorithm, type SignatureAlgorithm } from './keys/algorithms.ts'
import type { UnverifiedJws } from './jws.ts'
import { ProofRefusal } from './refusal.ts'

export interface HeaderRules {
  readonly name: string
  readonly algorithms: readonly SignatureAlgorithm[]
  /** Members beside `alg`, `kid` and `typ` that the issuer writes. They are passed over, never followed. */
  readonly more: ReadonlySet<string>
}

/** Which key a token is to be verified with, and how. */
export interface Signing {
  readonly alg: SignatureAlgorithm
  readonly kid: string
}

/**
 * What the header of a proof may be (RFC 7515 section 4). A key that the token brings along or points at (`jwk`, `jku`,
 * `x5c`, `x5u`) is refused rather than ignored, as is any `crit`: no member that we do not expect passes unread.
 */
export function checkHeader({ header }: UnverifiedJws, rules: HeaderRules): Signing | ProofRefusal {
  const refuse = (
    code: 'algorithm_not_allowed' | 'type_not_allowed' | 'header_not_allowed' | 'key_unknown',
    detail: string,
  ) => new ProofRefusal(code, detail, rules.name)
  const { alg, kid, typ } = header
  if (!isSignatureAlgorithm(alg) || !rules.algorithms.includes(alg)) {
    return refuse(
      'algorithm_not_allowed',
      'the algorithm is not among those allowed for the issuer',
    )
  }
  if (typ !== undefined && typ !== 'JWT') return refuse('type_not_allowed', 'typ is not JWT')
  for (const name in header) {
    if (name !== 'alg' && name !== 'kid' && name !== 'typ' && !rules.more.has(name)) {
      return refuse('header_not_allowed', 'the header has a member that the issuer never writes')
    }
  }
  if (typeof kid !== 'string' || kid === '' || kid.length > 256) {
    return refuse('key_unknown', 'kid is missing or unusable')
  }
  return { alg, kid }
}
