import type { FastifyReply } from 'fastify'
import type { Metrics, Tally } from '../platform/metrics.ts'
import type { BrokerError } from './errors.ts'

/** The routes as the metrics name them; `none` for whatever is no route. */
export type Route =
  'token' | 'exchange' | 'sessions' | 'identity' | 'drop_in' | 'forwarded' | 'discovery' | 'none'

/** An answer of somebody else, with those of its headers that may go on. */
export interface PassedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer of ours that is not 200 with a body. */
export interface WrittenAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

const passedHeaders = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const
const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' } as const

/** The one writer of the broker's answers, which counts each. */
export class Answers {
  readonly #metrics: Metrics
  /** Series found once per route and code, so that counting on the hot path is one addition. */
  readonly #tallies: Readonly<Record<Route, Map<number, Tally>>> = {
    token: new Map(),
    exchange: new Map(),
    sessions: new Map(),
    identity: new Map(),
    drop_in: new Map(),
    forwarded: new Map(),
    discovery: new Map(),
    none: new Map(),
  }

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  /** Answers 200 with a body of JSON. */
  send(reply: FastifyReply, route: Route, body: string): FastifyReply {
    this.#count(route, 200)
    return reply.headers(headers).send(body)
  }

  /** Answers with another status, or without a body. */
  sendAs(reply: FastifyReply, route: Route, { status, headers: more, body }: WrittenAnswer) {
    this.#count(route, status)
    if (body === undefined) reply.header('cache-control', 'no-store')
    else reply.headers(headers)
    return reply.code(status).headers(more).send(body)
  }

  /** Hands on an answer of the authority, as it is. */
  pass(reply: FastifyReply, { status, headers, body }: PassedAnswer): FastifyReply {
    this.#count('forwarded', status)
    return reply.code(status).headers(headers).headers(passedHeaders).send(body)
  }

  refuse(reply: FastifyReply, route: Route, error: BrokerError): FastifyReply {
    this.#count(route, error.status)
    if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
    if (error.challenge !== undefined) reply.header('www-authenticate', error.challenge)
    return reply.code(error.status).headers(headers).send(error.body())
  }

  #count(route: Route, status: number): void {
    const known = this.#tallies[route].get(status)
    if (known) {
      known.add()
      return
    }
    const labels = { listener: 'broker', route, code: String(status) }
    const tally = this.#metrics.tally('requests', labels)
    this.#tallies[route].set(status, tally)
    tally.add()
  }
}
