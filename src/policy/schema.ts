import Type, { type Static } from 'typebox'
import { delegationSchema } from '../config/delegation.ts'
import { identifier } from '../config/forms.ts'
import { grantsSchema } from '../config/grants.ts'
import { proofRuleSchema } from '../config/proof_rule.ts'

const closed = { additionalProperties: false }

const agentSchema = Type.Object(
  {
    name: Type.String({
      ...identifier,
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
      Type.String({ ...identifier, description: 'Its `client_id`. Default: the name.' }),
    ),
    proof: proofRuleSchema,
    grants: grantsSchema,
    capabilities: Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      default: [],
      maxItems: 100,
      description: 'What the agent may do beside scopes, as LumoAuth names it.',
    }),
    delegation: Type.Optional(delegationSchema),
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
    exchangesPerMinute: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000,
        description: 'How many tokens all its workloads together get in a minute.',
      }),
    ),
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
