import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Clock } from '../../platform/clock.ts'
import { causeOf, type Log } from '../../platform/log.ts'
import type { Bearer, Bearers, OnBehalfOf } from '../bearers.ts'
import type { Workload } from '../caller/workload.ts'
import { BrokerError } from '../errors.ts'
import type { ProxyAnswers } from './answers.ts'
import { DroppedAnswer } from './dropped_answer.ts'
import { hasUnknownCoding, headersOfAnswer, type HeaderList } from './headers.ts'
import { RequestBody } from './request_body.ts'
import { isOfRoute } from './route_fault.ts'
import type { ProxyRoute } from './routes.ts'
import type { Running, Timed } from './running.ts'
import { tunnel } from './tunnel.ts'
import { faultOf, type UpstreamFault } from './upstream.ts'

/** What was judged, and nothing else, goes to the upstream. */
export interface Judged {
  readonly route: ProxyRoute
  readonly method: string
  readonly path: string
  readonly headers: HeaderList
  readonly hasBody: boolean
  readonly behalf: OnBehalfOf | undefined
}

export interface PassageDependencies {
  readonly bearers: Bearers
  readonly answers: ProxyAnswers
  readonly running: Running
  readonly clock: Clock
  readonly log: Log
}

/** The connection of a caller that asks for another protocol. */
export interface Upgrade {
  readonly socket: Duplex
  readonly head: Buffer
}

type Controller = Dispatcher.DispatchController

/** An upstream that answers 401 for ever must not cause an exchange for each request. */
const FRESH_MS = 10_000

const ENDED = new Error('the request is over')

/**
 * One request on its way to the upstream, and the answer on its way back, chunk by chunk: whoever reads slowly makes the
 * other side wait. It is the handler of the HTTP client, without a stream in between.
 */
export class Passage implements Dispatcher.DispatchHandler, Timed {
  readonly #workload: Workload
  readonly #judged: Judged
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #upgrade: Upgrade | undefined
  readonly #around: PassageDependencies
  readonly #onEnd: () => void
  #bearer: Bearer | undefined
  #stopListening: (() => void) | undefined
  #body: RequestBody | undefined
  #controller: Controller | undefined
  #tunnel: { destroy(): void } | undefined
  #isOver = false
  #isRepeated = false
  /** The answer is written to its end. */
  #isAnswered = false
  /** Of the answer's body, where it is known. */
  #length = Number.NaN
  #hasBytes = false
  #isPaused = false
  /** The first 401, while the request waits to be sent again. */
  #dropped: DroppedAnswer | undefined
  /** Whether a byte went either way since the last look, and when one did as far as the looks tell. */
  #isActive = true
  #lastActive = 0

  /** `onEnd`: called once, when nothing of it is left. */
  constructor(
    parts: {
      readonly workload: Workload
      readonly judged: Judged
      readonly request: IncomingMessage
      readonly response: ServerResponse
      readonly upgrade: Upgrade | undefined
    },
    around: PassageDependencies,
    onEnd: () => void,
  ) {
    this.#workload = parts.workload
    this.#judged = parts.judged
    this.#request = parts.request
    this.#response = parts.response
    this.#upgrade = parts.upgrade
    this.#around = around
    this.#onEnd = onEnd
    around.running.add(this)
    // The caller has its answer, or hung up.
    parts.response.once('close', this.#end)
  }

  /** Sends the request with a token, or answers why there is none. */
  begin(bearer: Bearer | BrokerError): void {
    if (this.#isOver) return
    if (bearer instanceof BrokerError) {
      this.#refuse(bearer)
      return
    }
    this.#use(bearer)
    if (this.#isOver) return
    if (this.#judged.hasBody) this.#body = new RequestBody(this.#request, this.#touch)
    this.#send(bearer, this.#body ?? null)
  }

  onRequestStart(controller: Controller): void {
    if (this.#isOver) {
      controller.abort(ENDED)
      return
    }
    this.#controller = controller
    this.#isActive = true
  }

  onResponseStart(controller: Controller, status: number, headers: IncomingHttpHeaders): void {
    if (controller !== this.#controller || status < 200) return
    this.#isActive = true
    if (hasUnknownCoding(headers)) {
      this.#giveUp('upstream_unusable', 'transfer_coding')
      return
    }
    if (status === 401 && this.#canRepeat()) {
      this.#repeat(controller)
      return
    }
    this.#around.answers.count(this.#judged.route.name, status)
    this.#length = Number(headers['content-length'])
    this.#response.writeHead(status, headersOfAnswer(headers))
    // What comes with the head is written together with it; a stream whose first event is still to come shows its head.
    queueMicrotask(this.#flush)
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (controller !== this.#controller) {
      this.#dropped?.take(chunk)
      return
    }
    this.#isActive = true
    // All of it at once, as most are: head and body go out in one piece.
    if (!this.#hasBytes && chunk.length === this.#length) {
      this.#finish(chunk)
      return
    }
    this.#hasBytes = true
    if (this.#response.write(chunk)) return
    controller.pause()
    if (!this.#isPaused) this.#response.once('drain', this.#resume)
    this.#isPaused = true
  }

  onResponseEnd(controller: Controller): void {
    if (controller === this.#controller && !this.#isAnswered) this.#finish(undefined)
  }

  onResponseError(controller: Controller | undefined, error: Error): void {
    if (this.#isOver || (controller ?? this.#controller) !== this.#controller) return
    const { fault, reason } = faultOf(error)
    this.#giveUp(fault, reason)
  }

  onRequestUpgrade(
    controller: Controller,
    status: number,
    headers: IncomingHttpHeaders,
    upstream: Duplex,
  ): void {
    // Whoever asked may be gone by now.
    if (this.#isOver || controller !== this.#controller || !this.#upgrade) {
      upstream.destroy()
      return
    }
    const protocol = headers['upgrade']
    if (typeof protocol !== 'string' || protocol.toLowerCase() !== 'websocket') {
      upstream.destroy()
      this.#fail('upstream_unusable')
      return
    }
    this.#around.answers.count(this.#judged.route.name, status)
    const { socket, head } = this.#upgrade
    if (socket instanceof Socket) this.#response.detachSocket(socket)
    socket.once('close', this.#end)
    const fields = headersOfAnswer(headers)
    this.#tunnel = tunnel({ socket, head, upstream, fields, onBytes: this.#touch })
  }

  look(now: number): void {
    if (this.#isActive) {
      this.#isActive = false
      this.#lastActive = now
      return
    }
    const { name, timeoutMs, idleTimeoutMs } = this.#judged.route
    const reason = this.#lateness()
    if (now - this.#lastActive < (reason === 'idle_timeout' ? idleTimeoutMs : timeoutMs)) return
    this.#around.log.warn('a request of the proxy took too long', { route: name, reason })
    this.#fail('upstream_timeout')
  }

  /** What takes too long, when nothing moves any more. */
  #lateness(): 'timeout' | 'body_timeout' | 'idle_timeout' {
    if (this.#response.headersSent || this.#tunnel) return 'idle_timeout'
    // While the caller has still to send something, the upstream is not late. But whoever announces a body and sends none
    // would hold a place of the route for nothing.
    if (this.#body?.isDue !== true) return 'timeout'
    return this.#body.isBegun ? 'idle_timeout' : 'body_timeout'
  }

  #use(bearer: Bearer): void {
    this.#stopListening?.()
    this.#bearer = bearer
    const stop = bearer.whenEnded(() => {
      this.#fail('proxy_access_ended')
    })
    if (this.#isOver) stop()
    else this.#stopListening = stop
  }

  #send(bearer: Bearer, body: RequestBody | Buffer | null): void {
    const { route, method, path, headers } = this.#judged
    const { upstream } = route
    upstream.dispatcher().dispatch(
      {
        origin: upstream.origin,
        path,
        method,
        headers: [...headers, 'authorization', `Bearer ${bearer.token}`],
        body,
        ...(this.#upgrade && { upgrade: 'websocket' }),
      },
      this,
    )
  }

  #canRepeat(): boolean {
    const { clock } = this.#around
    if (this.#isRepeated || !this.#bearer) return false
    if (clock.monotonic() - this.#bearer.askedAt <= FRESH_MS) return false
    return this.#body === undefined || this.#body.whole() !== undefined
  }

  #repeat(controller: Controller): void {
    this.#isRepeated = true
    // From now on nothing of the first answer counts.
    this.#controller = undefined
    this.#dropped = new DroppedAnswer(controller)
    const rejected = this.#bearer
    if (!rejected) return
    const { wish } = this.#judged.route
    void this.#around.bearers
      .instead(this.#workload, wish, this.#judged.behalf, rejected)
      .catch((error: unknown) => {
        this.#around.log.error('a request of the proxy failed', causeOf(error))
        return new BrokerError('unexpected')
      })
      .then((bearer) => {
        this.#again(bearer)
      })
  }

  #again(bearer: Bearer | BrokerError): void {
    if (this.#isOver) return
    if (bearer instanceof BrokerError) {
      this.#refuse(bearer)
      return
    }
    this.#isActive = true
    this.#dropped?.end()
    this.#use(bearer)
    if (!this.#isOver) this.#send(bearer, this.#body?.whole() ?? null)
  }

  #finish(chunk: Buffer | undefined): void {
    this.#isAnswered = true
    // The upstream may not have waited for all of the body.
    if (this.#body) this.#around.answers.drain(this.#request)
    this.#response.end(chunk)
  }

  #giveUp(fault: UpstreamFault, reason: string): void {
    this.#around.log.warn('an upstream of the proxy gave no usable answer', {
      route: this.#judged.route.name,
      reason,
    })
    this.#fail(fault)
  }

  #fail(code: UpstreamFault | 'upstream_timeout' | 'proxy_access_ended'): void {
    if (this.#isOver) return
    if (this.#response.headersSent || this.#tunnel) this.#breakOff()
    else this.#refuse(new BrokerError(code))
  }

  /** Ends the connection in the middle of an answer, so that nobody takes it for a whole one. */
  #breakOff(): void {
    this.#end()
    const { socket } = this.#request
    // A body of HTTP/1.0 ends with its connection: only a reset tells that this is not its end.
    if (this.#request.httpVersionMinor === 0 && socket.remoteAddress !== undefined) {
      socket.resetAndDestroy()
    } else socket.destroy()
  }

  #refuse(error: BrokerError): void {
    if (this.#isOver) return
    this.#end()
    const { answers, log } = this.#around
    const { name } = this.#judged.route
    const isFaulty = isOfRoute(error)
    if (isFaulty) {
      log.warn('the authority does not allow what a route of the proxy asks for', {
        route: name,
        error: error.error,
      })
    }
    const refusal = isFaulty ? new BrokerError('proxy_route_refused') : error
    answers.refuse(this.#request, this.#response, name, refusal)
  }

  readonly #touch = (): void => {
    this.#isActive = true
  }

  readonly #flush = (): void => {
    if (!this.#isOver && !this.#hasBytes && !this.#isAnswered) this.#response.flushHeaders()
  }

  readonly #resume = (): void => {
    this.#isPaused = false
    this.#isActive = true
    this.#controller?.resume()
  }

  /** Lets go of everything; the upstream's part is aborted where it has not ended. */
  readonly #end = (): void => {
    if (this.#isOver) return
    this.#isOver = true
    this.#around.running.remove(this)
    this.#stopListening?.()
    this.#dropped?.end()
    if (!this.#isAnswered) this.#controller?.abort(ENDED)
    this.#tunnel?.destroy()
    this.#onEnd()
  }
}
