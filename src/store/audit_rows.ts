/** One event as it lies in the store: its text is what was hashed. */
export interface AuditRow {
  /** Chain that it stands in: one for each process and stretch of time. */
  readonly segment: string
  /** Place in the segment, from 0. */
  readonly sequence: number
  readonly tenant: string
  /** Unix milliseconds. */
  readonly at: number
  /** The event as JSON. */
  readonly text: string
  /** SHA-256 over the hash before it and the text. */
  readonly hash: Uint8Array
}

/** The signed end of a segment. It stays when the rows are dropped. */
export interface AuditHead {
  readonly segment: string
  /** How many rows it had. */
  readonly rows: number
  /** Hash of the last. */
  readonly hash: Uint8Array
  /** Unix milliseconds. */
  readonly closedAt: number
  /** Ed25519, over `headText` of `src/audit/chain.ts`. */
  readonly signature: Uint8Array
}
