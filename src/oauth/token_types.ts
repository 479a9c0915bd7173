/** Token type identifiers (RFC 8693 section 3). */
export const tokenTypes = {
  access_token: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
} as const

export type TokenType = (typeof tokenTypes)[keyof typeof tokenTypes]

export function isTokenType(value: string): value is TokenType {
  return value === tokenTypes.access_token || value === tokenTypes.jwt
}

/**
 * What a subject token may be: also a signed request to AWS, by the name that Google's token endpoint gave it. Apart from
 * the others, for no actor token is one and none is ever issued.
 */
export const subjectTokenTypes = {
  ...tokenTypes,
  aws4_request: 'urn:ietf:params:aws:token-type:aws4_request',
} as const

export type SubjectTokenType = (typeof subjectTokenTypes)[keyof typeof subjectTokenTypes]

export function isSubjectTokenType(value: string): value is SubjectTokenType {
  return isTokenType(value) || value === subjectTokenTypes.aws4_request
}
