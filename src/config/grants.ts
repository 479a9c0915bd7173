import Type, { type Static } from 'typebox'
import { fitsScope } from '../oauth/scope.ts'
import type { Fault } from './document.ts'
import { scopeValue, target } from './forms.ts'

/** What an agent or a client may ask for. Pairs, so that read at one target and write at another stay two things. */
export const grantsSchema = Type.Array(
  Type.Object(
    {
      target: Type.Optional(
        Type.String({
          ...target,
          description: 'The audience or resource. Absent: what a request without one gets.',
        }),
      ),
      scopes: Type.Array(Type.String(scopeValue), {
        maxItems: 100,
        description: 'Scopes that may be had there.',
      }),
    },
    { additionalProperties: false },
  ),
  {
    default: [],
    maxItems: 200,
    description: 'Pairs of a target and the scopes that may be had there.',
  },
)

export type GrantEntries = Static<typeof grantsSchema>

/**
 * What a JSON Schema cannot say of grants. What can be had at one target must fit into one `scope` parameter: LumoAuth's
 * clients renew by asking for the very scope that they were granted.
 */
export function grantFaults(grants: GrantEntries, path: string): readonly Fault[] {
  const scopes = new Map<string | undefined, readonly string[]>()
  for (const grant of grants) {
    scopes.set(grant.target, [...(scopes.get(grant.target) ?? []), ...grant.scopes])
  }
  return [...scopes.values()].some((all) => !fitsScope(all))
    ? [{ path, message: 'the scopes of one target must fit into 100 values and 4096 characters' }]
    : []
}
