import type { Scope } from '../oauth/scope.ts'

/** A pair of the policy: scopes that may be had at one target, or without any. */
export interface GrantPair {
  readonly target?: string | undefined
  readonly scopes: readonly string[]
}

/** What a request asks for. */
export interface Wanted {
  /** Audiences and resources, none twice; empty: no target. */
  readonly targets: readonly string[]
  /** Undefined: whatever may be had. */
  readonly scope: Scope | undefined
}

export interface Allowed {
  readonly targets: readonly string[]
  readonly scope: Scope
}

export type Excess = 'target_not_allowed' | 'targets_too_many' | 'scope_not_allowed'

const NO_TARGET = ''

/**
 * The widest that the tokens of one agent or client may be. The one place where a target or a scope is allowed, for every
 * grant: a sibling path with a check of its own is how products came to mint beyond their policy.
 */
export class Ceiling {
  readonly #scopes: ReadonlyMap<string, ReadonlySet<string>>
  readonly #maxTargets: number

  constructor(pairs: readonly GrantPair[], maxTargets: number) {
    const scopes = new Map<string, Set<string>>([[NO_TARGET, new Set()]])
    for (const { target = NO_TARGET, scopes: more } of pairs) {
      const known = scopes.get(target) ?? new Set()
      for (const scope of more) known.add(scope)
      scopes.set(target, known)
    }
    this.#scopes = scopes
    this.#maxTargets = maxTargets
  }

  /**
   * What of a wish is allowed: all of it or nothing. A token for several targets holds only scopes that may be had at each
   * of them, because each of them will read all of its scopes.
   */
  allow(wanted: Wanted): Allowed | Excess {
    const { targets } = wanted
    if (targets.length > this.#maxTargets) return 'targets_too_many'
    const perTarget = (targets.length === 0 ? [NO_TARGET] : targets).map((target) =>
      this.#scopes.get(target),
    )
    const [first, ...rest] = perTarget
    if (!first || rest.includes(undefined)) return 'target_not_allowed'
    const everywhere = [...first].filter((scope) => rest.every((scopes) => scopes?.has(scope)))
    const scope = wanted.scope ?? everywhere
    if (!scope.every((value) => everywhere.includes(value))) return 'scope_not_allowed'
    return { targets, scope }
  }
}
