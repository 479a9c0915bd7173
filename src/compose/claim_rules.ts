import type { IssuingConfig } from '../config/provider/config.ts'
import { compilePathPattern } from '../platform/pattern.ts'

/** The texts that claims of every proof of a provider must have. */
export function claimRules({ claims }: Pick<IssuingConfig, 'claims'>) {
  return Object.entries(claims).map(([name, text]) => ({
    name,
    pattern: compilePathPattern(text),
  }))
}
