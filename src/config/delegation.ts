import Type, { type Static } from 'typebox'
import { scopeValue } from './forms.ts'

/** The longest chain of actors that any setting allows. */
export const MAX_DELEGATION_DEPTH = 3

/** Whether and how far a party may act for others, in a trust policy and in a client's registration. */
export const delegationSchema = Type.Object(
  {
    scopes: Type.Array(Type.String(scopeValue), {
      maxItems: 100,
      description: 'Scopes that it may hold on behalf of others.',
    }),
    maxDepth: Type.Integer({
      minimum: 1,
      maximum: MAX_DELEGATION_DEPTH,
      default: MAX_DELEGATION_DEPTH,
      description: 'Longest chain of actors that it may become the end of.',
    }),
    subjects: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[\\x20-\\x7e]{1,255}$',
          form: 'printable ASCII, 255 characters at most',
        }),
        {
          maxItems: 1_000,
          description:
            'For whom it may act, by `sub`; `*` stands for any text. Absent: for whoever agrees to it.',
        },
      ),
    ),
    perSubjectPerHour: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'How many tokens it gets on behalf of one subject in an hour.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Whether it may act for others. Absent: it may not.',
  },
)

export type DelegationEntry = Static<typeof delegationSchema>
