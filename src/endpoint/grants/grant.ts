import type { OAuthError } from '../../oauth/errors.ts'
import type { GrantName } from '../../oauth/grant_types.ts'
import type { TokenType } from '../../oauth/token_types.ts'
import type { Ceiling } from '../../policy/ceiling.ts'
import type { GrantParameter, TokenRequest } from '../request.ts'
import type { RegisteredClient, Tenant } from '../tenant.ts'

/** What a grant proved: whose token it is, and the widest that it may be. */
export interface Authorization {
  readonly sub: string
  readonly clientId: string
  /** The name of the agent that the subject is, if it is one. */
  readonly agent: string | undefined
  readonly ceiling: Ceiling
  readonly lifetimeSeconds: number
  /** RFC 8693 section 2.2.1; token exchange only. */
  readonly issuedTokenType: TokenType | undefined
}

/**
 * One grant of the token endpoint. It proves who asks and nothing more: the frame in `token.ts` authenticates the client
 * before it, decides scope and target after it, and mints and answers for it.
 */
export interface Grant {
  readonly name: GrantName
  /** The parameters of its own. Any other that has a meaning somewhere is refused before the grant is asked. */
  readonly parameters: readonly GrantParameter[]
  readonly clientAuthentication: 'required' | 'optional'
  authorize(
    request: TokenRequest,
    client: RegisteredClient | undefined,
    tenant: Tenant,
  ): Promise<Authorization | OAuthError>
}
