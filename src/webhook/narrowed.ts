import { DocumentFault } from '../config/document.ts'
import { LocalPolicy } from '../policy/local/local_policy.ts'

/** A local policy of the broker (`broker.policyDocument`). */
export interface Narrowed {
  readonly workloads: readonly [
    {
      readonly name: string
      readonly allow: readonly {
        readonly audience?: string
        readonly scopes?: readonly string[]
      }[]
    },
  ]
}

/** The broker's own policy: it denies what the authority might grant, and can grant nothing. Undefined: nothing is narrowed. */
export function narrowed(
  audience: string | undefined,
  scopes: readonly string[] | undefined,
): Narrowed | undefined {
  if (audience === undefined && !scopes) return undefined
  const upTo = scopes && { scopes }
  // Without an audience named, the scopes bound requests for any, and those that name none.
  const allow =
    audience === undefined ? [{ audience: '**', ...upTo }, { ...upTo }] : [{ audience, ...upTo }]
  return { workloads: [{ name: 'annotations', allow }] }
}

/** What the sidecar would find wrong, and end for: such a pod is better not made. */
export function narrowingFault(
  policy: Narrowed,
): { readonly of: 'audience' | 'scopes'; readonly message: string } | undefined {
  try {
    LocalPolicy.parse([{ path: '', bytes: Buffer.from(JSON.stringify(policy)) }])
    return undefined
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error
    const [{ path, message } = { path: '', message: 'cannot be read' }] = error.faults
    return { of: path.includes('scopes') ? 'scopes' : 'audience', message }
  }
}
