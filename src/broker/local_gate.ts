import type { LocalPolicy } from '../policy/local/local_policy.ts'
import type { LocalRule } from '../policy/local/rule.ts'
import { parseScope } from '../oauth/scope.ts'
import type { Log } from '../platform/log.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { Workload } from './caller/workload.ts'
import { BrokerError, type BrokerErrorCode } from './errors.ts'
import { wishFor, type Wish } from './wish.ts'

export interface LocalLimits {
  readonly exchangesPerMinute: number
  readonly audiencesPerHour: number
}

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

  /** Before an exchange: whether the request itself is allowed. */
  denies(workload: Workload, wish: Wish): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    if (rule === 'any') return undefined
    const code = rule ? rule.denies(wantedOf(wish)) : 'workload_not_allowed'
    return code && this.#deny(code, rule)
  }

  /** After an exchange: a token that reaches further than the policy is never served. */
  deniesGranted(
    workload: Workload,
    wish: Wish,
    scope: string | undefined,
  ): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    if (rule === 'any') return undefined
    // What cannot be read is not known, and never as good as none.
    const granted = scope === '' ? [] : scope === undefined ? undefined : parseScope(scope)
    const code = rule ? rule.deniesGranted(wantedOf(wish), granted) : 'workload_not_allowed'
    return code && this.#deny(code, rule)
  }

  /** Counts an exchange that somebody asked for; of the budget that is named, where it is not the workload's own. */
  spend(workload: Workload, wish: Wish, budget = workload.budget): BrokerError | undefined {
    const rule = this.#ruleFor(workload)
    const exceeded = budget.spend(wantedOf(wish).targets, this.#limitsOf(rule))
    if (!exceeded) return undefined
    return this.#deny(exceeded.code, rule, exceeded.retryAfterSeconds)
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
    return exact.map(({ audience, scopes }) =>
      wishFor({
        audiences: audience === undefined ? [] : [audience],
        resources: [],
        scope: scopes,
        agent: undefined,
      }),
    )
  }

  /** Drops what a changed policy no longer allows. */
  review(workload: Workload): void {
    const { tokens } = workload
    for (const [key, servable] of tokens.values()) {
      const denied =
        this.denies(workload, servable.wish) ??
        this.deniesGranted(workload, servable.wish, servable.scope)
      if (denied) tokens.refuse(key, denied, tokens.ask())
    }
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
    return {
      exchangesPerMinute: rule.exchangesPerMinute ?? limits.exchangesPerMinute,
      audiencesPerHour: rule.audiencesPerHour ?? limits.audiencesPerHour,
    }
  }

  #deny(
    code: Extract<BrokerErrorCode, `${string}_not_allowed` | `${string}_exhausted`>,
    rule: LocalRule | 'any' | undefined,
    retryAfterSeconds?: number,
  ): BrokerError {
    const { log, metrics } = this.#dependencies
    metrics.tally('localDenials', { reason: code }).add()
    log.warn('the local policy denied a request', {
      event: 'local.denied',
      reason: code,
      rule: rule === 'any' ? undefined : rule?.name,
    })
    return new BrokerError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds })
  }
}

function wantedOf({ audiences, resources, scope }: Wish) {
  return { targets: [...audiences, ...resources], scope }
}
