import type { ProofRuleEntry } from '../config/proof_rule.ts'
import {
  compilePathPattern,
  compilePattern,
  matchesPattern,
  type Pattern,
} from '../platform/pattern.ts'
import type { WorkloadIdentity } from '../verifier/identity.ts'

/** What a rule can look at, by the names that operators write; `claims.` and a name for a claim of an OpenID Connect issuer. */
export type Attribute =
  | 'namespace'
  | 'serviceAccount'
  | 'uid'
  | 'arn'
  | 'uniqueId'
  | 'sub'
  | 'email'
  | 'tid'
  | 'oid'
  | `claims.${string}`

export interface Condition {
  readonly attribute: Attribute
  readonly pattern: Pattern
}

/** Which proofs are meant: those of one provider that meet every condition. */
export interface ProofRule {
  readonly provider: string
  readonly conditions: readonly Condition[]
}

/** Names hold no separators of path patterns, so that either kind of star means the same there. */
const plain = ['namespace', 'serviceAccount', 'uid', 'uniqueId', 'email', 'tid', 'oid'] as const
const paths = ['arn', 'sub'] as const

export function compileRule(entry: ProofRuleEntry): ProofRule {
  const conditions: Condition[] = []
  for (const attribute of plain) {
    const text = entry[attribute]
    if (text !== undefined) conditions.push({ attribute, pattern: compilePattern(text) })
  }
  for (const attribute of paths) {
    const text = entry[attribute]
    if (text !== undefined) conditions.push({ attribute, pattern: compilePathPattern(text) })
  }
  for (const [name, text] of Object.entries(entry.claims ?? {})) {
    conditions.push({ attribute: `claims.${name}`, pattern: compilePathPattern(text) })
  }
  return { provider: entry.provider, conditions }
}

/** What a proven workload says for an attribute; undefined where its kind or its proof says nothing. */
export function attributeOf(identity: WorkloadIdentity, attribute: Attribute): string | undefined {
  switch (identity.kind) {
    case 'kubernetes':
      if (attribute === 'namespace') return identity.namespace
      if (attribute === 'serviceAccount') return identity.serviceAccount.name
      return attribute === 'uid' ? identity.serviceAccount.uid : undefined
    case 'aws':
      if (attribute === 'arn') return identity.subject
      return attribute === 'uniqueId' ? identity.uniqueId : undefined
    case 'gcp':
      if (attribute === 'sub') return identity.subject
      return attribute === 'email' ? identity.email : undefined
    case 'azure':
      if (attribute === 'oid') return identity.subject
      return attribute === 'tid' ? identity.tenantId : undefined
    case 'oidc':
      if (attribute === 'sub') return identity.subject
      return attribute.startsWith('claims.')
        ? identity.claims.get(attribute.slice('claims.'.length))
        : undefined
  }
}

/** Whether a proof is one that a rule means. A rule without conditions means none. */
export function fits(rule: ProofRule, identity: WorkloadIdentity): boolean {
  return rule.provider === identity.provider && meets(rule, identity)
}

/** The same, where the provider was compared already. */
export function meets({ conditions }: ProofRule, identity: WorkloadIdentity): boolean {
  for (const condition of conditions) if (!holds(condition, identity)) return false
  return conditions.length > 0
}

export function holds({ attribute, pattern }: Condition, identity: WorkloadIdentity): boolean {
  const value = attributeOf(identity, attribute)
  return value !== undefined && matchesPattern(pattern, value)
}
