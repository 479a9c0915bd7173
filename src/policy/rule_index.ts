import type { WorkloadIdentity } from '../verifier/identity.ts'
import { attributeOf, fits, type Attribute, type ProofRule } from './rule.ts'

interface Ruled {
  readonly rule: ProofRule
}

/**
 * What tells workloads apart, the best first. A rule lies under the first of these groups that it fixes to texts without a
 * star, so that a look-up tries only rules that share them, however many rules there are.
 */
const groups: readonly (readonly Attribute[])[] = [
  ['namespace', 'serviceAccount'],
  ['arn'],
  ['tid', 'oid'],
  ['sub'],
  ['namespace'],
  ['serviceAccount'],
]

/** Finds the rules that a proof fits. Only rules whose every telling attribute has a star are tried each time. */
export class RuleIndex<T extends Ruled> {
  readonly #fixed = new Map<string, T[]>()
  readonly #starred = new Map<string, T[]>()

  constructor(entries: readonly T[]) {
    for (const entry of entries) {
      const key = groups.map((group) => fixedBy(entry.rule, group)).find((key) => key !== undefined)
      if (key === undefined) append(this.#starred, entry.rule.provider, entry)
      else append(this.#fixed, key, entry)
    }
  }

  /** Every entry whose rule the proof fits. */
  fitting(identity: WorkloadIdentity): readonly T[] {
    const found: T[] = []
    for (const group of groups) {
      const key = saidOf(identity, group)
      const sharing = key === undefined ? undefined : this.#fixed.get(key)
      for (const entry of sharing ?? []) if (fits(entry.rule, identity)) found.push(entry)
    }
    for (const entry of this.#starred.get(identity.provider) ?? []) {
      if (fits(entry.rule, identity)) found.push(entry)
    }
    return found
  }
}

function append<T>(lists: Map<string, T[]>, key: string, entry: T): void {
  const list = lists.get(key)
  if (list) list.push(entry)
  else lists.set(key, [entry])
}

function fixedBy(
  { provider, conditions }: ProofRule,
  group: readonly Attribute[],
): string | undefined {
  return keyOf(
    provider,
    group,
    (attribute) =>
      conditions.find((condition) => condition.attribute === attribute)?.pattern.literal,
  )
}

function saidOf(identity: WorkloadIdentity, group: readonly Attribute[]): string | undefined {
  return keyOf(identity.provider, group, (attribute) => attributeOf(identity, attribute))
}

/** Two keys that are the same text cost a look, no more: what is found is tried in full. */
function keyOf(
  provider: string,
  group: readonly Attribute[],
  valueOf: (attribute: Attribute) => string | undefined,
): string | undefined {
  let key = provider
  for (const attribute of group) {
    const value = valueOf(attribute)
    if (value === undefined) return undefined
    key += ` ${attribute} ${value}`
  }
  return key
}
