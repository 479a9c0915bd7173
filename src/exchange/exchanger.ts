import type { Scope } from '../oauth/scope.ts'
import type { SubjectTokenType } from '../oauth/token_types.ts'

/** A proof, and what is wanted for it. */
export interface ExchangeRequest {
  readonly subjectToken: string
  readonly subjectTokenType: SubjectTokenType
  readonly audiences: readonly string[]
  readonly resources: readonly string[]
  readonly scope: Scope | undefined
  /** Which agent, where the proof fits several. */
  readonly clientId: string | undefined
}

export interface IssuedToken {
  readonly accessToken: string
  readonly scope: string
  /** Counted from when it was asked for. */
  readonly lifetimeSeconds: number
}

/**
 * - `outage`: nothing is known; what is cached stays good.
 * - `relayed`: the request itself was wrong, and whoever made it should know how.
 * - `refused`: the authority will not have it; what is cached goes.
 */
export type FailureKind = 'outage' | 'relayed' | 'refused'

/** No token came of an exchange. */
export class ExchangeFailure {
  readonly kind: FailureKind
  /** The authority's `error`, or a code of ours for an outage. */
  readonly error: string
  /** For the operator. */
  readonly detail: string
  readonly retryAfterSeconds: number | undefined
  constructor(kind: FailureKind, error: string, detail: string, retryAfterSeconds?: number) {
    this.kind = kind
    this.error = error
    this.detail = detail
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Exchanges a proof for a token, here or elsewhere. Never rejects. */
export interface Exchanger {
  exchange(request: ExchangeRequest): Promise<IssuedToken | ExchangeFailure>
}
