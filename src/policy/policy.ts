import { matchesPattern, type Pattern } from '../platform/pattern.ts'
import type { WorkloadIdentity } from '../verifier/identity.ts'
import type { Ceiling } from './ceiling.ts'
import type { ProofRule } from './rule.ts'
import { RuleIndex } from './rule_index.ts'

/** How far somebody may act for others. */
export interface Delegation {
  readonly ceiling: Ceiling
  /** The longest chain of actors that it may become the end of. */
  readonly maxDepth: number
  /** Whose `sub`; undefined: anybody's who agrees. */
  readonly subjects: readonly Pattern[] | undefined
  /** Tokens on behalf of one subject. */
  readonly perSubjectPerHour: number | undefined
}

/** Whether it may act for this subject, as far as the policy goes; the subject has to agree besides. */
export function mayActFor(delegation: Delegation | undefined, sub: string): boolean {
  if (!delegation) return false
  const { subjects } = delegation
  return !subjects || subjects.some((pattern) => matchesPattern(pattern, sub))
}

/** What a proven workload may become. */
export interface Agent {
  /** What LumoAuth's clients know it by: the same for as long as it has its name. */
  readonly id: string
  readonly name: string
  readonly sub: string
  readonly clientId: string
  readonly rule: ProofRule
  readonly ceiling: Ceiling
  readonly lifetimeSeconds: number
  /** Of all its workloads together. */
  readonly exchangesPerMinute: number | undefined
  readonly capabilities: readonly string[]
  /** Undefined: it may not act for others. */
  readonly delegation: Delegation | undefined
}

/** A compiled trust policy: who may become what, and nobody else anything. */
export class Policy {
  readonly agents: readonly Agent[]
  readonly #index: RuleIndex<Agent>
  readonly #byClientId: ReadonlyMap<string, Agent>
  readonly #bySub: ReadonlyMap<string, Agent>

  constructor(agents: readonly Agent[]) {
    this.agents = agents
    this.#index = new RuleIndex(agents)
    this.#byClientId = new Map(agents.map((agent) => [agent.clientId, agent]))
    this.#bySub = new Map(agents.map((agent) => [agent.sub, agent]))
  }

  get size(): number {
    return this.agents.length
  }

  /** The agent of a `client_id`. */
  ofClient(clientId: string): Agent | undefined {
    return this.#byClientId.get(clientId)
  }

  /** The agent of a `sub`. */
  ofSubject(sub: string): Agent | undefined {
    return this.#bySub.get(sub)
  }

  /** The agent of this name. */
  named(name: string): Agent | undefined {
    return this.agents.find((agent) => agent.name === name)
  }

  /** Whether this is the `client_id` or the `sub` of an agent. */
  names(id: string): boolean {
    return this.#byClientId.has(id) || this.#bySub.has(id)
  }

  /** Every agent that a proof fits. */
  fitting(identity: WorkloadIdentity): readonly Agent[] {
    return this.#index.fitting(identity)
  }

  /**
   * The one agent that a workload is. Where its proof fits several, `clientId` has to name one of them: picking one for the
   * caller would make the order of a file a security decision.
   */
  match(identity: WorkloadIdentity, clientId: string | undefined): Agent | 'none' | 'ambiguous' {
    const fitting = this.fitting(identity).filter(
      (agent) => clientId === undefined || clientId === agent.clientId,
    )
    const [agent, ...others] = fitting
    if (!agent) return 'none'
    return others.length > 0 ? 'ambiguous' : agent
  }
}
