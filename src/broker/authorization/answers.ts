import type { ServerResponse } from 'node:http'
import type { Metrics, Tally } from '../../platform/metrics.ts'
import type { BrokerError } from '../errors.ts'

/** The name of a configured route, or `none`, as the metrics have it. No route can be called so by a request alone. */
export type CountedRoute = string

/** The one writer of this listener's answers, which counts each. */
export class AuthorizationAnswers {
  readonly #metrics: Metrics
  /** Series found once per route and code. */
  readonly #tallies = new Map<CountedRoute, Map<number, Tally>>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** Answers with the token in a header, where a gateway takes it from. Never in a body, which a gateway might show. */
  grant(response: ServerResponse, route: CountedRoute, token: string): void {
    this.#count(route, 200)
    response.writeHead(200, {
      authorization: `Bearer ${token}`,
      'cache-control': 'no-store',
      'content-length': 0,
    })
    response.end()
  }

  refuse(response: ServerResponse, route: CountedRoute, error: BrokerError): void {
    const status = statusFor(error)
    this.#count(route, status)
    const body = error.body()
    const { retryAfterSeconds } = error
    if (retryAfterSeconds !== undefined) response.setHeader('retry-after', retryAfterSeconds)
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  }

  #count(route: CountedRoute, status: number): void {
    const ofRoute = this.#tallies.get(route) ?? new Map<number, Tally>()
    this.#tallies.set(route, ofRoute)
    const known = ofRoute.get(status)
    if (known) {
      known.add()
      return
    }
    const labels = { listener: 'authorization', route, code: String(status) }
    const tally = this.#metrics.tally('requests', labels)
    ofRoute.set(status, tally)
    tally.add()
  }
}

/**
 * Gateways hand the status on to their client, who chose nothing of what is asked for here: a 400 or 401 would tell it to
 * mend its request.
 */
function statusFor({ status }: BrokerError): number {
  return status === 400 || status === 401 ? 403 : status
}
