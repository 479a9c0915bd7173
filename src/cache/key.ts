declare const keyed: unique symbol

/** Names one token among all that could be asked for. Made by `cacheKey` only. */
export type CacheKey = string & { readonly [keyed]: true }

export interface KeySubject {
  readonly issuer: string
  readonly sub: string
  /** Uid of the pod, or a hash of the subject token: never the token. */
  readonly instance: string
}

/** Whether two are one: the same pod of the same account. */
export function isSameSubject(one: KeySubject, other: KeySubject): boolean {
  if (one === other) return true
  return one.issuer === other.issuer && one.sub === other.sub && one.instance === other.instance
}

/** All that tells one token from another. */
export interface KeyParts {
  readonly tenant: string
  readonly client: string | undefined
  readonly subject: KeySubject
  /** Outermost first; the order counts. */
  readonly actors: readonly string[]
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  /** Undefined: whatever may be had, which is not the empty set. */
  readonly scope: readonly string[] | undefined
  readonly tokenType: string
  /** Thumbprint of the key that the token is bound to. */
  readonly confirmation: string | undefined
}

/**
 * One text for one set of parts, and no other: a collision would hand one caller the token of another. Sets are sorted, so
 * that order and repetition make no difference; JSON keeps the parts apart, whatever characters they hold.
 */
export function cacheKey(parts: KeyParts): CacheKey {
  const { subject } = parts
  return JSON.stringify([
    parts.tenant,
    parts.client ?? null,
    subject.issuer,
    subject.sub,
    subject.instance,
    parts.actors,
    asSet(parts.audiences),
    asSet(parts.resources),
    parts.scope ? asSet(parts.scope) : null,
    parts.tokenType,
    parts.confirmation ?? null,
  ]) as CacheKey
}

function asSet(values: readonly string[]): readonly string[] {
  return values.length < 2 ? values : [...new Set(values)].sort()
}
