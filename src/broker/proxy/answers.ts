import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../platform/clock.ts'
import type { Metrics, Tally } from '../../platform/metrics.ts'
import type { BrokerError } from '../errors.ts'

/** The name of a configured route, or `none`, as the metrics have it. */
export type CountedRoute = string

/** Closing at once could lose the answer. */
const LINGER_MS = 5_000

/** The one writer of the proxy's own answers; it counts those of upstreams, too. */
export class ProxyAnswers {
  readonly #metrics: Metrics
  readonly #clock: Clock
  /** Series found once per route and code. */
  readonly #tallies = new Map<CountedRoute, Map<number, Tally>>()

  constructor({ metrics, clock }: { readonly metrics: Metrics; readonly clock: Clock }) {
    this.#metrics = metrics
    this.#clock = clock
  }

  /** Answers instead of the upstream. `allow`: the methods that there are, where another was used. */
  refuse(
    request: IncomingMessage,
    response: ServerResponse,
    route: CountedRoute,
    error: BrokerError,
    allow?: string,
  ): void {
    this.count(route, error.status)
    const body = error.body()
    if (error.retryAfterSeconds !== undefined) {
      response.setHeader('retry-after', error.retryAfterSeconds)
    }
    if (error.challenge !== undefined) response.setHeader('www-authenticate', error.challenge)
    if (allow !== undefined) response.setHeader('allow', allow)
    this.drain(request)
    response.writeHead(error.status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // By which an agent tells a refusal of ours from one of the upstream.
      'lumo-error': error.code,
      'content-length': Buffer.byteLength(body),
    })
    response.end(body)
  }

  /**
   * Reads what is left of a body, for nobody, and not for long: whoever still sends has the answer all the same, and the
   * connection serves its next request.
   */
  drain(request: IncomingMessage): void {
    if (request.readableEnded) return
    request.resume()
    if (request.complete) return
    const { socket } = request
    const cancel = this.#clock.after(LINGER_MS, () => socket.destroy())
    request.once('close', cancel)
  }

  count(route: CountedRoute, status: number): void {
    const ofRoute = this.#tallies.get(route) ?? new Map<number, Tally>()
    const known = ofRoute.get(status)
    if (known) {
      known.add()
      return
    }
    this.#tallies.set(route, ofRoute)
    const labels = { listener: 'proxy', route, code: String(status) }
    const tally = this.#metrics.tally('requests', labels)
    ofRoute.set(status, tally)
    tally.add()
  }
}
