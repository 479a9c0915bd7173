import { ServerResponse, type IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { RequestHandler, UpgradeHandler } from '../../platform/listen.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Bearers } from '../bearers.ts'
import type { Callers, Calling } from '../caller/callers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'
import { failedGuard, type GuardCode } from '../guards.ts'
import { ProxyAnswers } from './answers.ts'
import { behalfOf } from './behalf.ts'
import { bodyOf, headersToUpstream } from './headers.ts'
import { hasOverride } from './overrides.ts'
import { Passage, type Judged, type PassageDependencies, type Upgrade } from './passage.ts'
import { pathAt, ProxyRoutes, type ProxyRoute } from './routes.ts'
import { Running } from './running.ts'
import { targetOf } from './target.ts'

export interface ProxyDependencies {
  readonly routes: readonly ProxyRoute[]
  readonly bearers: Bearers
  readonly callers: Callers
  /** The `Host` values that are served; known once the listener has its ports. */
  readonly hosts: () => ReadonlySet<string>
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
}

export interface ProxyHandlers {
  readonly handler: RequestHandler
  readonly upgrade: UpgradeHandler
}

/** Requests of one route that are under way. */
const MAX_UNDER_WAY = 256

/** One request, and where its answer goes. */
interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly upgrade: Upgrade | undefined
}

/** What programs of the pod send their requests through. Node's own handler: a framework would read bodies. */
export function proxyHandlers(dependencies: ProxyDependencies): ProxyHandlers {
  const listener = new ProxyListener(dependencies)
  return {
    handler: (request, response) => {
      listener.take({ request, response, upgrade: undefined })
    },
    upgrade: (request, socket, head) => {
      listener.take({ request, response: responseOn(request, socket), upgrade: { socket, head } })
    },
  }
}

/** For whatever is not upgraded: Node has let go of the connection, which ends with the answer. */
function responseOn(request: IncomingMessage, socket: Upgrade['socket']): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  socket.on('error', () => socket.destroy())
  if (socket instanceof Socket) {
    response.assignSocket(socket)
    // As for any other request: whoever ends their side before the answer wants none. A tunnel has the socket to itself.
    socket.once('end', () => {
      if (response.socket === socket) socket.destroy()
    })
  }
  response.once('finish', () => {
    if (socket instanceof Socket) socket.destroySoon()
  })
  return response
}

class ProxyListener {
  readonly #dependencies: ProxyDependencies
  readonly #routes: ProxyRoutes
  readonly #answers: ProxyAnswers
  readonly #around: PassageDependencies
  readonly #underWay = new Map<ProxyRoute, number>()

  constructor(dependencies: ProxyDependencies) {
    this.#dependencies = dependencies
    this.#routes = new ProxyRoutes(dependencies.routes)
    this.#answers = new ProxyAnswers(dependencies)
    const { bearers, clock, log } = dependencies
    this.#around = { bearers, clock, log, answers: this.#answers, running: new Running(clock) }
  }

  take(exchange: Exchange): void {
    const fail = (error: unknown): void => {
      const refusal = this.#unforeseen(error)
      if (exchange.response.headersSent) exchange.request.socket.destroy()
      else this.#refuse(exchange, 'none', refusal)
    }
    try {
      const served = this.#serve(exchange)
      if (served) served.catch(fail)
    } catch (error) {
      fail(error)
    }
  }

  /** Without a promise where nothing has to be waited for: this is the hot path. */
  #serve(exchange: Exchange): Promise<void> | undefined {
    const { request } = exchange
    const guard = failedGuard(request, this.#dependencies.hosts())
    if (guard) {
      this.#refuse(exchange, 'none', new BrokerError(guardCodeOf(guard, request)))
      return undefined
    }
    const caller = this.#dependencies.callers.of(request)
    if (!(caller instanceof Promise)) return this.#serveTo(caller, exchange)
    return caller.then((found) => this.#serveTo(found, exchange))
  }

  #serveTo(caller: Calling, exchange: Exchange): Promise<void> | undefined {
    const refuse = (error: BrokerError, route?: ProxyRoute): undefined => {
      const allow = error.code === 'proxy_method_not_allowed' ? route?.allow : undefined
      this.#refuse(exchange, route?.name ?? 'none', error, allow)
    }
    if (caller instanceof BrokerError) return refuse(caller)
    if (!caller.rate.take())
      return refuse(new BrokerError('rate_limited', { retryAfterSeconds: 1 }))
    const target = targetOf(exchange.request.url ?? '')
    if (target instanceof BrokerError) return refuse(target)
    const route = this.#routes.find(target)
    if (!route) return refuse(new BrokerError('proxy_route_unknown'))
    const judged = this.#judge(route, pathAt(route, target), exchange)
    if (judged instanceof BrokerError) return refuse(judged, route)
    if ((this.#underWay.get(route) ?? 0) >= MAX_UNDER_WAY) {
      return refuse(new BrokerError('proxy_overloaded'), route)
    }
    return this.#pass(caller, judged, exchange)
  }

  #judge(
    route: ProxyRoute,
    path: string | undefined,
    { request, upgrade }: Exchange,
  ): Judged | BrokerError {
    const { method = '' } = request
    if (hasOverride(request)) return new BrokerError('proxy_override_refused')
    if (!route.methods.has(method)) return new BrokerError('proxy_method_not_allowed')
    if (path === undefined) return new BrokerError('proxy_path_not_allowed')
    const hasBody = bodyOf(request)
    if (hasBody instanceof BrokerError) return hasBody
    if (upgrade && (hasBody || method !== 'GET' || !asksForWebSocket(request))) {
      return new BrokerError('proxy_upgrade_refused')
    }
    const behalf = behalfOf(request, route.forSubject)
    if (behalf instanceof BrokerError) return behalf
    return { route, method, path, headers: headersToUpstream(request, hasBody), hasBody, behalf }
  }

  #pass(workload: Workload, judged: Judged, exchange: Exchange): Promise<void> | undefined {
    const { route, behalf } = judged
    this.#underWay.set(route, (this.#underWay.get(route) ?? 0) + 1)
    const passage = new Passage({ workload, judged, ...exchange }, this.#around, () => {
      this.#underWay.set(route, (this.#underWay.get(route) ?? 1) - 1)
    })
    const bearer = this.#dependencies.bearers.of(workload, route.wish, behalf)
    if (bearer instanceof Promise) {
      return bearer.then((found) => {
        passage.begin(found)
      })
    }
    passage.begin(bearer)
    return undefined
  }

  #refuse(
    { request, response }: Exchange,
    route: string,
    error: BrokerError,
    allow?: string,
  ): void {
    this.#dependencies.log.debug('the proxy refused a request', { route, code: error.code })
    this.#answers.refuse(request, response, route, error, allow)
  }

  #unforeseen(error: unknown): BrokerError {
    this.#dependencies.log.error('a request of the proxy failed', causeOf(error))
    return new BrokerError('unexpected')
  }
}

/** Clients that take this for a forward proxy name the whole URL, which is another's, and know nothing of our header. */
function guardCodeOf(guard: GuardCode, { url = '' }: IncomingMessage): BrokerErrorCode {
  const isAbsolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(url)
  return isAbsolute && guard !== 'forwarded_request' ? 'proxy_forward_refused' : guard
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.trim().toLowerCase() === 'websocket'
}
