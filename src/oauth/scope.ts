/** A set of scope values in the order in which they were named, none twice. Made by `parseScope` and `narrowScope`. */
export type Scope = readonly string[]

const MAX_SCOPES = 100
const MAX_LENGTH = 4_096
/** scope-token of RFC 6749 section 3.3: printable ASCII without space, quote and backslash. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** Parses a `scope` parameter (RFC 6749 section 3.3). Undefined when it is not one. */
export function parseScope(text: string): Scope | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const values = [...new Set(text.split(' '))]
  if (values.length > MAX_SCOPES) return undefined
  return values.every((value) => scopeToken.test(value)) ? values : undefined
}

/** True when these values can be asked for in one request. */
export function fitsScope(values: readonly string[]): boolean {
  const different = [...new Set(values)]
  return different.length <= MAX_SCOPES && different.join(' ').length <= MAX_LENGTH
}

export function isScopeToken(text: string): boolean {
  return scopeToken.test(text)
}

export function showScope(scope: Scope): string {
  return scope.join(' ')
}
