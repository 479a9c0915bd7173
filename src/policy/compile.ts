import { hash } from 'node:crypto'
import { Compile } from 'typebox/compile'
import { DocumentFault, type Fault, type IsSound } from '../config/document.ts'
import type { DelegationEntry } from '../config/delegation.ts'
import type { WrittenDocument } from '../config/documents_in.ts'
import { parseEntries } from '../config/entries.ts'
import { grantFaults, type GrantEntries } from '../config/grants.ts'
import { compilePattern } from '../platform/pattern.ts'
import { Ceiling } from './ceiling.ts'
import { proofRuleFaults, type ProvenKind } from '../config/proof_rule.ts'
import { Policy, type Agent, type Delegation } from './policy.ts'
import { compileRule } from './rule.ts'
import { policySchema, type AgentEntry } from './schema.ts'

/** What a policy has to agree with. */
export interface PolicySurroundings {
  /** What the tenant's providers prove, by name. */
  readonly providers: ReadonlyMap<string, ProvenKind>
  /** Ids of the tenant's registered clients and users: no agent may take one. */
  readonly takenIds: readonly string[]
}

export interface CompiledPolicy {
  readonly policy: Policy
  /** Definitions that were left out because two of them claim the same; the rest of the policy holds. */
  readonly conflicts: readonly Fault[]
}

interface Definition {
  readonly at: string
  readonly entry: AgentEntry
}

const entryList = { list: 'agents', calledBy: 'name' }

/**
 * Compiles policy files, merged. A file that is broken refuses the whole; two definitions of the same agent, `sub` or
 * `client_id` refuse each other and nothing else, so that whoever may write one of several ConfigMaps can neither take an
 * agent over nor put everybody out of work.
 * @throws DocumentFault with every fault of every file
 */
export function compilePolicy(
  files: readonly WrittenDocument[],
  surroundings: PolicySurroundings,
): CompiledPolicy {
  const faults: Fault[] = []
  const definitions: Definition[] = []
  for (const file of files) {
    try {
      const { agents } = parseEntries(file, policySchema, entryList, checkFor(file.text))
      agents.forEach((entry, index) => {
        definitions.push({ at: `${file.path}: agents[${String(index)}]`, entry })
      })
    } catch (error) {
      if (!(error instanceof DocumentFault)) throw error
      faults.push(...error.faults)
    }
  }
  for (const definition of definitions) faults.push(...ruleFaults(definition, surroundings))
  if (faults.length > 0) throw new DocumentFault(faults)
  const { kept, conflicts } = withoutConflicts(definitions, surroundings)
  return { policy: new Policy(kept.map(({ entry }) => agentOf(entry))), conflicts }
}

/** In characters, some hundred agents. */
const LARGE = 50_000

/** Compiling the schema costs some milliseconds and saves a large policy a second; a small one is checked sooner without. */
function checkFor(text: string): IsSound | undefined {
  if (text.length < LARGE) return undefined
  const compiled = Compile(policySchema)
  return (value) => compiled.Check(value)
}

/** What the schema cannot say. */
function ruleFaults(
  { at, entry }: Definition,
  { providers }: PolicySurroundings,
): readonly Fault[] {
  const { proof } = entry
  const faults = [...grantFaults(entry.grants, `${at}.grants`)]
  const kind = providers.get(proof.provider)
  if (!kind) {
    faults.push({
      path: `${at}.proof.provider`,
      message: 'the tenant has no provider of this name',
    })
  }
  faults.push(...proofRuleFaults(proof, kind, `${at}.proof`))
  return faults.map((fault) => ({ ...fault, entry: entry.name }))
}

function withoutConflicts(
  definitions: readonly Definition[],
  { takenIds }: PolicySurroundings,
): { readonly kept: readonly Definition[]; readonly conflicts: readonly Fault[] } {
  const claims = new Map<string, number>(takenIds.map((id) => [`id:${id}`, 1]))
  const identifiers = ({ entry }: Definition): readonly string[] => [
    `agent:${entry.name}`,
    ...new Set([`id:${subOf(entry)}`, `id:${clientIdOf(entry)}`]),
  ]
  for (const definition of definitions) {
    for (const id of identifiers(definition)) claims.set(id, (claims.get(id) ?? 0) + 1)
  }
  const contested = (definition: Definition): boolean =>
    identifiers(definition).some((id) => (claims.get(id) ?? 0) > 1)
  return {
    kept: definitions.filter((definition) => !contested(definition)),
    conflicts: definitions.filter(contested).map(({ at, entry }) => ({
      path: at,
      entry: entry.name,
      message: 'its name, sub or client id is claimed more than once, so this agent is left out',
    })),
  }
}

function agentOf(entry: AgentEntry): Agent {
  return {
    id: `agt_${hash('sha256', entry.name, 'hex').slice(0, 24)}`,
    name: entry.name,
    sub: subOf(entry),
    clientId: clientIdOf(entry),
    rule: compileRule(entry.proof),
    ceiling: Ceiling.of(entry.grants, entry.maxTargets),
    lifetimeSeconds: entry.lifetime,
    exchangesPerMinute: entry.exchangesPerMinute,
    capabilities: entry.capabilities,
    delegation: delegationOf(entry),
  }
}

/** How far the owner of some pairs may act for others; nowhere, where nothing says that it may. */
export function delegationOf({
  grants,
  delegation,
  maxTargets,
}: {
  readonly grants: GrantEntries
  readonly delegation?: DelegationEntry | undefined
  readonly maxTargets: number
}): Delegation | undefined {
  if (!delegation) return undefined
  return {
    ceiling: Ceiling.onBehalf(grants, delegation.scopes, maxTargets),
    maxDepth: delegation.maxDepth,
    subjects: delegation.subjects?.map((text) => compilePattern(text)),
    perSubjectPerHour: delegation.perSubjectPerHour,
  }
}

function subOf(entry: AgentEntry): string {
  return entry.sub ?? `agent:${entry.name}`
}

function clientIdOf(entry: AgentEntry): string {
  return entry.clientId ?? entry.name
}
