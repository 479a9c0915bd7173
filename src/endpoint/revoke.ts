import { OAuthError } from '../oauth/errors.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { Audit } from '../platform/audit.ts'
import { authenticateClient } from './client/authenticate.ts'
import { readCredentials } from './client/credentials.ts'
import type { CallerDependencies } from './endpoint_caller.ts'
import { missing, readParameters, type RawRequest } from './request.ts'
import type { Tenant } from './tenant.ts'

export interface RevokeDependencies extends CallerDependencies {
  readonly audit: Audit
}

const hints: ReadonlySet<string> = new Set(['access_token', 'refresh_token'])

/** What a presented token would end. */
interface Ending {
  readonly clientId: string
  readonly subject: string
  readonly grantId: string
  end(): Promise<void>
}

/**
 * Ends a token (RFC 7009). A refresh token takes its family and every access token of its grant with it, an access token
 * only itself. A token that means nothing here is ended already, and the answer is the same (section 2.2).
 */
export async function revoke(
  raw: RawRequest,
  tenant: Tenant,
  dependencies: RevokeDependencies,
): Promise<object | OAuthError> {
  const parameters = readParameters(raw)
  if (parameters instanceof OAuthError) return parameters
  const revoker = await revokerOf(raw, parameters, tenant, dependencies)
  if (revoker instanceof OAuthError) return revoker
  const text = parameters.one('token')
  if (text === undefined) return missing('token')
  const hint = parameters.one('token_type_hint')
  if (hint !== undefined && !hints.has(hint)) return new OAuthError('token_hint_unsupported')
  const ending = await find(text, tenant)
  if (!ending) return {}
  const fault = await mayEnd(ending, revoker, tenant)
  if (fault) return fault
  // Recorded first: a token that has ended is not found again, so a second try could not make up for the record.
  await dependencies.audit.record({
    event: 'token.revoked',
    tenant: tenant.slug,
    outcome: 'success',
    client_id: ending.clientId,
    subject: ending.subject,
    grant_id: ending.grantId,
    request_id: raw.requestId,
    trace_id: raw.traceId,
    ip_address: raw.address,
  })
  await ending.end()
  return {}
}

interface Revoker {
  /** As it proved or as it says. */
  readonly clientId: string | undefined
  readonly authenticated: boolean
}

async function revokerOf(
  raw: RawRequest,
  parameters: Parameters,
  tenant: Tenant,
  { assertions, limits }: RevokeDependencies,
): Promise<Revoker | OAuthError> {
  // Browser clients send the user's bearer along; the token in the body is what they want ended.
  const bearer = /^bearer /i.test(raw.authorization ?? '')
  const credentials = readCredentials(bearer ? undefined : raw.authorization, parameters)
  if (credentials instanceof OAuthError) return credentials
  if (!credentials) return { clientId: parameters.one('client_id'), authenticated: false }
  const client = await authenticateClient(credentials, tenant, assertions)
  if (client instanceof OAuthError) return client
  const over = limits.spend({ kind: 'client', tenant: tenant.slug, id: client.id })
  return over ?? { clientId: client.id, authenticated: true }
}

/** Whoever has no credentials to show, a public client or an agent, can do no more than hold the token. */
async function mayEnd(
  { clientId }: Ending,
  revoker: Revoker,
  tenant: Tenant,
): Promise<OAuthError | undefined> {
  if (revoker.clientId !== undefined && revoker.clientId !== clientId) {
    return new OAuthError('token_of_another')
  }
  if (revoker.authenticated || tenant.policy().ofClient(clientId)) return undefined
  const client = await tenant.clients.find(clientId)
  return client?.isPublic === true
    ? undefined
    : new OAuthError('client_unproven', { detail: 'no client authentication' })
}

async function find(text: string, tenant: Tenant): Promise<Ending | undefined> {
  const presented = tenant.refreshTokens.parse(text)
  if (presented) {
    const family = await tenant.refreshTokens.find(presented)
    if (!family || !tenant.refreshTokens.isKnown(presented, family)) return undefined
    const { clientId, sub: subject, id: grantId, createdAt: issuedAt } = family
    // One that has ended is nothing any more: it would else be ended, and recorded, again and again.
    const facts = { grantId, sub: subject, clientId, issuedAt }
    if (await tenant.revocations.reaches(facts)) return undefined
    return { clientId, subject, grantId, end: () => tenant.revocations.endGrant(grantId) }
  }
  const token = await tenant.accessTokens.read(text)
  if (typeof token === 'string') return undefined
  const { clientId, sub: subject, grantId, jti, expiresAt } = token
  return {
    clientId,
    subject,
    grantId,
    end: () => tenant.revocations.endToken(jti, expiresAt),
  }
}
