import type { Change } from './change.ts'
import type { Shape } from './world.ts'

/** What a caller got: the status, and of a refusal its `code`. */
export type Outcome = string

/**
 * What callers see of a step. A list: exactly these outcomes. `from` and `to`: it turns, and whoever asks after the first
 * `to` came sees no `from` any more.
 */
export type Sees = readonly Outcome[] | { readonly from: readonly Outcome[]; readonly to: Outcome }

export interface Step {
  readonly change: Change
  /** It lasts so many seconds at least, and until everything that is expected was seen. */
  readonly lasts: number
  /** Callers that had a token before the case began. */
  readonly holders: Sees
  /** Callers of tokens that nobody had yet. Absent: there are none in this step. */
  readonly newcomers?: Sees
  /** Of each refusal that newcomers got, in seconds. */
  readonly retryAfter?: number
}

export interface FaultCase {
  readonly name: string
  readonly shape: Shape
  /** Of a token, in seconds. Default: 3600. */
  readonly lifetime?: number
  readonly byName?: true
  /** How many callers ask for the same token, which they have. Default: 2. */
  readonly holders?: number
  /** Whether they take up a new proof, as programs do that read it each time. Node shape only. */
  readonly followsProof?: true
  readonly steps: readonly Step[]
  /** The step, counted from 0, at whose beginning the fault has ended. Absent: it does not end. */
  readonly endsAt?: number
  /** The broker's log names this error while the fault lasts. */
  readonly told?: string
  /** Whether callers with a token were served below its floor, or while it could not be replaced. */
  readonly stale?: boolean
  /** Whether the token that was held is replaced once the fault has ended. */
  readonly renewed?: boolean
  /** Requests to the authority that one caller without a token may cause each time it asks. Default: 11. */
  readonly attempts?: number
  /** Requests to the authority on behalf of the tokens that are held, in all. Default: 24. */
  readonly refreshes?: number
  /** Part of `npm test`. */
  readonly inTests?: true
}
