import type { Clock } from '../../platform/clock.ts'
import type { Workload } from '../caller/workload.ts'
import { ownToken, type OwnToken } from '../own_token.ts'
import { BrokerError } from '../errors.ts'
import type { GetToken } from '../get_token.ts'
import type { LocalGate } from '../local_gate.ts'
import { plainWish } from '../wish.ts'

/** An authority that knows no token must not be asked for one by each question. */
const NEW_MS = 10_000

export interface OwnTokensDependencies {
  readonly getToken: GetToken
  /** The same beneath no local policy. */
  readonly getAside: GetToken
  readonly gate: LocalGate
  readonly clock: Clock
}

/**
 * The workload's own token without a target, as what it acts and asks with. The local policy says what the workload may
 * have, and this it never sees: where there is a policy, it is held aside.
 */
export class OwnTokens {
  readonly #dependencies: OwnTokensDependencies

  constructor(dependencies: OwnTokensDependencies) {
    this.#dependencies = dependencies
  }

  async plain(workload: Workload, named: string | undefined): Promise<OwnToken | BrokerError> {
    const { getToken, getAside, gate } = this.#dependencies
    const side = this.#sideOf(workload)
    if (side === workload) return ownToken(getToken, workload, named)
    return ownToken(getAside, side, named ?? gate.completes(workload, plainWish).agent)
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
    if (answer.kind !== 'unproven') return answer
    const other = await this.instead(workload, agent, own)
    if (other === undefined || other instanceof BrokerError) return other ?? answer
    return ask(other.token)
  }

  /** Another one in place of one that the authority may not know any more. Undefined: there is none, or this one is new. */
  async instead(
    workload: Workload,
    agent: string | undefined,
    doubted: OwnToken,
  ): Promise<OwnToken | BrokerError | undefined> {
    if (this.#dependencies.clock.monotonic() - doubted.askedAt < NEW_MS) return undefined
    const side = this.#sideOf(workload)
    for (const [key, { quotedToken }] of side.tokens.values()) {
      if (quotedToken === JSON.stringify(doubted.token)) side.tokens.drop(key)
    }
    const other = await this.plain(workload, agent)
    return !(other instanceof BrokerError) && other.token === doubted.token ? undefined : other
  }

  #sideOf(workload: Workload): Workload {
    return this.#dependencies.gate.isOpen ? workload : workload.aside
  }
}
