import type { WorkloadIdentity } from '../verifier/identity.ts'
import type { Agent, Policy } from './policy.ts'
import { attributeOf, holds, type Condition } from './rule.ts'

/** What one rule says to a proof. */
interface Account {
  readonly agent: Agent
  /** The conditions that the proof does not meet; none: it fits. */
  readonly unmet: readonly Condition[]
}

/** Why a proof is which agent, or none. */
export interface Explanation {
  /** One line for each rule of the provider, those that fit first, then the nearest. */
  readonly lines: readonly string[]
  /** What the nearest rule that does not fit asks for first, or `provider` where the provider has no rule. */
  readonly mismatch: string | undefined
}

/**
 * Goes through the rules of the proof's provider one by one, the first `maxRules` of them: where it is done for every proof
 * that is nobody, it must not grow with the policy, for everybody else waits meanwhile. Everything in the lines is the
 * operator's own text or was verified.
 */
export function explainMatch(
  policy: Policy,
  identity: WorkloadIdentity,
  { maxRules = Infinity, maxLines = Infinity } = {},
): Explanation {
  const accounts: Account[] = []
  for (const agent of policy.agents) {
    if (agent.rule.provider !== identity.provider) continue
    if (accounts.length >= maxRules) break
    const unmet = agent.rule.conditions.filter((condition) => !holds(condition, identity))
    accounts.push({ agent, unmet })
  }
  accounts.sort((one, two) => one.unmet.length - two.unmet.length)
  const nearest = accounts.find(({ unmet }) => unmet.length > 0)
  return {
    lines: accounts.slice(0, maxLines).map((account) => lineOf(account, identity)),
    mismatch: nearest ? nameOf(nearest.unmet[0]) : accounts.length === 0 ? 'provider' : undefined,
  }
}

function lineOf({ agent, unmet }: Account, identity: WorkloadIdentity): string {
  if (unmet.length === 0) return `agent ${agent.name}: fits`
  const wants = unmet.map(({ attribute, pattern }) => {
    const value = attributeOf(identity, attribute)
    const said = value === undefined ? 'does not say it' : `has ${JSON.stringify(value)}`
    return `${attribute} must be ${JSON.stringify(pattern.source)}, the proof ${said}`
  })
  return `agent ${agent.name}: does not fit: ${wants.join('; ')}`
}

/** Of a closed set: the name of a claim is left out. */
function nameOf(condition: Condition | undefined): string | undefined {
  return condition?.attribute.startsWith('claims.') === true ? 'claims' : condition?.attribute
}
