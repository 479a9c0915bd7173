import type { Outcome } from '../case.ts'

/** Seconds of the life of a token of an hour, after which it is due at the latest: 65 % and a tenth of that. */
export const DUE = 0.72 * 3_600
/** It is below its floor with 180 s left. */
export const BELOW_FLOOR = 3_600 - 100

export const UNAVAILABLE: Outcome = '503 authority_unavailable'
export const BUSY: Outcome = '503 authority_busy'
export const REFUSED: Outcome = '403 authority_refused'
