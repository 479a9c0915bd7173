import type { UserConfig } from '../../config/user.ts'
import type { Act } from '../../oauth/act.ts'
import type { OAuthError } from '../../oauth/errors.ts'
import type { GrantName } from '../../oauth/grant_types.ts'
import type { TokenType } from '../../oauth/token_types.ts'
import type { Allowed, Ceiling } from '../../policy/ceiling.ts'
import type { RegisteredClient } from '../client/registered.ts'
import type { DpopProof } from '../dpop/proof.ts'
import type { Charge } from '../limits.ts'
import type { GrantParameter, TokenRequest } from '../request.ts'
import type { Party, Tenant } from '../tenant.ts'

/** Who asks, as far as the phases before the grant could prove it. */
export interface Caller {
  /** A client that authenticated, or a public one that named itself. */
  readonly client: RegisteredClient | undefined
  readonly authenticated: boolean
  /** Key whose possession was shown (RFC 9449). */
  readonly dpop: DpopProof | undefined
}

/** What a grant proved: whose token it is, and the widest that it may be. */
export interface Authorization {
  /** Whom it is issued to. */
  readonly party: Party
  readonly sub: string
  readonly ceiling: Ceiling
  /** What a request without target gets. */
  readonly targets: readonly string[]
  readonly lifetimeSeconds: number
  /** It must not outlive this, in Unix seconds. */
  readonly notAfter?: number
  /** Of what it is derived from; a new one where it is the first. */
  readonly grantId?: string | undefined
  /** `jti` of the tokens that it is derived from, the first one first. */
  readonly derivedFrom?: readonly string[]
  readonly act?: Act | undefined
  readonly mayAct?: { readonly sub: string; readonly iss: string } | undefined
  readonly authTime?: number | undefined
  /** True: nothing can be derived of it. */
  readonly final?: boolean
  /** RFC 8693 section 2.2.1; token exchange only. */
  readonly issuedTokenType?: TokenType
  /** The user whom an ID token is made about, where one was asked for. */
  readonly identity?: { readonly user: UserConfig; readonly nonce: string | undefined }
  readonly identityScope?: readonly string[]
  /** Whoever holds a token asked, who need not be the party: nothing of the party's own budget is spent then. */
  readonly byHolder?: boolean
  /** Whose budget it is, where no client authenticated. */
  readonly charge?: Charge
  /** For the audit trail: the platform and the subject of a proof. */
  readonly proof?: { readonly provider: string; readonly subject: string }
  /** Spends what is good once. Called last, when nothing else can refuse the request any more. */
  readonly spend?: (allowed: Allowed) => Promise<Spent | OAuthError>
}

export interface Spent {
  readonly refreshToken?: string
}

/**
 * One grant of the token endpoint. It proves who asks and nothing more: the frame in `token.ts` authenticates the client
 * before it, decides scope and target after it, and mints and answers for it.
 */
export interface Grant {
  readonly name: GrantName
  /** The parameters of its own. Any other that has a meaning somewhere is refused before the grant is asked. */
  readonly parameters: readonly GrantParameter[]
  /**
   * `required`: a client with credentials. `identified`: a public client may name itself instead. `optional`: something else
   * can stand in for a client.
   */
  readonly clientAuthentication: 'required' | 'identified' | 'optional'
  authorize(
    request: TokenRequest,
    caller: Caller,
    tenant: Tenant,
  ): Promise<Authorization | OAuthError>
}
