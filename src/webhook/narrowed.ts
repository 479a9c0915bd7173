import { DocumentFault } from '../config/document.ts'
import { LocalPolicy } from '../policy/local/local_policy.ts'
import type { LocalRule } from '../policy/local/rule.ts'

/** A local policy of the broker (`broker.policyDocument`). */
export interface Narrowed {
  readonly workloads: readonly [
    {
      readonly name: string
      readonly allow?: readonly {
        readonly audience?: string
        readonly scopes?: readonly string[]
      }[]
      readonly defaults?: { readonly audience?: string; readonly agent?: string }
    },
  ]
}

/** What annotations say of tokens. */
export interface Bounds {
  readonly agent: string | undefined
  readonly audience: string | undefined
  readonly scopes: readonly string[] | undefined
}

/**
 * The broker's own policy: it takes away from what the authority might grant, and can grant nothing. Programs that know
 * nothing of it name neither scope nor target: the broker then asks for the scopes that are allowed, and for the one target,
 * where it is one. Of a pattern no target can be told, so that it has to be named. Undefined: nothing is narrowed.
 */
export function narrowed({ agent, audience, scopes }: Bounds): Narrowed | undefined {
  const defaults = {
    ...(audience !== undefined && !audience.includes('*') && { audience }),
    // What clients of the drop-in routes call whichever agent it is.
    ...(agent !== undefined && agent !== 'self' && { agent }),
  }
  const allow = allowOf(audience, scopes)
  const hasDefaults = Object.keys(defaults).length > 0
  if (!allow && !hasDefaults) return undefined
  const workload = {
    name: 'annotations',
    ...(allow && { allow }),
    ...(hasDefaults && { defaults }),
  }
  return { workloads: [workload] }
}

function allowOf(audience: string | undefined, scopes: readonly string[] | undefined) {
  if (audience === undefined && !scopes) return undefined
  const upTo = scopes && { scopes }
  // Without an audience named, the scopes bound requests for any, and those that name none.
  return audience === undefined
    ? [{ audience: '**', ...upTo }, { ...upTo }]
    : [{ audience, ...upTo }]
}

/** What the sidecar would find wrong, and end for: such a pod is better not made. */
export function narrowingFault(
  policy: Narrowed,
): { readonly of: 'audience' | 'scopes'; readonly message: string } | undefined {
  try {
    parsed(policy)
    return undefined
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const [{ path, message } = { path: '', message: 'cannot be read' }] = error.faults
    return { of: path.includes('scopes') ? 'scopes' : 'audience', message }
  }
}

/** What the sidecar holds its requests to: the rule is for any workload. */
export function ruleOf(policy: Narrowed): LocalRule | undefined {
  return parsed(policy).ruleFor('')
}

function parsed(policy: Narrowed): LocalPolicy {
  return LocalPolicy.parse([{ path: '', bytes: Buffer.from(JSON.stringify(policy)) }])
}
