import type { WorkloadIdentity } from '../verifier/identity.ts'
import type { Ceiling } from './ceiling.ts'
import { compilePattern, matchesPattern, type Pattern } from './pattern.ts'
import type { ProofRuleEntry } from '../config/proof_rule.ts'

/** Which proofs are an agent's. */
export interface ProofRule {
  readonly provider: string
  readonly namespace: Pattern
  readonly serviceAccount: Pattern
  /** Uid of the service account. */
  readonly uid: string | undefined
}

export function compileRule(entry: ProofRuleEntry): ProofRule {
  return {
    provider: entry.provider,
    namespace: compilePattern(entry.namespace),
    serviceAccount: compilePattern(entry.serviceAccount),
    uid: entry.uid,
  }
}

/** How far somebody may act for others. */
export interface Delegation {
  readonly ceiling: Ceiling
  /** The longest chain of actors that it may become the end of. */
  readonly maxDepth: number
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
  readonly capabilities: readonly string[]
  /** Undefined: it may not act for others. */
  readonly delegation: Delegation | undefined
}

/** A compiled trust policy: who may become what, and nobody else anything. */
export class Policy {
  /** Agents whose rule has no star, by what they name; most policies have no others. */
  readonly #exact = new Map<string, Agent[]>()
  readonly #patterned: Agent[] = []
  readonly #agents: readonly Agent[]
  readonly #byClientId: ReadonlyMap<string, Agent>
  readonly #bySub: ReadonlyMap<string, Agent>

  constructor(agents: readonly Agent[]) {
    this.#agents = agents
    this.#byClientId = new Map(agents.map((agent) => [agent.clientId, agent]))
    this.#bySub = new Map(agents.map((agent) => [agent.sub, agent]))
    for (const agent of agents) {
      const { provider, namespace, serviceAccount } = agent.rule
      const [literalNamespace, ...moreNamespace] = namespace.pieces
      const [literalAccount, ...moreAccount] = serviceAccount.pieces
      if (moreNamespace.length > 0 || moreAccount.length > 0) this.#patterned.push(agent)
      else {
        const key = keyOf(provider, literalNamespace ?? '', literalAccount ?? '')
        this.#exact.set(key, [...(this.#exact.get(key) ?? []), agent])
      }
    }
  }

  get size(): number {
    return this.#agents.length
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
    return this.#agents.find((agent) => agent.name === name)
  }

  /** Whether this is the `client_id` or the `sub` of an agent. */
  names(id: string): boolean {
    return this.#byClientId.has(id) || this.#bySub.has(id)
  }

  /**
   * The one agent that a workload is. Where its proof fits several, `clientId` has to name one of them: picking one for the
   * caller would make the order of a file a security decision.
   */
  match(identity: WorkloadIdentity, clientId: string | undefined): Agent | 'none' | 'ambiguous' {
    const { provider, namespace, serviceAccount } = identity
    const fitting = [
      ...(this.#exact.get(keyOf(provider, namespace, serviceAccount.name)) ?? []),
      ...this.#patterned.filter((agent) => fits(agent.rule, identity)),
    ].filter(
      ({ rule, clientId: own }) =>
        (rule.uid === undefined || rule.uid === serviceAccount.uid) &&
        (clientId === undefined || clientId === own),
    )
    const [agent, ...others] = fitting
    if (!agent) return 'none'
    return others.length > 0 ? 'ambiguous' : agent
  }
}

/** Whether a proof is one that a rule means. */
export function fits(rule: ProofRule, identity: WorkloadIdentity): boolean {
  return (
    rule.provider === identity.provider &&
    matchesPattern(rule.namespace, identity.namespace) &&
    matchesPattern(rule.serviceAccount, identity.serviceAccount.name) &&
    (rule.uid === undefined || rule.uid === identity.serviceAccount.uid)
  )
}

/** Namespaces and account names hold no slash, so the text of one triple is that of no other. */
function keyOf(provider: string, namespace: string, serviceAccount: string): string {
  return `${namespace}/${serviceAccount}/${provider}`
}
