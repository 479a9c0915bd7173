import { OAuthError } from '../oauth/errors.ts'
import type { Parameters } from '../oauth/parameters.ts'
import { presentedToken } from './bearer.ts'
import { authenticateClient } from './client/authenticate.ts'
import type { ClientAssertions } from './client/assertion.ts'
import { readCredentials } from './client/credentials.ts'
import type { Limits } from './limits.ts'
import type { RawRequest } from './request.ts'
import { isOwn, type Party, type Tenant } from './tenant.ts'

/** Who asks at an endpoint beside the token endpoint. */
export interface EndpointCaller {
  readonly party: Party
  readonly mayIntrospect: boolean
}

export interface CallerDependencies {
  readonly assertions: ClientAssertions
  readonly limits: Limits
}

/**
 * A caller that proves itself as a client, or as an agent by a token of its own (RFC 7662 section 2.1). A token by which
 * somebody acts for another proves nothing here.
 */
export async function callerAt(
  path: string,
  raw: RawRequest,
  parameters: Parameters,
  tenant: Tenant,
  dependencies: CallerDependencies,
): Promise<EndpointCaller | OAuthError> {
  const { authorization } = raw
  if (authorization !== undefined && /^(bearer|dpop) /i.test(authorization)) {
    const second = parameters.one('client_secret') ?? parameters.one('client_assertion')
    if (second !== undefined) return new OAuthError('client_twice')
    return callerByToken(path, raw, tenant, dependencies)
  }
  const credentials = readCredentials(authorization, parameters)
  if (credentials instanceof OAuthError) return credentials
  if (!credentials) return new OAuthError('client_unproven', { detail: 'no authentication' })
  const client = await authenticateClient(credentials, tenant, dependencies.assertions)
  if (client instanceof OAuthError) return client
  const over = dependencies.limits.spend({ kind: 'client', tenant: tenant.slug, id: client.id })
  return over ?? { party: client, mayIntrospect: client.mayIntrospect }
}

async function callerByToken(
  path: string,
  raw: RawRequest,
  tenant: Tenant,
  { limits }: CallerDependencies,
): Promise<EndpointCaller | OAuthError> {
  const token = await presentedToken(raw, { method: 'POST', urls: tenant.urls(path) }, tenant)
  if (token instanceof OAuthError) return token
  const party = await tenant.clients.party(token.clientId)
  const own = party !== undefined && isOwn(party, tenant.issuer, token.audiences)
  if (!own || party.sub !== token.sub || token.act) {
    return new OAuthError('bearer_invalid', { reason: 'token_not_own' })
  }
  // Of its own: what all pods of an agent ask again and again must not use up what it gets its tokens by.
  const over = limits.spend({ kind: 'introspection', tenant: tenant.slug, id: party.id })
  return over ?? { party, mayIntrospect: false }
}
