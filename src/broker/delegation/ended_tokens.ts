import type { Clock } from '../../platform/clock.ts'
import type { Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { accessTokenOf } from '../servable.ts'
import type { Delegated } from './delegated.ts'

export interface EndedTokensDependencies {
  /** Has the authority end a token; false where it may still be good. Never rejects. */
  readonly revoke: (token: string) => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

const AT_ONCE = 4
const TRIES = 6
const FIRST_PAUSE_MS = 1_000
/** Of an authority that is out for long: what is left then ends by itself. */
const MAX_WAITING = 1_000

interface Ended {
  readonly delegated: Delegated
  tries: number
  readonly done: () => void
}

/** Tokens that nobody is to use any more, on their way to being revoked: again and again while the authority is out, within bounds. */
export class EndedTokens {
  readonly #dependencies: EndedTokensDependencies
  readonly #waiting: Ended[] = []
  #underWay = 0

  constructor(dependencies: EndedTokensDependencies) {
    this.#dependencies = dependencies
  }

  /** Resolves once each was tried, and is revoked or given up. Never rejects. */
  revoke = async (tokens: readonly Delegated[]): Promise<void> => {
    await Promise.all(
      tokens.map(
        (delegated) =>
          new Promise<void>((done) => {
            this.#add({ delegated, tries: 0, done })
          }),
      ),
    )
  }

  #add(ended: Ended): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#finish(ended, 'left')
      return
    }
    this.#waiting.push(ended)
    this.#next()
  }

  #next(): void {
    while (this.#underWay < AT_ONCE) {
      const ended = this.#waiting.shift()
      if (!ended) return
      this.#underWay += 1
      void this.#try(ended)
    }
  }

  async #try(ended: Ended): Promise<void> {
    const { clock, revoke } = this.#dependencies
    const isRevoked = await revoke(accessTokenOf(ended.delegated))
    this.#underWay -= 1
    ended.tries += 1
    if (isRevoked) this.#finish(ended, 'revoked')
    else if (ended.tries >= TRIES) this.#finish(ended, 'failed')
    else {
      clock.after(FIRST_PAUSE_MS * 2 ** (ended.tries - 1), () => {
        this.#add(ended)
      })
    }
    this.#next()
  }

  #finish({ delegated, done }: Ended, outcome: 'revoked' | 'failed' | 'left'): void {
    const { log, metrics } = this.#dependencies
    metrics.tally('revocations', { outcome }).add()
    if (outcome !== 'revoked') {
      log.warn('a token of an ended session could not be revoked, and is good until it ends', {
        event: 'delegation.not_revoked',
        token_sha256: delegated.sha256,
      })
    }
    done()
  }
}
