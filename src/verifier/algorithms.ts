import type { KeyObject } from 'node:crypto'

/** Signature algorithms that may be configured (RFC 7518 section 3.1, RFC 8037). Asymmetric only: there is no secret to confuse a public key with. */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

export type SignatureAlgorithm = (typeof signatureAlgorithms)[number]

const curves: Partial<Record<SignatureAlgorithm, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
}

const MIN_RSA_BITS = 2_048

/** True when a key of this type and size can make signatures of this algorithm, whatever the key set says of itself. */
export function keySuits(key: KeyObject, algorithm: SignatureAlgorithm): boolean {
  const details = key.asymmetricKeyDetails
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return (
        (algorithm.startsWith('RS') || algorithm.startsWith('PS')) &&
        (details?.modulusLength ?? 0) >= MIN_RSA_BITS &&
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
  return exponent >= 3n && exponent % 2n === 1n
}

export function isSignatureAlgorithm(value: unknown): value is SignatureAlgorithm {
  return (signatureAlgorithms as readonly unknown[]).includes(value)
}
