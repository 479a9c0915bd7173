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

type ScopesAt = (target: string | undefined) => ReadonlySet<string> | undefined

/**
 * The widest that a token may be: which scopes at which target. The one place where a target or a scope is allowed, for
 * every grant: a sibling path with a check of its own is how products came to mint beyond their policy. Ceilings are only
 * ever lowered onto one another.
 */
export class Ceiling {
  /** Undefined: not there at all. */
  readonly #at: ScopesAt
  readonly #maxTargets: number

  private constructor(at: ScopesAt, maxTargets: number) {
    this.#at = at
    this.#maxTargets = maxTargets
  }

  /** Of an agent or a client: its pairs. A request without target is always possible, if for nothing. */
  static of(pairs: readonly GrantPair[], maxTargets: number): Ceiling {
    const scopes = new Map<string | undefined, Set<string>>([[undefined, new Set()]])
    for (const { target, scopes: more } of pairs) {
      const known = scopes.get(target) ?? new Set()
      for (const scope of more) known.add(scope)
      scopes.set(target, known)
    }
    return new Ceiling((target) => scopes.get(target), maxTargets)
  }

  /**
   * What an agent or a client may hold on behalf of others: of its own pairs those scopes that it may hold for others at
   * all. Without target that is each of them: such a token is only good for being narrowed to a target.
   */
  static onBehalf(
    pairs: readonly GrantPair[],
    delegated: readonly string[],
    maxTargets: number,
  ): Ceiling {
    const all = new Set(delegated)
    const own = Ceiling.of(pairs, maxTargets)
    return new Ceiling((target) => {
      if (target === undefined) return all
      const there = own.#at(target)
      return there && all.intersection(there)
    }, maxTargets)
  }

  /** Of something that was granted already: its scope, at its targets and no others; without targets, wherever else allows it. */
  static held(scope: Scope, targets: readonly string[]): Ceiling {
    const all = new Set(scope)
    const listed = new Set(targets)
    const at: ScopesAt = (target) => {
      const there = listed.size === 0 || (target !== undefined && listed.has(target))
      return there ? all : undefined
    }
    return new Ceiling(at, Infinity)
  }

  /** What both allow. */
  within(other: Ceiling): Ceiling {
    return new Ceiling(
      (target) => {
        const [one, two] = [this.#at(target), other.#at(target)]
        return one && two && one.intersection(two)
      },
      Math.min(this.#maxTargets, other.#maxTargets),
    )
  }

  /**
   * What of a wish is allowed: all of it or nothing. A token for several targets holds only scopes that may be had at each
   * of them, because each of them will read all of its scopes.
   */
  allow(wanted: Wanted): Allowed | Excess {
    const { targets } = wanted
    if (targets.length > this.#maxTargets) return 'targets_too_many'
    const perTarget = (targets.length === 0 ? [undefined] : targets).map((target) =>
      this.#at(target),
    )
    const [first, ...rest] = perTarget
    if (!first || rest.includes(undefined)) return 'target_not_allowed'
    const everywhere = [...first].filter((scope) => rest.every((scopes) => scopes?.has(scope)))
    const scope = wanted.scope ?? everywhere
    if (!scope.every((value) => everywhere.includes(value))) return 'scope_not_allowed'
    return { targets, scope }
  }
}
