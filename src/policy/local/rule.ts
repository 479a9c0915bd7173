import { allowedPairOf, speaksOf, type AllowedPair } from './allowed.ts'
import type { WorkloadEntry } from './schema.ts'

/** Why a broker asks for nothing, or serves nothing of what it got. `workload_not_allowed`: no rule fits the workload. */
export type LocalDenialCode = 'workload_not_allowed' | 'audience_not_allowed' | 'scope_not_allowed'

/** What a rule allows, as it was written. */
export interface LocalAllowance {
  /** Exact or a path pattern. Absent: requests that name no target. */
  readonly audience?: string
  /** Absent: any. */
  readonly scopes?: readonly string[]
}

/** What one workload may be given by this broker. It only ever takes away from what the authority allows. */
export interface LocalRule {
  readonly name: string
  readonly exchangesPerMinute?: number | undefined
  readonly audiencesPerHour?: number | undefined
  /** How it may act for others. What is absent the configuration says. */
  readonly delegation: {
    /** 0: for nobody. */
    readonly maxDepth?: number
    readonly subjects?: number
    readonly exchangesPerMinute?: number
  }
  /** Undefined: whatever the authority allows. */
  readonly allow: readonly LocalAllowance[] | undefined
  /** What a request means that leaves it out. */
  readonly defaults: { readonly audience?: string; readonly agent?: string }
  /**
   * The scopes that may be had at all of these targets at once, in the order of the policy. Undefined: it bounds none, or
   * one of the targets is not allowed.
   */
  scopesAt(targets: readonly string[]): readonly string[] | undefined
  /**
   * Why a request is not made; undefined where it may be. `targets`: audiences and resources; `scope` undefined: the request
   * names none, and `deniesGranted` decides on what comes.
   */
  denies(wanted: {
    readonly targets: readonly string[]
    readonly scope: readonly string[] | undefined
  }): LocalDenialCode | undefined
  /**
   * Why a token is not served. Asked of every answer, those to requests with a scope too: an authority may grant more than
   * was asked for, and the policy of the moment of asking may have been replaced since. A scope that is not known
   * (undefined) may be any: only what allows any takes it.
   */
  deniesGranted(
    wanted: { readonly targets: readonly string[] },
    grantedScope: readonly string[] | undefined,
  ): LocalDenialCode | undefined
}

export function localRuleOf(entry: WorkloadEntry): LocalRule {
  const pairs = entry.allow?.map(allowedPairOf)
  return {
    name: entry.name,
    exchangesPerMinute: entry.exchangesPerMinute,
    audiencesPerHour: entry.audiencesPerHour,
    delegation: entry.delegation ?? {},
    allow: entry.allow,
    defaults: entry.defaults ?? {},
    scopesAt: (targets) => pairs && scopesOf(pairs, targets),
    denies: ({ targets, scope }) => pairs && denialOf(pairs, targets, scope ?? []),
    deniesGranted: ({ targets }, granted) => pairs && denialOf(pairs, targets, granted),
  }
}

function pairsPerTarget(
  pairs: readonly AllowedPair[],
  targets: readonly string[],
): readonly (readonly AllowedPair[])[] {
  return (targets.length === 0 ? [undefined] : targets).map((target) =>
    pairs.filter((pair) => speaksOf(pair, target)),
  )
}

/** What `denialOf` allows, told the other way round. A target at which any scope may be had bounds nothing. */
function scopesOf(
  pairs: readonly AllowedPair[],
  targets: readonly string[],
): readonly string[] | undefined {
  const perTarget = pairsPerTarget(pairs, targets)
  if (perTarget.some((there) => there.length === 0)) return undefined
  const [first, ...rest] = perTarget
    .filter((there) => there.every(({ scopes }) => scopes))
    .map((there) => new Set(there.flatMap(({ scopes }) => [...(scopes ?? [])])))
  return first && [...first].filter((scope) => rest.every((scopes) => scopes.has(scope)))
}

/**
 * A token for several targets is read by each of them with all of its scopes, so each scope has to be allowed at each:
 * pairs that are added up over targets would make A:read and B:write into read and write at both.
 */
function denialOf(
  pairs: readonly AllowedPair[],
  targets: readonly string[],
  scope: readonly string[] | undefined,
): LocalDenialCode | undefined {
  const perTarget = pairsPerTarget(pairs, targets)
  if (perTarget.some((there) => there.length === 0)) return 'audience_not_allowed'
  if (scope === undefined) {
    const isAny = perTarget.every((there) => there.some(({ scopes }) => !scopes))
    return isAny ? undefined : 'scope_not_allowed'
  }
  const everywhere = (value: string): boolean =>
    perTarget.every((there) => there.some(({ scopes }) => scopes?.has(value) ?? true))
  return scope.every(everywhere) ? undefined : 'scope_not_allowed'
}
