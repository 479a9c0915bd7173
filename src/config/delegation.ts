import Type, { type Static } from 'typebox'

/** The longest chain of actors that any setting allows. */
export const MAX_DELEGATION_DEPTH = 3

/** Whether and how far a party may act for others, in a trust policy and in a client's registration. */
export const delegationSchema = Type.Object(
  {
    scopes: Type.Array(Type.String({ minLength: 1, maxLength: 256 }), {
      maxItems: 100,
      description: 'Scopes that it may hold on behalf of others.',
    }),
    maxDepth: Type.Integer({
      minimum: 1,
      maximum: MAX_DELEGATION_DEPTH,
      default: MAX_DELEGATION_DEPTH,
      description: 'Longest chain of actors that it may become the end of.',
    }),
  },
  {
    additionalProperties: false,
    description: 'Whether it may act for others. Absent: it may not.',
  },
)

export type DelegationEntry = Static<typeof delegationSchema>
