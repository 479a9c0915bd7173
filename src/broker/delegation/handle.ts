import type { CacheKey } from '../../cache/key.ts'
import type { BrokerError } from '../errors.ts'
import type { Wish } from '../wish.ts'
import type { Acting } from './acting.ts'
import type { IdentifierDigest } from './identifiers.ts'

/** What became of it. `failed`: the user agreed, and no token came of it all the same, or nobody can tell any more. */
export type HandleState =
  | { readonly status: 'pending' | 'approved' | 'denied' | 'expired' }
  | { readonly status: 'failed'; readonly error: BrokerError }

/** What a workload waits by until a user has agreed: in place of a socket that stays open. */
export interface Handle {
  readonly id: string
  readonly digest: IdentifierDigest
  readonly key: CacheKey
  readonly acting: Acting
  readonly wish: Wish
  /** The authority's name of what the user is asked. */
  readonly approval: string
  /** Monotonic: until then the user may answer. */
  readonly pendingUntil: number
  state: HandleState
  /** Monotonic: the authority is not asked before. */
  askAt: number
  /** In a row. */
  failures: number
  isAsking: boolean
}
