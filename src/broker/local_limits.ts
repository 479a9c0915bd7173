import type { DelegationLimits } from '../policy/local/delegation_budget.ts'
import type { BudgetLimits } from '../policy/local/budget.ts'
import type { LocalRule } from '../policy/local/rule.ts'

/** How much one workload may ask for here. */
export interface LocalLimits extends BudgetLimits, DelegationLimits {
  /** The most levels of `act` that a token may have; 0: the workload acts for nobody. */
  readonly actDepth: number
}

/** What a rule says, and the limits of the configuration where it says nothing. */
export function limitsUnder(rule: LocalRule, limits: LocalLimits): LocalLimits {
  const { delegation } = rule
  return {
    exchangesPerMinute: rule.exchangesPerMinute ?? limits.exchangesPerMinute,
    audiencesPerHour: rule.audiencesPerHour ?? limits.audiencesPerHour,
    actDepth: delegation.maxDepth ?? limits.actDepth,
    subjectsAtOnce: delegation.subjects ?? limits.subjectsAtOnce,
    exchangesPerSubjectPerMinute:
      delegation.exchangesPerMinute ?? limits.exchangesPerSubjectPerMinute,
  }
}
