import { OAuthError } from '../../oauth/errors.ts'
import { isTokenType, tokenTypes, type TokenType } from '../../oauth/token_types.ts'
import type { WorkloadIdentity } from '../../verifier/identity.ts'
import { CannotVerify, ProofRefusal } from '../../verifier/refusal.ts'
import { missing, type TokenRequest } from '../request.ts'
import type { Tenant } from '../tenant.ts'
import type { Grant } from './grant.ts'

/**
 * Token exchange (RFC 8693), profile workload identity: a proof of the platform becomes a token of the agent that the
 * workload is. The proof stands in for client authentication.
 */
export const tokenExchange: Grant = {
  name: 'token_exchange',
  parameters: ['subject_token', 'subject_token_type', 'subject_issuer', 'requested_token_type'],
  clientAuthentication: 'optional',
  async authorize(request, client, tenant) {
    const { subject_token: proof } = request.own
    if (proof === undefined) return missing('subject_token')
    const issuedTokenType = checkTypes(request)
    if (issuedTokenType instanceof OAuthError) return issuedTokenType
    const identity = await verify(proof, request, tenant)
    if (identity instanceof OAuthError) return identity
    const agent = tenant.policy().match(identity, request.clientId)
    if (typeof agent === 'string') {
      return refuse(agent === 'none' ? 'unmatched' : 'ambiguous', describe(identity))
    }
    if (client && client.id !== agent.clientId) {
      return refuse('client_mismatch', `client ${client.id} is not agent ${agent.name}`)
    }
    return {
      sub: agent.sub,
      clientId: agent.clientId,
      agent: agent.name,
      ceiling: agent.ceiling,
      // Of its own, not of what the proof has left: refreshes would shrink to nothing as the kubelet's rotation nears.
      lifetimeSeconds: agent.lifetimeSeconds,
      issuedTokenType,
    }
  },
}

function checkTypes({ own }: TokenRequest): TokenType | OAuthError {
  const { subject_token_type: subjectType, requested_token_type: requested } = own
  if (subjectType === undefined) return missing('subject_token_type')
  if (subjectType !== tokenTypes.jwt) {
    return new OAuthError('token_type_unsupported', { detail: 'subject_token_type is not jwt' })
  }
  if (requested === undefined) return tokenTypes.access_token
  return isTokenType(requested)
    ? requested
    : new OAuthError('token_type_unsupported', { detail: 'requested_token_type is none of ours' })
}

async function verify(
  proof: string,
  { own }: TokenRequest,
  tenant: Tenant,
): Promise<WorkloadIdentity | OAuthError> {
  const identity = await tenant.verifier.verify(proof)
  if (identity instanceof ProofRefusal)
    return refuse(identity.code, identity.detail, identity.provider)
  if (identity instanceof CannotVerify) {
    return new OAuthError('cannot_verify', {
      detail: `${identity.provider}: ${identity.detail}`,
      retryAfterSeconds: identity.retryAfterSeconds,
    })
  }
  // A hint for those who run several providers. It can only narrow: issuer, audience and signature have decided.
  const hint = own.subject_issuer
  if (
    hint !== undefined &&
    hint !== identity.kind &&
    hint !== identity.provider &&
    hint !== identity.issuer
  ) {
    return refuse(
      'subject_issuer_mismatch',
      'subject_issuer names another provider',
      identity.provider,
    )
  }
  return identity
}

function refuse(reason: string, detail: string, provider?: string): OAuthError {
  return new OAuthError('proof_refused', {
    reason,
    detail: provider === undefined ? detail : `${provider}: ${detail}`,
  })
}

/** Of a verified proof, so it may be logged. */
function describe({ provider, subject }: WorkloadIdentity): string {
  return `${provider}: ${subject}`
}
