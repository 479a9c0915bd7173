import type { LocalPolicy } from '../policy/local/local_policy.ts'
import type { LocalRule } from '../policy/local/rule.ts'
import type { SubjectKey } from '../policy/local/subject_key.ts'
import { fitsScope, parseScope } from '../oauth/scope.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError, type BrokerErrorCode, type BrokerErrorDetails } from './errors.ts'
import { limitsUnder, type LocalLimits } from './local_limits.ts'
import { changedWish, wishFor, type Wish } from './wish.ts'

/** Whose counts an exchange is counted by. */
type Account = Pick<Workload, 'budget' | 'delegations'>

export interface LocalGateDependencies {
  /** The policy as it is now; undefined: there is none, and the authority's alone counts. */
  readonly policy: () => LocalPolicy | undefined
  readonly limits: LocalLimits
  readonly log: Log
  readonly metrics: Metrics
}

/**
 * What a workload may ask for here, on top of what the authority allows: so that an agent that was talked into misbehaving
 * cannot try every audience there is. Asked before an exchange and after it, never on the way from the cache.
 */
export class LocalGate {
  readonly #dependencies: LocalGateDependencies

  constructor(dependencies: LocalGateDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * The request as the authority is asked: what it leaves open is what the policy says, so that a workload with less than
   * its agent gets a token for less, and no refusal. What it names is left as it is.
   */
  completes(workload: Workload, wish: Wish): Wish {
    const rule = this.#ruleFor(workload)
    return rule === undefined || rule === 'any' ? wish : completed(wish, rule)
  }

  /** Whether there is no policy: what the authority gives may be had. */
  get isOpen(): boolean {
    return this.#dependencies.policy() === undefined
  }

  /** Before an exchange: whether the request itself is allowed. */
  denies(workload: Workload, wish: Wish): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    if (rule === 'any') return undefined
    const code = rule ? rule.denies(wantedOf(completed(wish, rule))) : 'workload_not_allowed'
    return code && this.#deny(code, rule)
  }

  /** After an exchange: a token that reaches further than the policy is never served. `asked`: what it was asked for with. */
  deniesGranted(
    workload: Workload,
    asked: Wish,
    scope: string | undefined,
  ): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    if (rule === 'any') return undefined
    const code = rule
      ? rule.deniesGranted(wantedOf(asked), grantedOf(scope))
      : 'workload_not_allowed'
    return code && this.#deny(code, rule)
  }

  /** What of a scope that was granted the policy allows, where that is less, and something. */
  commonScope(
    workload: Workload,
    asked: Wish,
    scope: string | undefined,
  ): readonly string[] | undefined {
    const rule = this.#ruleFor(workload)
    const granted = grantedOf(scope)
    if (rule === undefined || rule === 'any' || !granted) return undefined
    const allowed = rule.scopesAt(wantedOf(asked).targets)
    const common = granted.filter((value) => allowed?.includes(value) ?? true)
    return common.length === granted.length || common.length === 0 ? undefined : common
  }

  /** Counts an exchange that somebody asked for; of the budget that is named, where it is not the workload's own. */
  spend(workload: Workload, wish: Wish, budget = workload.budget): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    const { targets } = wantedOf(this.completes(workload, wish))
    const exceeded = budget.spend(targets, this.#limitsOf(rule))
    if (!exceeded) return undefined
    return this.#deny(exceeded.code, rule, exceeded)
  }

  /** Whether a token may be had that names so many actors; 0: it is for nobody else, and this denies nothing. */
  deniesDelegation(workload: Workload, depth: number): BrokerError | undefined {
    if (depth === 0) return undefined
    const rule = this.#ruleFor(workload)
    if (rule === undefined) return this.#deny('workload_not_allowed', rule)
    const { actDepth } = this.#limitsOf(rule)
    if (depth <= actDepth) return undefined
    if (actDepth === 0) return this.#deny('delegation_not_allowed_here', rule)
    return this.#deny('delegation_too_deep', rule, { members: { max_depth: actDepth } })
  }

  /** Whether the workload acts for too many others to act for this subject as well. Takes nothing. */
  deniesSubject(
    workload: Workload,
    subject: SubjectKey,
    { delegations }: Pick<Account, 'delegations'> = workload,
  ): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    const exceeded = delegations.refuses(subject, this.#limitsOf(rule))
    return exceeded && this.#deny(exceeded.code, rule, exceeded)
  }

  /** Counts an exchange for a subject, as one for it and as one of the workload's: both or neither. */
  spendForSubject(
    workload: Workload,
    wish: Wish,
    subject: SubjectKey,
    { budget, delegations }: Account = workload,
  ): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    const limits = this.#limitsOf(rule)
    const { targets } = wantedOf(this.completes(workload, wish))
    const exceeded = delegations.spend(subject, limits, () => budget.spend(targets, limits))
    return exceeded && this.#deny(exceeded.code, rule, exceeded)
  }

  /** What the workload may ask for, for people who ask. */
  allowedTo(workload: Workload): {
    readonly allow: LocalRule['allow'] | null
    readonly limits: LocalLimits
  } {
    const rule = this.#ruleFor(workload)
    if (rule === undefined) return { allow: [], limits: this.#limitsOf(rule) }
    return {
      allow: rule === 'any' ? null : (rule.allow ?? null),
      limits: this.#limitsOf(rule),
    }
  }

  /** Requests that the policy allows, where it leaves out those without a target; none where none can be told from it. */
  sampleWishes(workload: Workload): readonly Wish[] {
    const rule = this.#ruleFor(workload)
    if (rule === undefined || rule === 'any') return []
    const exact = (rule.allow ?? []).filter(({ audience }) => !(audience ?? '').includes('*'))
    return exact.map(({ audience }) =>
      wishFor({
        audiences: audience === undefined ? [] : [audience],
        resources: [],
        scope: undefined,
        agent: undefined,
      }),
    )
  }

  /** Drops what a changed policy no longer allows. */
  review(workload: Workload): void {
    const { tokens } = workload
    for (const [key, { wish, asked, scope }] of tokens.values()) {
      const denied = this.denies(workload, wish)
      if (denied) tokens.refuse(key, denied, tokens.ask())
      else if (!this.means(workload, wish, asked)) tokens.drop(key)
      else {
        const tooWide = this.deniesGranted(workload, asked, scope)
        // Where no scope was named, one for less can be had.
        if (tooWide && !wish.scope) tokens.drop(key)
        else if (tooWide) tokens.refuse(key, tooWide, tokens.ask())
      }
    }
  }

  /** Whether a wish means the same target and agent now as when the authority was asked. */
  means(workload: Workload, wish: Wish, asked: Wish): boolean {
    const { audiences, agent } = this.completes(workload, wish)
    return agent === asked.agent && audiences.join(' ') === asked.audiences.join(' ')
  }

  /** `any`: there is no local policy. Undefined: there is one, and no rule of it fits. */
  #ruleFor({ proofs }: Workload): LocalRule | 'any' | undefined {
    const policy = this.#dependencies.policy()
    if (!policy) return 'any'
    const sub = proofs.last()?.subject.sub
    return sub === undefined ? undefined : policy.ruleFor(sub)
  }

  #limitsOf(rule: LocalRule | 'any' | undefined): LocalLimits {
    const { limits } = this.#dependencies
    if (rule === undefined || rule === 'any') return limits
    return limitsUnder(rule, limits)
  }

  #deny(
    code: Extract<
      BrokerErrorCode,
      `${string}_not_allowed` | `${string}_exhausted` | `delegation_${string}`
    >,
    rule: LocalRule | 'any' | undefined,
    details: Pick<BrokerErrorDetails, 'retryAfterSeconds' | 'members'> = {},
  ): BrokerError {
    const { log, metrics } = this.#dependencies
    metrics.tally('localDenials', { reason: code }).add()
    log.warn('the local policy denied a request', {
      event: 'local.denied',
      reason: code,
      rule: rule === 'any' ? undefined : rule?.name,
    })
    return new BrokerError(code, details)
  }
}

function completed(wish: Wish, rule: LocalRule): Wish {
  const { defaults } = rule
  const { audiences, resources, scope, agent } = wish
  const isOpen = audiences.length === 0 && resources.length === 0
  const targets =
    isOpen && defaults.audience !== undefined ? [defaults.audience] : [...audiences, ...resources]
  const allowed = scope ? undefined : rule.scopesAt(targets)
  return changedWish(wish, {
    ...(isOpen && { audiences: targets }),
    agent: agent ?? defaults.agent,
    // None at all cannot be asked for (RFC 6749 section 3.3), nor more than a request holds: what comes is judged.
    ...(allowed && allowed.length > 0 && fitsScope(allowed) && { scope: allowed }),
  })
}

/** What cannot be read is not known, and never as good as none. */
function grantedOf(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  return scope === '' ? [] : parseScope(scope)
}

function wantedOf({ audiences, resources, scope }: Wish) {
  return { targets: [...audiences, ...resources], scope }
}
