import type { Tenant } from './tenant.ts'

/** What a token says of its subject where that is an agent. */
export function agentClaims(sub: string, { settings, policy }: Tenant) {
  const agent = policy().ofSubject(sub)
  if (!agent) return {}
  return {
    identity_type: 'agent',
    agent_id: agent.id,
    agent_name: agent.name,
    ...(settings.capabilitiesInTokens && { capabilities: agent.capabilities }),
  }
}
