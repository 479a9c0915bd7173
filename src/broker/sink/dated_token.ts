import { unixSeconds, type Clock } from '../../platform/clock.ts'

/** A token, and what was left of it at the moment it was handed over. */
export interface SinkToken {
  readonly accessToken: string
  readonly scope: string
  /** Whole seconds. */
  readonly expiresIn: number
}

/** A token with its end on both clocks, for it lies in a file while either of them may jump or stand still. */
export interface DatedToken {
  readonly accessToken: string
  readonly scope: string
  /** Unix seconds. */
  readonly expiresAt: number
  /** Of the monotonic clock. */
  readonly endsAtMs: number
}

/** To be called at once: the seconds that are left are of this moment. Undefined when there are none. */
export function dated(
  { accessToken, scope, expiresIn }: SinkToken,
  clock: Clock,
): DatedToken | undefined {
  if (expiresIn <= 0) return undefined
  return {
    accessToken,
    scope,
    expiresAt: unixSeconds(clock) + expiresIn,
    endsAtMs: clock.monotonic() + expiresIn * 1000,
  }
}

/** A wall clock set back would keep an expired token, and one set forward is believed: the nearer end counts. */
export function isOver({ expiresAt, endsAtMs }: DatedToken, clock: Clock): boolean {
  return clock.wall() >= expiresAt * 1000 || clock.monotonic() >= endsAtMs
}
