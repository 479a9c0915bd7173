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

/** Of one owner. */
const AT_ONCE = 4
const TRIES = 6
const FIRST_PAUSE_MS = 1_000
/** Of one owner, with an authority that is out for long: what is left then ends by itself. */
const MAX_WAITING = 20_000

interface Ended {
  readonly delegated: Delegated
  tries: number
  readonly done: () => void
}

/** What one owner has waiting. */
interface Line {
  readonly waiting: Ended[]
  underWay: number
}

/**
 * Tokens that nobody is to use any more, on their way to being revoked: again and again while the authority is out, within
 * bounds. Each workload has a line of its own, so that none takes the turns of another.
 */
export class EndedTokens {
  readonly #dependencies: EndedTokensDependencies
  readonly #lines = new WeakMap<object, Line>()

  constructor(dependencies: EndedTokensDependencies) {
    this.#dependencies = dependencies
  }

  /** Resolves once each was tried, and is revoked or given up. Never rejects. */
  revoke = async (owner: object, tokens: readonly Delegated[]): Promise<void> => {
    const line = this.#lines.get(owner) ?? { waiting: [], underWay: 0 }
    this.#lines.set(owner, line)
    await Promise.all(
      tokens.map(
        (delegated) =>
          new Promise<void>((done) => {
            this.#add(line, { delegated, tries: 0, done })
          }),
      ),
    )
  }

  #add(line: Line, ended: Ended): void {
    if (line.waiting.length >= MAX_WAITING) {
      this.#finish(ended, 'left')
      return
    }
    line.waiting.push(ended)
    this.#next(line)
  }

  #next(line: Line): void {
    while (line.underWay < AT_ONCE) {
      const ended = line.waiting.shift()
      if (!ended) return
      line.underWay += 1
      void this.#try(line, ended)
    }
  }

  async #try(line: Line, ended: Ended): Promise<void> {
    const { clock, revoke } = this.#dependencies
    const isRevoked = await revoke(accessTokenOf(ended.delegated))
    line.underWay -= 1
    ended.tries += 1
    if (isRevoked) this.#finish(ended, 'revoked')
    else if (ended.tries >= TRIES) this.#finish(ended, 'failed')
    else {
      clock.after(FIRST_PAUSE_MS * 2 ** (ended.tries - 1), () => {
        this.#add(line, ended)
      })
    }
    this.#next(line)
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
