import { tokenTypes } from '../../oauth/token_types.ts'
import { unixSeconds, type Clock } from '../../platform/clock.ts'
import type { KeySubject } from '../../cache/key.ts'
import { ProofFault, type Proof, type ProofSource } from '../proof.ts'

/**
 * The newest token that a pod showed, once it was verified: in memory only, and only for that pod. It is what its tokens are
 * refreshed with until it ends; nothing is fetched in its place.
 */
export class HeldProof implements ProofSource {
  readonly subject: KeySubject
  readonly #clock: Clock
  #newest: Proof
  #endsAt: number

  constructor(subject: KeySubject, token: string, expiresAt: number, clock: Clock) {
    this.subject = subject
    this.#clock = clock
    this.#newest = { token, tokenType: tokenTypes.jwt, subject, expiresAt }
    this.#endsAt = this.#monotonicEndOf(expiresAt)
  }

  /** Takes a token that was verified as this subject's, if it lasts longer. */
  offer(token: string, expiresAt: number): void {
    if (expiresAt <= this.#newest.expiresAt) return
    this.#newest = { token, tokenType: tokenTypes.jwt, subject: this.subject, expiresAt }
    this.#endsAt = this.#monotonicEndOf(expiresAt)
  }

  /** By both clocks, the nearer one. */
  get hasEnded(): boolean {
    const { expiresAt } = this.#newest
    return unixSeconds(this.#clock) >= expiresAt || this.#clock.monotonic() >= this.#endsAt
  }

  read(): Promise<Proof | ProofFault> {
    return Promise.resolve(
      this.hasEnded
        ? new ProofFault('proof_expired', 'the newest token that the pod showed has expired')
        : this.#newest,
    )
  }

  last(): Proof {
    return this.#newest
  }

  #monotonicEndOf(expiresAt: number): number {
    return this.#clock.monotonic() + expiresAt * 1000 - this.#clock.wall()
  }
}
