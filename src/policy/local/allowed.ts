import { compilePathPattern, matchesPattern, type Pattern } from '../../platform/pattern.ts'
import type { AllowEntry } from './schema.ts'

/** A compiled pair. */
export interface AllowedPair {
  /** Undefined: requests that name no target. */
  readonly audience: Pattern | undefined
  /** Undefined: any. */
  readonly scopes: ReadonlySet<string> | undefined
}

export function allowedPairOf({ audience, scopes }: AllowEntry): AllowedPair {
  return {
    audience: audience === undefined ? undefined : compilePathPattern(audience),
    scopes: scopes && new Set(scopes),
  }
}

/** Whether a pair speaks of this target; undefined is that of a request without any. */
export function speaksOf({ audience }: AllowedPair, target: string | undefined): boolean {
  if (!audience || target === undefined) return !audience && target === undefined
  return matchesAudience(audience, target)
}

/**
 * What ends a host, or makes it a user's name: in `https://attacker.test?.example.com` the star of `https://*.example.com`
 * would stand for another host and the start of a query.
 */
const disguisedHost = /:\/\/[^/]*[?#@\\]/

function matchesAudience(pattern: Pattern, target: string): boolean {
  if (pattern.literal === undefined && disguisedHost.test(target)) return false
  return matchesPattern(pattern, target)
}

/** Whether all that the second pair allows is allowed by the first already. */
export function makesIdle(one: AllowedPair, two: AllowedPair): boolean {
  return coversAudience(one.audience, two.audience) && coversScopes(one.scopes, two.scopes)
}

/**
 * The star of the second, taken as a character like any other, is met by nothing but a star of the first. `**` is tried as
 * nothing and as two parts, which only a `**` of the first takes both.
 */
function coversAudience(one: Pattern | undefined, two: Pattern | undefined): boolean {
  if (!one || !two) return !one && !two
  const start = two.source.slice(0, -2)
  const samples = two.open ? [start, `${start}*/*`] : [two.source]
  return samples.every((sample) => matchesAudience(one, sample))
}

function coversScopes(
  one: ReadonlySet<string> | undefined,
  two: ReadonlySet<string> | undefined,
): boolean {
  return !one || (two !== undefined && two.isSubsetOf(one))
}
