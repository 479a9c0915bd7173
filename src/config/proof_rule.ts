import Type, { type Static } from 'typebox'

const namespacePattern = { pattern: '^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$' }
const pattern = { pattern: '^[a-z0-9*]([a-z0-9.*-]{0,251}[a-z0-9*])?$' }

/** Which pods a rule means, in a trust policy and in the registration of a client that shows a pod's token. */
export const proofRuleSchema = Type.Object(
  {
    provider: Type.String({ minLength: 1, description: 'The provider that vouches for the pod.' }),
    namespace: Type.String({
      ...namespacePattern,
      description: 'Namespace of the pod. `*` stands for any text, with `anyNamespace: true` only.',
    }),
    serviceAccount: Type.String({
      ...pattern,
      description: 'Service account of the pod. `*` stands for any text.',
    }),
    uid: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: 'Uid of the service account: one that was deleted and made again is another.',
      }),
    ),
    anyNamespace: Type.Boolean({ default: false, description: 'Allows `*` in `namespace`.' }),
  },
  { additionalProperties: false, description: 'Which pods are meant.' },
)

export type ProofRuleEntry = Static<typeof proofRuleSchema>
