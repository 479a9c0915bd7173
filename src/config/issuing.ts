import type { ReportFault } from './document.ts'
import { resolveKeys, type KeysEntry } from './keys.ts'
import type { Algorithm, IssuingConfig } from './provider_config.ts'
import type { ProviderEntry } from './provider.ts'

/** What a kind has where its entry says nothing. */
export interface IssuingDefaults {
  readonly issuers?: readonly string[]
  readonly algorithms: readonly Algorithm[]
  readonly keys: Partial<KeysEntry>
  readonly maxAge?: number
}

/** The settings that every issuer of tokens has. `issuer`: that of the tenant. */
export function resolveIssuing(
  entry: ProviderEntry,
  path: string,
  issuer: string,
  fault: ReportFault,
  defaults: IssuingDefaults,
): IssuingConfig {
  const issuers = entry.issuers ?? defaults.issuers ?? []
  if (issuers.length === 0) fault(`${path}.issuers`, 'must be given')
  const audiences = entry.audiences ?? [issuer]
  return {
    name: entry.name,
    issuers,
    audiences,
    algorithms: entry.algorithms ?? defaults.algorithms,
    maxAgeSeconds: entry.maxAge ?? defaults.maxAge,
    requiredClaims: entry.requiredClaims,
    claims: entry.claims,
    keys: resolveKeys(entry.keys ?? defaults.keys, issuers[0] ?? '', path, fault),
    keyStalenessMs: entry.keyStaleness * 1000,
  }
}
