import { OAuthError } from '../../../oauth/errors.ts'
import { explainMatch } from '../../../policy/explain.ts'
import type { WorkloadIdentity } from '../../../verifier/identity.ts'
import { CannotVerify, ProofRefusal } from '../../../verifier/refusal.ts'
import type { Proof } from '../../../verifier/verifier.ts'
import type { TokenRequest } from '../../request.ts'
import { partyOfAgent, type Tenant } from '../../tenant.ts'
import type { Authorization, Caller } from '../grant.ts'

/**
 * Workload identity: a proof of the platform becomes a token of the agent that the workload is. The proof stands in for
 * client authentication. It leaves nothing behind but its line in the audit trail.
 */
export async function workloadIdentity(
  proof: Proof,
  request: TokenRequest,
  { client }: Caller,
  tenant: Tenant,
): Promise<Authorization | OAuthError> {
  const identity = await verify(proof, request, tenant)
  if (identity instanceof OAuthError) return identity
  const agent = tenant.policy().match(identity, request.clientId)
  if (typeof agent === 'string') {
    return unmatched(identity, agent, request.clientId, tenant)
  }
  if (client && client.id !== agent.clientId) {
    return refuse('client_mismatch', `client ${client.id} is not agent ${agent.name}`, tenant)
  }
  return {
    party: partyOfAgent(agent),
    sub: agent.sub,
    ceiling: agent.ceiling,
    targets: [],
    // Of its own, not of what the proof has left: refreshes would shrink to nothing as the kubelet's rotation nears.
    lifetimeSeconds: agent.lifetimeSeconds,
    proof: { provider: identity.provider, subject: identity.subject },
    charge: {
      kind: 'workload',
      tenant: tenant.slug,
      provider: identity.provider,
      uid: instanceOf(identity),
    },
  }
}

async function verify(
  proof: Proof,
  { own }: TokenRequest,
  tenant: Tenant,
): Promise<WorkloadIdentity | OAuthError> {
  const identity = await tenant.verifier.verify(proof)
  if (identity instanceof ProofRefusal) {
    return refuse(identity.code, identity.detail, tenant, identity.provider)
  }
  if (identity instanceof CannotVerify) {
    return new OAuthError('cannot_verify', {
      detail: `${identity.provider}: ${identity.detail}`,
      retryAfterSeconds: identity.retryAfterSeconds,
    })
  }
  // A hint for those who run several providers. It can only narrow: issuer, audience and signature have decided.
  const hint = own.subject_issuer
  const names: readonly string[] = [identity.kind, identity.provider, identity.issuer]
  if (hint !== undefined && !names.includes(hint)) {
    return refuse(
      'subject_issuer_mismatch',
      'subject_issuer names another provider',
      tenant,
      identity.provider,
    )
  }
  return identity
}

/** What shares a budget: a pod, or a subject where there are no pods. */
function instanceOf(identity: WorkloadIdentity): string {
  return (identity.kind === 'kubernetes' ? identity.pod?.uid : undefined) ?? identity.subject
}

/** Of so many rules the nearest are explained in the log; the command `explain` shows them all. */
const EXPLAINED = { maxRules: 100, maxLines: 5 }

/** A good proof that is nobody, or more than one. What is said of it was verified, so it may be logged and recorded. */
function unmatched(
  identity: WorkloadIdentity,
  outcome: 'none' | 'ambiguous',
  askedFor: string | undefined,
  tenant: Tenant,
): OAuthError {
  const { provider, subject } = identity
  const { lines, mismatch } = explainMatch(tenant.policy(), identity, EXPLAINED)
  const none = outcome === 'none'
  return new OAuthError(codeOf(tenant), {
    reason: none ? 'unmatched' : 'ambiguous',
    detail: `${provider}: ${subject}${askedAs(askedFor, tenant)}`,
    proven: { provider, subject, mismatch: none ? mismatch : undefined },
    explanation: lines,
  })
}

/** Which agent the request named. A name that is none of ours is not repeated: who knows what it is. */
function askedAs(clientId: string | undefined, { policy }: Tenant): string {
  if (clientId === undefined) return ''
  const agent = policy().ofClient(clientId)
  return agent ? `, as ${agent.name}` : ', as an agent that is not there'
}

function refuse(reason: string, detail: string, tenant: Tenant, provider?: string): OAuthError {
  return new OAuthError(codeOf(tenant), {
    reason,
    detail: provider === undefined ? detail : `${provider}: ${detail}`,
  })
}

function codeOf({ settings }: Tenant): 'proof_refused' | 'workload_identity_failed' {
  return settings.workloadRefusal === 'invalid_request'
    ? 'proof_refused'
    : 'workload_identity_failed'
}
