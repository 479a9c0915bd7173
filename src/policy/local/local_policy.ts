import { DocumentFault, parseYaml, type Fault } from '../../config/document.ts'
import type { FileContent } from '../../platform/watched.ts'
import { localFaults, type Definition } from './faults.ts'
import { localRuleOf, type LocalRule } from './rule.ts'
import { localPolicySchema, type WorkloadEntry } from './schema.ts'
import {
  accountKey,
  accountOf,
  fixedAccount,
  selectorOf,
  selects,
  type Selector,
} from './selector.ts'

interface OpenRule {
  readonly selector: Selector
  readonly rule: LocalRule
}

/** The rules of a broker's own configuration: which workload it asks for what, beneath the authority's policy. */
export class LocalPolicy {
  /** Rules that mean one account, by that account. */
  readonly #fixed = new Map<string, LocalRule>()
  /** All others, in their order. */
  readonly #open: OpenRule[] = []

  private constructor(entries: readonly WorkloadEntry[]) {
    for (const entry of entries) {
      const selector = selectorOf(entry)
      const rule = localRuleOf(entry)
      const account = fixedAccount(selector)
      if (account) this.#fixed.set(accountKey(account), rule)
      else this.#open.push({ selector, rule })
    }
  }

  /**
   * Merges policy files in the order given. Of several files those count whose names say that they are YAML or JSON: an
   * editor's backup is none.
   * @throws DocumentFault with every fault of every file. A broken file refuses the whole: without its rules a later and
   * wider one would fit its workloads.
   */
  static parse(contents: readonly FileContent[]): LocalPolicy {
    const faults: Fault[] = []
    const definitions: Definition[] = []
    for (const { path, bytes } of policyFiles(contents)) {
      try {
        const { workloads } = parseYaml(bytes.toString('utf8'), localPolicySchema)
        workloads.forEach((entry, index) => {
          definitions.push({ at: `${path}: workloads[${String(index)}]`, entry })
        })
      } catch (error) {
        if (!(error instanceof DocumentFault)) throw error
        faults.push(...error.faults.map((fault) => inFile(path, fault)))
      }
    }
    faults.push(...localFaults(definitions))
    if (faults.length > 0) throw new DocumentFault(faults)
    return new LocalPolicy(definitions.map(({ entry }) => entry))
  }

  /**
   * The rule of a workload by the `sub` of its proof; undefined: it is given nothing. A `sub` that is no service account of
   * Kubernetes is fitted only by a rule that names neither namespace nor service account.
   */
  ruleFor(subject: string): LocalRule | undefined {
    const account = accountOf(subject)
    // No earlier rule can fit this account: `parse` refuses a rule that another one hides.
    const fixed = account && this.#fixed.get(accountKey(account))
    return fixed ?? this.#open.find(({ selector }) => selects(selector, account))?.rule
  }
}

function policyFiles(contents: readonly FileContent[]): readonly FileContent[] {
  const named = contents.filter(({ path }) => /\.(ya?ml|json)$/.test(path))
  if (named.length > 0) return named
  if (contents.length === 1) return contents
  const message = 'there is no local policy file (.yaml, .yml, .json)'
  throw new DocumentFault([{ path: '', message }])
}

function inFile(path: string, { path: within, message }: Fault): Fault {
  return { path: within === '' ? path : `${path}: ${within}`, message }
}
