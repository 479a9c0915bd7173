import Type, { type Static } from 'typebox'
import { grantsSchema } from '../config/grants.ts'

const closed = { additionalProperties: false }
const name = { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' }
const namespacePattern = { pattern: '^[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?$' }
const pattern = { pattern: '^[a-z0-9*]([a-z0-9.*-]{0,251}[a-z0-9*])?$' }

const agentSchema = Type.Object(
  {
    name: Type.String({
      ...name,
      description: 'What the agent is called, here and in its tokens.',
    }),
    sub: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Its `sub`. Default: `agent:` and the name.',
      }),
    ),
    clientId: Type.Optional(
      Type.String({ ...name, description: 'Its `client_id`. Default: the name.' }),
    ),
    proof: Type.Object(
      {
        provider: Type.String({
          minLength: 1,
          description: 'The provider that vouches for the pod.',
        }),
        namespace: Type.String({
          ...namespacePattern,
          description:
            'Namespace of the pod. `*` stands for any text, with `anyNamespace: true` only.',
        }),
        serviceAccount: Type.String({
          ...pattern,
          description: 'Service account of the pod. `*` stands for any text.',
        }),
        uid: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 64,
            description:
              'Uid of the service account: one that was deleted and made again is another.',
          }),
        ),
        anyNamespace: Type.Boolean({ default: false, description: 'Allows `*` in `namespace`.' }),
      },
      { ...closed, description: 'Which pods are this agent.' },
    ),
    grants: grantsSchema,
    capabilities: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      default: [],
      maxItems: 100,
      description: 'What the agent may do beside scopes, as LumoAuth names it. Not used yet.',
    }),
    delegation: Type.Optional(
      Type.Object(
        {
          scopes: Type.Array(Type.String({ minLength: 1 }), {
            maxItems: 100,
            description: 'Scopes it may hold on behalf of others.',
          }),
          maxDepth: Type.Integer({
            minimum: 1,
            maximum: 3,
            default: 3,
            description: 'Longest chain.',
          }),
        },
        {
          ...closed,
          description:
            'Whether the agent may act for others. Absent: it may not. Not used yet: none may.',
        },
      ),
    ),
    maxTargets: Type.Integer({
      minimum: 1,
      maximum: 5,
      default: 1,
      description: 'How many audiences and resources one token may have.',
    }),
    lifetime: Type.Integer({
      minimum: 60,
      maximum: 86_400,
      default: 3_600,
      description: 'Life of its tokens in seconds.',
    }),
  },
  closed,
)

/** A trust policy file: who may become what. */
export const policySchema = Type.Object(
  {
    agents: Type.Array(agentSchema, { maxItems: 20_000, description: 'The agents.' }),
  },
  { ...closed, description: 'Trust policy: which proven workload becomes which agent.' },
)

export type AgentEntry = Static<typeof agentSchema>
