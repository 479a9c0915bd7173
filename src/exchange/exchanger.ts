import type { Scope } from '../oauth/scope.ts'
import type { SubjectTokenType, TokenType } from '../oauth/token_types.ts'

/** A proof or a token, and what is wanted for it. */
export interface ExchangeRequest {
  readonly subjectToken: string
  readonly subjectTokenType: SubjectTokenType
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  /** Which agent, where the proof fits several. */
  readonly clientId: string | undefined
  /** Whether somebody waits for it. It may become true while it waits for its turn. */
  readonly urgent: boolean
  /** Whose it is, by identity: those who wait are served in turn. Absent: one of a line of their own. */
  readonly owner?: object
  /** Who acts for the subject (RFC 8693 section 2.1). Absent: nobody. */
  readonly actor?: { readonly token: string; readonly tokenType: TokenType }
  /** Absent: the authority decides. */
  readonly requestedTokenType?: TokenType
}

export interface IssuedToken {
  readonly accessToken: string
  /** Undefined: the authority does not say, and was asked for none. */
  readonly scope: string | undefined
  /** Counted from when it was asked for. */
  readonly lifetimeSeconds: number
  /** As far as it is a type that we know. */
  readonly issuedTokenType?: TokenType
}

/**
 * - `outage`: nothing is known; what is cached stays good.
 * - `relayed`: the request itself was wrong, and whoever made it should know how.
 * - `refused`: the authority will not have it; what is cached goes.
 */
export type FailureKind = 'outage' | 'relayed' | 'refused'

export type RefusalMembers = Readonly<Record<string, string | number>>

/** No token came of an exchange. */
export class ExchangeFailure {
  readonly kind: FailureKind
  /** The authority's `error`, or a code of ours for an outage. */
  readonly error: string
  /** For the operator. */
  readonly detail: string
  readonly retryAfterSeconds: number | undefined
  /** What a 403 says beside its `error`, for whoever asked: which approval to wait for, how deep a chain may be. */
  readonly members: RefusalMembers
  constructor(
    kind: FailureKind,
    error: string,
    detail: string,
    retryAfterSeconds?: number,
    members: RefusalMembers = {},
  ) {
    this.kind = kind
    this.error = error
    this.detail = detail
    this.retryAfterSeconds = retryAfterSeconds
    this.members = members
  }
}

/** Exchanges a proof for a token, here or elsewhere. Never rejects. */
export interface Exchanger {
  exchange(request: ExchangeRequest): Promise<IssuedToken | ExchangeFailure>
}
