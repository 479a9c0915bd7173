import type { Fault } from '../config/document.ts'
import { compilePathPattern, intersects } from '../platform/pattern.ts'
import type { ProviderConfig } from '../config/provider/config.ts'
import type { Agent } from './policy.ts'
import type { Attribute, ProofRule } from './rule.ts'

/** A namespace is a DNS label, the name of an account a DNS subdomain. */
const longest: Partial<Record<Attribute, number>> = { namespace: 63, serviceAccount: 253 }

/** Agents whose rule no proof of its provider can ever meet. */
export function unreachableOf(
  agents: readonly Agent[],
  providers: readonly ProviderConfig[],
): readonly Fault[] {
  return agents.flatMap(({ name, rule }) => {
    const provider = providers.find((candidate) => candidate.name === rule.provider)
    const why = provider && whyNever(rule, provider)
    return why === undefined
      ? []
      : [{ path: `agent ${name}`, message: `its rule can never match: ${why}` }]
  })
}

function whyNever(rule: ProofRule, provider: ProviderConfig): string | undefined {
  for (const { attribute, pattern } of rule.conditions) {
    const most = longest[attribute]
    if (most !== undefined && pattern.source.replaceAll('*', '').length > most) {
      return `${attribute} is longer than Kubernetes allows`
    }
  }
  switch (provider.kind) {
    case 'kubernetes':
    case 'gcp':
      return undefined
    case 'aws':
      return arnFault(rule, [provider.account]) ?? uniqueIdFault(rule)
    case 'aws4_request':
      return arnFault(rule, provider.accounts) ?? partitionFault(rule, provider.partition)
    case 'azure':
      return textOf(rule, 'tid') === provider.tenantId
        ? undefined
        : 'tid is not the tenantId of its provider'
    case 'oidc':
      return claimFault(rule, provider.claims)
  }
}

const textOf = ({ conditions }: ProofRule, attribute: Attribute): string =>
  conditions.find((condition) => condition.attribute === attribute)?.pattern.source ?? ''

function arnFault(rule: ProofRule, accounts: readonly string[]): string | undefined {
  const account = textOf(rule, 'arn').split(':')[4] ?? ''
  return accounts.includes(account) ? undefined : 'its account is none of its provider'
}

function partitionFault(rule: ProofRule, partition: string): string | undefined {
  const arn = textOf(rule, 'arn')
  if (arn.split(':')[1] !== partition) return 'its partition is not that of its provider'
  // assumed-role/NAME/SESSION is all that GetCallerIdentity says of a role.
  return /:role\/.*\//.test(arn.replace(/\*\*$/, ''))
    ? 'a signed request tells the name of a role without its path'
    : undefined
}

function uniqueIdFault(rule: ProofRule): string | undefined {
  return textOf(rule, 'uniqueId') === ''
    ? undefined
    : 'a token of GetWebIdentityToken does not tell a uniqueId'
}

/** A claim that the provider demands to be one thing and the rule another. */
function claimFault(
  { conditions }: ProofRule,
  claims: Readonly<Record<string, string>>,
): string | undefined {
  for (const { attribute, pattern } of conditions) {
    const name = attribute === 'sub' ? 'sub' : attribute.slice('claims.'.length)
    const demanded = Object.hasOwn(claims, name) ? claims[name] : undefined
    if (demanded !== undefined && !intersects(compilePathPattern(demanded), pattern)) {
      return `its provider demands another ${attribute}`
    }
  }
  return undefined
}
