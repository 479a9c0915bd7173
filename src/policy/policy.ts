import type { WorkloadIdentity } from '../verifier/identity.ts'
import type { Ceiling } from './ceiling.ts'
import { matchesPattern, type Pattern } from './pattern.ts'

/** Which proofs are an agent's. */
export interface ProofRule {
  readonly provider: string
  readonly namespace: Pattern
  readonly serviceAccount: Pattern
  /** Uid of the service account. */
  readonly uid: string | undefined
}

/** What a proven workload may become. */
export interface Agent {
  readonly name: string
  readonly sub: string
  readonly clientId: string
  readonly rule: ProofRule
  readonly ceiling: Ceiling
  readonly lifetimeSeconds: number
}

/** A compiled trust policy: who may become what, and nobody else anything. */
export class Policy {
  /** Agents whose rule has no star, by what they name; most policies have no others. */
  readonly #exact = new Map<string, Agent[]>()
  readonly #patterned: Agent[] = []
  readonly #agents: readonly Agent[]

  constructor(agents: readonly Agent[]) {
    this.#agents = agents
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

function fits(rule: ProofRule, identity: WorkloadIdentity): boolean {
  return (
    rule.provider === identity.provider &&
    matchesPattern(rule.namespace, identity.namespace) &&
    matchesPattern(rule.serviceAccount, identity.serviceAccount.name)
  )
}

/** Namespaces and account names hold no slash, so the text of one triple is that of no other. */
function keyOf(provider: string, namespace: string, serviceAccount: string): string {
  return `${namespace}/${serviceAccount}/${provider}`
}
