/** A request to the authority beside the exchange of proofs. */
export interface LinkRequest {
  readonly method: 'GET' | 'POST'
  readonly path: LinkPath
  /** Without its question mark; empty where there is none. */
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  readonly totalTimeoutMs: number
}

/** Where at the authority: below what is the tenant's there, or at its root. Segments that need no encoding, joined by slashes. */
export interface LinkPath {
  readonly from: 'tenant' | 'root'
  readonly segments: readonly string[]
}

export interface LinkAnswer {
  readonly status: number
  /** By its name in lower case. */
  header(name: string): string | undefined
  readonly body: string
}

/** - `unavailable`: no answer came. - `unusable`: one came that is too large. */
export class LinkFailure {
  readonly code: 'unavailable' | 'unusable'
  /** For the operator. */
  readonly detail: string
  constructor(code: LinkFailure['code'], detail: string) {
    this.code = code
    this.detail = detail
  }
}

/** Asks the authority, here or elsewhere. Adds nothing of its own, follows no redirect, never rejects. */
export type AuthorityLink = (request: LinkRequest) => Promise<LinkAnswer | LinkFailure>

/** The longest answer that is read. */
export const MAX_LINK_ANSWER_BYTES = 1_048_576
