import { HttpConnection, type Peer } from './connection.ts'

/** What this process is told, as JSON in its one argument. */
export interface OpenLoopOrder {
  readonly peer: Peer
  /** The request as it goes over the wire. */
  readonly request: string
  readonly perSecond: number
  readonly seconds: number
}

/** What it prints, as JSON. Milliseconds. */
export interface OpenLoopFigures {
  readonly sent: number
  /** Answered with something other than 200, or not at all. */
  readonly failed: number
  /** How often each status came; 0 stands for connections that ended instead. */
  readonly statuses: Readonly<Record<string, number>>
  readonly perSecond: number
  /** From the moment at which a request was due. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
  /** How late the generator itself was. */
  readonly lateP99: number
  /** Requests that waited for a connection. */
  readonly queued: number
}

const WARM_SECONDS = 1
const FIRST_CONNECTIONS = 16
/** Fewer than one network address may hold at a broker of a node. */
const MAX_CONNECTIONS = 100
const PATIENCE_MS = 5_000
/** Timers are late by up to a millisecond and more: the rest of a pause is spent turning. */
const TURNING_MS = 2

/**
 * Sends requests at fixed times, whatever becomes of those before, and counts the latency of each from the time at which it
 * was due: a server that stalls is charged for all that it kept waiting (coordinated omission).
 */
class OpenLoop {
  readonly #order: OpenLoopOrder
  readonly #request: Buffer
  readonly #free: HttpConnection[] = []
  readonly #waiting: number[] = []
  readonly #latencies: number[] = []
  readonly #lateness: number[] = []
  #open = 0
  readonly #statuses: Record<string, number> = {}
  #failed = 0
  #queued = 0
  #countFrom = 0

  constructor(order: OpenLoopOrder) {
    this.#order = order
    this.#request = Buffer.from(order.request, 'latin1')
  }

  async run(): Promise<OpenLoopFigures> {
    const { perSecond, seconds } = this.#order
    for (let count = 0; count < FIRST_CONNECTIONS; count++) this.#free.push(this.#connect())
    await new Promise((resolve) => setTimeout(resolve, 200))
    const begunAt = performance.now()
    this.#countFrom = begunAt + WARM_SECONDS * 1000
    const total = Math.round(perSecond * (seconds + WARM_SECONDS))
    await this.#sendAll(begunAt, 1000 / perSecond, total)
    const counted = total - Math.round(perSecond * WARM_SECONDS)
    const lasted = (performance.now() - this.#countFrom) / 1000
    await this.#settle(counted)
    const missing = counted - this.#latencies.length - this.#failed
    const at = quantiles(this.#latencies)
    return {
      sent: counted,
      failed: this.#failed + Math.max(0, missing),
      statuses: this.#statuses,
      perSecond: counted / lasted,
      p50: at(0.5),
      p99: at(0.99),
      worst: at(1),
      lateP99: quantiles(this.#lateness)(0.99),
      queued: this.#queued,
    }
  }

  #sendAll(begunAt: number, gap: number, total: number): Promise<void> {
    return new Promise((resolve) => {
      let sent = 0
      const turn = (): void => {
        const now = performance.now()
        for (; sent < total && begunAt + sent * gap <= now; sent++) this.#send(begunAt + sent * gap)
        if (sent === total) {
          resolve()
          return
        }
        const pause = begunAt + sent * gap - performance.now()
        if (pause > TURNING_MS) setTimeout(turn, pause - TURNING_MS)
        else setImmediate(turn)
      }
      turn()
    })
  }

  #send(scheduledAt: number): void {
    if (scheduledAt >= this.#countFrom) this.#lateness.push(performance.now() - scheduledAt)
    const connection = this.#next()
    if (connection) {
      connection.send(this.#request, scheduledAt)
      return
    }
    this.#queued += 1
    this.#waiting.push(scheduledAt)
  }

  #next(): HttpConnection | undefined {
    // In turn: a server ends connections on which nothing is asked.
    for (let one = this.#free.shift(); one; one = this.#free.shift()) {
      if (one.isOpen) return one
      this.#open -= 1
    }
    return this.#open < MAX_CONNECTIONS ? this.#connect() : undefined
  }

  #connect(): HttpConnection {
    this.#open += 1
    return new HttpConnection(this.#order.peer, (connection, status) => {
      const { scheduledAt } = connection
      if (scheduledAt >= this.#countFrom) {
        this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
        if (status === 200) this.#latencies.push(performance.now() - scheduledAt)
        else this.#failed += 1
      }
      this.#reuse(connection)
    })
  }

  #reuse(connection: HttpConnection): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) {
      this.#free.push(connection)
      return
    }
    if (connection.isOpen) {
      connection.send(this.#request, waiting)
      return
    }
    this.#open -= 1
    this.#connect().send(this.#request, waiting)
  }

  /** Waits for the answers that are still on their way. */
  async #settle(counted: number): Promise<void> {
    const endsAt = performance.now() + PATIENCE_MS
    while (this.#latencies.length + this.#failed < counted && performance.now() < endsAt) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

function quantiles(figures: readonly number[]): (share: number) => number {
  const sorted = Float64Array.from(figures).sort()
  return (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

const order = JSON.parse(process.argv[2] ?? '') as OpenLoopOrder
process.stdout.write(`${JSON.stringify(await new OpenLoop(order).run())}\n`, () => process.exit(0))
