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
