import { hash } from 'node:crypto'
import type { Random } from '../../platform/random.ts'

declare const digested: unique symbol

/** What an identifier is looked up by. Made in this file only. */
export type IdentifierDigest = string & { readonly [digested]: true }

/** Of an identifier that was shown: how to look it up, or why nothing can be found under it. */
export type Shown =
  | { readonly kind: 'own'; readonly digest: IdentifierDigest }
  /** An earlier run of this broker made it, or nobody did. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'malformed' }

const RUN_BYTES = 6
const SECRET_BYTES = 32
const form = /^([A-Za-z0-9_-]{8})\.[A-Za-z0-9_-]{43}$/

/**
 * Names of sessions and handles: 256 bits that nobody guesses, behind a mark of this run, by which one of an earlier run is
 * told from one that never was. They are looked up by their hash, so that no comparison takes the longer the more of one
 * was right.
 */
export class Identifiers {
  readonly #random: Random
  readonly #run: string

  constructor(random: Random) {
    this.#random = random
    this.#run = random.bytes(RUN_BYTES).toString('base64url')
  }

  make(): { readonly id: string; readonly digest: IdentifierDigest } {
    const id = `${this.#run}.${this.#random.bytes(SECRET_BYTES).toString('base64url')}`
    return { id, digest: digestOf(id) }
  }

  read(shown: string): Shown {
    const [, run] = form.exec(shown) ?? []
    if (run === undefined) return { kind: 'malformed' }
    return run === this.#run ? { kind: 'own', digest: digestOf(shown) } : { kind: 'lost' }
  }
}

function digestOf(id: string): IdentifierDigest {
  return hash('sha256', id, 'base64url') as IdentifierDigest
}
