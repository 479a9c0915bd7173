import type { KeyObject } from 'node:crypto'
import { signatureAlgorithms, type SignatureAlgorithm } from '../../oauth/signature_algorithms.ts'

export type { SignatureAlgorithm }

const curves: Partial<Record<SignatureAlgorithm, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
}

const MIN_RSA_BITS = 2_048
/** Where the sender brings the key along, as with DPoP, a huge one would be a way to spend our time. */
const MAX_RSA_BITS = 8_192
const MAX_RSA_EXPONENT = 2n ** 32n

/** True when a key of this type and size can make signatures of this algorithm, whatever the key set says of itself. */
export function keySuits(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const details = key.asymmetricKeyDetails
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return (
        (algorithm.startsWith('RS') || algorithm.startsWith('PS')) &&
        isSoundModulus(details?.modulusLength ?? 0) &&
        isSoundExponent(details?.publicExponent ?? 0n)
      )
    case 'ec':
      return details?.namedCurve !== undefined && details.namedCurve === curves[algorithm]
    case 'ed25519':
      return algorithm === 'EdDSA'
    default:
      return false
  }
}

/** Under the exponent 1 every message is its own signature, and no RSA key has an even one. */
function isSoundExponent(exponent: bigint): boolean {
  return exponent >= 3n && exponent % 2n === 1n && exponent <= MAX_RSA_EXPONENT
}

function isSoundModulus(bits: number): boolean {
  return bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS
}

export function isSignatureAlgorithm(value: unknown): value is SignatureAlgorithm {
  return (signatureAlgorithms as readonly unknown[]).includes(value)
}
