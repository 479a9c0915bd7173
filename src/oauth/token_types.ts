/** Token type identifiers (RFC 8693 section 3). */
export const tokenTypes = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

export type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes]

export function isTokenType(value: string): value is TokenType {
  return value === tokenTypes.access_token || value === tokenTypes.jwt
}
