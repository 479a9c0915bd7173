import type { Workload } from './caller/workload.ts'
import type { BrokerError } from './errors.ts'
import type { Wish } from './wish.ts'

/** On whose behalf: a subject token that was shown, or a session of this workload. */
export type OnBehalfOf =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'session'; readonly id: string }

/** A token on its way into a request that the broker itself sends, or a gateway beside it. */
export interface Bearer {
  readonly token: string
  /** Monotonic milliseconds: when it was asked for. */
  readonly askedAt: number
  /**
   * Calls back once when the token must not be in use any more: it was revoked, or its session or its subject ended. Gives
   * what stops listening. A workload's own token never ends so.
   */
  whenEnded(callback: () => void): () => void
}

/** Where those who add tokens to requests get them. */
export interface Bearers {
  /**
   * At once where it is held: this is the hot path. `behalf` undefined: the workload's own token. A user who has yet to
   * agree: `consent_required`, with the handle to wait by.
   */
  of(
    workload: Workload,
    wish: Wish,
    behalf: OnBehalfOf | undefined,
  ): Bearer | BrokerError | Promise<Bearer | BrokerError>
  /** A resource answered 401 to this one: it is dropped, if it is held still, and another is issued. */
  instead(
    workload: Workload,
    wish: Wish,
    behalf: OnBehalfOf | undefined,
    rejected: Bearer,
  ): Promise<Bearer | BrokerError>
}
