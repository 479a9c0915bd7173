import { timingSafeEqual } from 'node:crypto'
import type { RefreshFamily } from './records.ts'

/** A refresh token that was presented, whose form proves that it is one of ours. */
export interface Rotation {
  readonly tenant: string
  readonly family: string
  /** The generation that the presented token is. */
  readonly generation: number
  /** SHA-256 of its secret. */
  readonly presentedHash: Uint8Array
  /** SHA-256 of the secret that follows on it; whoever holds the presented one, and nobody else, can have it made again. */
  readonly successorHash: Uint8Array
  /** Unix milliseconds. */
  readonly now: number
  /** How long the old token still gets the same successor. */
  readonly graceMs: number
}

/**
 * - `rotated`: the caller's is the one successor.
 * - `repeated`: inside the grace window; the successor that was made is the caller's too.
 * - `late`: the window has ended early, by the successor's first use. Refused, but no sign of theft yet.
 * - `reused`: an old token came back after the window. The family is revoked.
 * - `unknown`: no such token.
 */
export type RotationOutcome = 'rotated' | 'repeated' | 'late' | 'reused' | 'unknown'

export interface RotationVerdict {
  readonly outcome: RotationOutcome
  /** The family as it has to be written, where it changes. */
  readonly family?: RefreshFamily
}

/** A window has room for more rotations than any client makes in it. */
const REMEMBERED = 16

/**
 * What becomes of a presented refresh token. Every store calls this inside its own atomic step, so that all of them decide
 * alike (RFC 9700 section 4.14.2).
 */
export function judgeRotation(family: RefreshFamily, rotation: Rotation): RotationVerdict {
  const { generation, presentedHash, successorHash, now, graceMs } = rotation
  const behind = family.generation - generation
  if (behind < 0) return { outcome: 'unknown' }
  if (behind === 0) {
    if (!equal(presentedHash, family.currentHash)) return { outcome: 'unknown' }
    return {
      outcome: 'rotated',
      family: {
        ...family,
        generation: generation + 1,
        currentHash: successorHash,
        previousHash: presentedHash,
        rotatedAt: [...family.rotatedAt, now].slice(-REMEMBERED),
      },
    }
  }
  if (behind === 1 && !equal(presentedHash, family.previousHash)) return { outcome: 'unknown' }
  // Older than all that is remembered: no client gets that far behind, but a thief who rotates in a hurry leaves it behind.
  const supersededAt = family.rotatedAt.at(-behind) ?? -Infinity
  if (now - supersededAt >= graceMs) return { outcome: 'reused' }
  const same = behind === 1 && equal(successorHash, family.currentHash)
  return { outcome: same ? 'repeated' : 'late' }
}

function equal(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && one.length === other.length && timingSafeEqual(one, other)
}
