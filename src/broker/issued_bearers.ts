import type { Clock } from '../platform/clock.ts'
import type { KeySubject } from '../cache/key.ts'
import type { Bearer, Bearers, OnBehalfOf } from './bearers.ts'
import type { Workload } from './caller/workload.ts'
import type { ActFor, Acted } from './delegation/act_for.ts'
import type { Acting } from './delegation/acting.ts'
import { actingFor, ownerOf } from './delegation/find_acting.ts'
import type { Handle } from './delegation/handle.ts'
import { BrokerError } from './errors.ts'
import type { GetToken, Served } from './get_token.ts'
import type { LocalGate } from './local_gate.ts'
import { accessTokenOf, type Servable } from './servable.ts'
import type { Wish } from './wish.ts'

export interface IssuedBearersDependencies {
  readonly getToken: GetToken
  readonly actFor: ActFor
  readonly gate: LocalGate
  readonly clock: Clock
}

/** The tokens that the broker itself adds to requests: the workload's own, or those by which it acts for somebody. Neither ever takes the place of the other. */
export class IssuedBearers implements Bearers {
  readonly #dependencies: IssuedBearersDependencies
  /** Made once for each token, for reading one costs more than finding it. */
  readonly #known = new WeakMap<Servable, Bearer>()

  constructor(dependencies: IssuedBearersDependencies) {
    this.#dependencies = dependencies
  }

  of(
    workload: Workload,
    wish: Wish,
    behalf: OnBehalfOf | undefined,
  ): Bearer | BrokerError | Promise<Bearer | BrokerError> {
    if (behalf)
      return this.#onBehalf(workload, behalf, (acting) => this.#acted(workload, acting, wish))
    const { getToken } = this.#dependencies
    const cached = getToken.fromCache(workload, wish)
    if (cached) return this.#own(cached)
    return getToken.byExchange(workload, wish).then((served) => this.#own(served))
  }

  async instead(
    workload: Workload,
    wish: Wish,
    behalf: OnBehalfOf | undefined,
    rejected: Bearer,
  ): Promise<Bearer | BrokerError> {
    const { getToken, actFor } = this.#dependencies
    if (!behalf) return this.#own(await getToken.instead(workload, wish, rejected.token))
    return this.#onBehalf(workload, behalf, async (acting) =>
      this.#bearerOf(acting, await actFor.instead(workload, acting, wish, rejected.token)),
    )
  }

  #onBehalf(
    workload: Workload,
    behalf: OnBehalfOf,
    act: (acting: Acting) => Bearer | BrokerError | Promise<Bearer | BrokerError>,
  ): Bearer | BrokerError | Promise<Bearer | BrokerError> {
    const find = (owner: KeySubject | BrokerError) => {
      if (owner instanceof BrokerError) return owner
      const acting = actingFor(workload, owner, behalf, this.#dependencies)
      return acting instanceof BrokerError ? acting : act(acting)
    }
    const owner = ownerOf(workload)
    return owner instanceof Promise ? owner.then(find) : find(owner)
  }

  #acted(
    workload: Workload,
    acting: Acting,
    wish: Wish,
  ): Bearer | BrokerError | Promise<Bearer | BrokerError> {
    const { actFor } = this.#dependencies
    const cached = actFor.fromCache(acting, wish)
    if (cached) return this.#bearerOf(acting, cached)
    return actFor.get(workload, acting, wish).then((result) => {
      workload.subjects.forgetIfEmpty(acting)
      return this.#bearerOf(acting, result)
    })
  }

  #bearerOf(acting: Acting, result: Acted | Handle | BrokerError): Bearer | BrokerError {
    if (result instanceof BrokerError) return result
    if (!('delegated' in result)) return this.#consentMissing(result)
    const { delegated } = result
    const known = this.#known.get(delegated)
    if (known) return known
    const bearer: Bearer = {
      token: accessTokenOf(delegated),
      askedAt: delegated.askedAt,
      whenEnded: (ended) => acting.use(delegated, ended),
    }
    this.#known.set(delegated, bearer)
    return bearer
  }

  #consentMissing({ id, approval, pendingUntil }: Handle): BrokerError {
    const left = pendingUntil - this.#dependencies.clock.monotonic()
    return new BrokerError('consent_required', {
      members: { handle: id, approval, expires_in: Math.max(0, Math.ceil(left / 1000)) },
    })
  }

  #own(served: Served | BrokerError): Bearer | BrokerError {
    if (served instanceof BrokerError) return served
    const { servable, askedAt } = served
    const known = this.#known.get(servable)
    if (known) return known
    const bearer: Bearer = {
      token: accessTokenOf(servable),
      askedAt,
      whenEnded: () => () => {},
    }
    this.#known.set(servable, bearer)
    return bearer
  }
}
