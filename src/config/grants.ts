import Type, { type Static } from 'typebox'
import { isAudience } from '../oauth/target.ts'
import { isScopeToken } from '../oauth/scope.ts'
import type { Fault } from './document.ts'

/** What an agent or a client may ask for. Pairs, so that read at one target and write at another stay two things. */
export const grantsSchema = Type.Array(
  Type.Object(
    {
      target: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 512,
          description: 'The audience or resource. Absent: what a request without one gets.',
        }),
      ),
      scopes: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
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

/** What a JSON Schema cannot say of grants. */
export function grantFaults(grants: GrantEntries, path: string): readonly Fault[] {
  return grants.flatMap((grant, index) => {
    const at = `${path}[${String(index)}]`
    const faults: Fault[] = []
    if (grant.target !== undefined && !isAudience(grant.target)) {
      faults.push({ path: `${at}.target`, message: 'must be printable ASCII without spaces' })
    }
    for (const scope of grant.scopes) {
      if (!isScopeToken(scope)) {
        faults.push({ path: `${at}.scopes`, message: 'must hold single scope values' })
      }
    }
    return faults
  })
}
