import type { Clock } from '../../platform/clock.ts'
import type { Workload } from '../caller/workload.ts'
import { ownToken, type OwnToken } from '../own_token.ts'
import { BrokerError } from '../errors.ts'
import type { GetToken } from '../get_token.ts'

/** An authority that knows no token must not be asked for one by each question. */
const NEW_MS = 10_000

/** The workload's own token, as what it acts and asks with. */
export class OwnTokens {
  readonly #getToken: GetToken
  readonly #clock: Clock

  constructor(getToken: GetToken, clock: Clock) {
    this.#getToken = getToken
    this.#clock = clock
  }

  /** Made for another target it proves nobody as an actor, and the local policy allows none without one. */
  async plain(workload: Workload, agent: string | undefined): Promise<OwnToken | BrokerError> {
    const own = await ownToken(this.#getToken, workload, agent)
    if (own instanceof BrokerError) return own
    return own.isPlain ? own : new BrokerError('audience_not_allowed')
  }

  /** Asks the authority something with it. Where that is not known there any more, another one is had, once. */
  async asking<Answer extends { readonly kind: string }>(
    workload: Workload,
    agent: string | undefined,
    ask: (own: string) => Promise<Answer>,
  ): Promise<Answer | BrokerError> {
    const own = await this.plain(workload, agent)
    if (own instanceof BrokerError) return own
    const answer = await ask(own.token)
    const isNew = this.#clock.monotonic() - own.askedAt < NEW_MS
    if (answer.kind !== 'unproven' || isNew) return answer
    for (const [key, { quotedToken }] of workload.tokens.values()) {
      if (quotedToken === JSON.stringify(own.token)) workload.tokens.drop(key)
    }
    const other = await this.plain(workload, agent)
    if (other instanceof BrokerError) return other
    return other.token === own.token ? answer : ask(other.token)
  }
}
