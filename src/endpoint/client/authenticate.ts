import { createHash, timingSafeEqual } from 'node:crypto'
import { OAuthError } from '../../oauth/errors.ts'
import { fits } from '../../policy/rule.ts'
import { CannotVerify, ProofRefusal } from '../../verifier/refusal.ts'
import { parseCompactJws } from '../../verifier/jws.ts'
import type { Tenant } from '../tenant.ts'
import type { ClientAssertions } from './assertion.ts'
import type { Credentials } from './credentials.ts'
import type { RegisteredClient } from './registered.ts'

/** Compared against when there is no such client, so that the answer takes as long. No secret has this digest. */
const nobody = Buffer.alloc(32)

/**
 * The client that some credentials prove. Credentials that are presented must be right even where none are needed: a caller
 * that shows a wrong secret is not the one it says.
 */
export async function authenticateClient(
  credentials: Credentials,
  tenant: Tenant,
  assertions: ClientAssertions,
): Promise<RegisteredClient | OAuthError> {
  if (credentials.method === 'client_assertion') {
    return provenByAssertion(credentials, tenant, assertions)
  }
  const { method, clientId, secret } = credentials
  const client = await tenant.clients.find(clientId)
  const right = secretMatches(secret, client?.secretHashes ?? [nobody])
  if (client && right && client.methods.includes(method)) return client
  return new OAuthError('client_unproven', {
    basicChallenge: method === 'client_secret_basic',
    detail: client ? `client ${client.id}: wrong secret or method` : 'no such client',
  })
}

function secretMatches(secret: string, hashes: readonly Uint8Array[]): boolean {
  const digest = createHash('sha256').update(secret).digest()
  // Every hash is compared, whichever matched, and each in constant time.
  return hashes.map((hash) => timingSafeEqual(hash, digest)).includes(true)
}

/**
 * An assertion whose issuer is a client is that client's own (RFC 7523 section 3). Any other is a token of a platform, which
 * stands for the one client whose registration names the pod.
 */
async function provenByAssertion(
  { assertion, clientId }: Extract<Credentials, { method: 'client_assertion' }>,
  tenant: Tenant,
  assertions: ClientAssertions,
): Promise<RegisteredClient | OAuthError> {
  const jws = parseCompactJws(assertion)
  if (typeof jws === 'string') return unproven('the assertion is no compact JWS')
  const { iss } = jws.payload
  if (typeof iss !== 'string') return unproven('the assertion has no issuer')
  const own = await tenant.clients.find(iss)
  if (own) {
    if (clientId !== undefined && clientId !== own.id) return unproven('another client_id')
    const fault = await assertions.judge(jws, own, tenant)
    return fault === undefined ? own : unproven(`client ${own.id}: ${fault}`)
  }
  return federated(assertion, clientId, tenant)
}

/**
 * A Kubernetes token as assertion. It names no client, so the request has to. The token is shown again and again until the
 * kubelet replaces it, so it cannot be taken once only; its audience and its short life bound it instead.
 */
async function federated(
  assertion: string,
  clientId: string | undefined,
  tenant: Tenant,
): Promise<RegisteredClient | OAuthError> {
  const client = clientId === undefined ? undefined : await tenant.clients.find(clientId)
  if (!client?.rule || !client.methods.includes('federated_jwt')) {
    return unproven('no client of this client_id is proven by a platform')
  }
  const identity = await tenant.verifier.verify(assertion)
  if (identity instanceof CannotVerify) {
    return new OAuthError('cannot_verify', {
      detail: `${identity.provider}: ${identity.detail}`,
      retryAfterSeconds: identity.retryAfterSeconds,
    })
  }
  if (identity instanceof ProofRefusal) {
    return unproven(`client ${client.id}: ${identity.code}, ${identity.detail}`)
  }
  return fits(client.rule, identity)
    ? client
    : unproven(`client ${client.id}: the pod is not the one of its registration`)
}

function unproven(detail: string): OAuthError {
  return new OAuthError('client_unproven', { detail })
}
