import type { KeyObject } from 'node:crypto'
import type { SignatureAlgorithm } from './algorithms.ts'
import type { KeySet } from './key_set.ts'

/** The keys cannot be had now, which says nothing about the proof. */
export interface KeysUnavailable {
  readonly unavailable: string
  readonly retryAfterSeconds: number
}

/** Where the keys of one provider come from. */
export interface KeySource {
  /** `unknown`: the issuer has no such key, as far as can be known now. */
  find(kid: string, algorithm: SignatureAlgorithm): Promise<KeyObject | 'unknown' | KeysUnavailable>
}

/** Keys that lie here: in the configuration, or in a file that is followed. */
export function localKeys(current: () => KeySet): KeySource {
  return {
    find: (kid, algorithm) => Promise.resolve(current().find(kid, algorithm) ?? 'unknown'),
  }
}
