import { createHash, timingSafeEqual } from 'node:crypto'
import { OAuthError } from '../oauth/errors.ts'
import type { PresentedSecret, TokenRequest } from './request.ts'
import type { RegisteredClient, Tenant } from './tenant.ts'

/** Compared against when there is no such client, so that the answer takes as long. No secret has this digest. */
const nobody = Buffer.alloc(32)

/**
 * Who the caller is as a client. Credentials that are presented must be right even where none are needed: a caller that
 * shows a wrong secret is not the one it says.
 */
export function authenticateClient(
  { presented }: TokenRequest,
  tenant: Tenant,
  needed: 'required' | 'optional',
): RegisteredClient | undefined | OAuthError {
  if (!presented) {
    return needed === 'required'
      ? new OAuthError('client_unproven', { detail: 'no client authentication' })
      : undefined
  }
  const client = tenant.clients.get(presented.clientId)
  const right = secretMatches(presented, client?.secretHashes ?? [nobody])
  if (client && right && client.methods.includes(presented.method)) return client
  return new OAuthError('client_unproven', {
    basicChallenge: presented.method === 'client_secret_basic',
    detail: client ? `client ${client.id}: wrong secret or method` : 'no such client',
  })
}

function secretMatches({ secret }: PresentedSecret, hashes: readonly Buffer[]): boolean {
  const digest = createHash('sha256').update(secret).digest()
  // Every hash is compared, whichever matched, and each in constant time.
  return hashes.map((hash) => timingSafeEqual(hash, digest)).includes(true)
}
