import { BrokerError } from '../../../src/broker/errors.ts'
import {
  fileSink,
  type SinkSettings,
  type SinkToken,
  type SinkTokens,
} from '../../../src/broker/sink/file_sink.ts'
import { PrometheusMetrics } from '../../../src/ops/metrics.ts'
import type { Random } from '../../../src/platform/random.ts'
import { settled } from '../../fakes/broker.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { FakeLog } from '../../fakes/log.ts'
import { FakeWritableFiles } from '../../fakes/written_files.ts'

export const path = '/run/lumo/token'
/** The broker serves nothing from its cache that has less left. */
const FLOOR_SECONDS = 15

/** The tokens of a broker, as its cache and its authority give them. */
class FakeTokens implements SinkTokens {
  readonly #clock: FakeClock
  #held:
    { readonly accessToken: string; readonly wall: number; readonly monotonic: number } | undefined
  #opens: Promise<void> = Promise.resolve()
  #issued = 0
  #fails: BrokerError | Error | undefined
  lifetimeSeconds = 3_600
  /** What only a defect does. */
  throws = false
  /** How many exchanges were asked for. */
  asked = 0
  /** Opens what `slowDown` closed. */
  release = (): void => {}

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  fail(failure: BrokerError | Error): void {
    this.#fails = failure
  }

  recover(): void {
    this.#fails = undefined
  }

  slowDown(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#opens = promise
    this.release = resolve
  }

  /** The cache is emptied. */
  forget(): void {
    this.#held = undefined
  }

  /** Another caller, or the broker itself ahead of time, had a new token. */
  renew(): void {
    this.#issued += 1
    this.#held = {
      accessToken: `canary-${String(this.#issued)}`,
      wall: this.#clock.wall() + this.lifetimeSeconds * 1000,
      monotonic: this.#clock.monotonic() + this.lifetimeSeconds * 1000,
    }
  }

  current(): SinkToken | undefined {
    if (this.throws) throw new TypeError('canary')
    const token = this.#alive()
    return token && token.expiresIn >= FLOOR_SECONDS ? token : undefined
  }

  /** What another caller heard. */
  heard: BrokerError | undefined

  refusal(): BrokerError | undefined {
    return this.heard
  }

  async fetch(): Promise<SinkToken | BrokerError> {
    this.asked += 1
    await this.#opens
    if (!this.#fails) this.renew()
    if (this.#fails instanceof Error) throw this.#fails
    if (this.#fails && this.#fails.status < 500) this.forget()
    return this.#alive() ?? this.#fails ?? new BrokerError('authority_unavailable')
  }

  #alive(): SinkToken | undefined {
    if (!this.#held) return undefined
    const { accessToken, wall, monotonic } = this.#held
    const leftMs = Math.min(wall - this.#clock.wall(), monotonic - this.#clock.monotonic())
    const expiresIn = Math.floor(leftMs / 1000)
    return expiresIn > 0 ? { accessToken, scope: 'documents:read', expiresIn } : undefined
  }
}

interface Circumstances {
  readonly settings?: Partial<SinkSettings>
  readonly groups?: readonly number[]
  /** Of the random part of each pause, from 0 to 1. */
  readonly fraction?: number
}

/** A sink that is not begun, with all that a test may touch. */
export function keptFile({ settings = {}, groups = [], fraction = 1 }: Circumstances = {}) {
  const clock = new FakeClock()
  const tokens = new FakeTokens(clock)
  const files = new FakeWritableFiles(groups)
  const log = new FakeLog()
  const metrics = new PrometheusMetrics()
  const random: Random = {
    uuid: () => '',
    bytes: (count) => Buffer.alloc(count, Math.floor(fraction * 255)),
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000)
      await settled()
    }
  }
  return {
    clock,
    tokens,
    files,
    log,
    begin: async () => {
      const all = {
        file: path,
        format: 'token',
        mode: 0o600,
        group: undefined,
        ...settings,
      } as const
      const sink = fileSink(all, tokens, { clock, random, log, metrics, files })
      await settled()
      return sink
    },
    /** Lets so many seconds pass, and whatever they set off come to its end, second by second. */
    pass,
    /** The seconds, of so many from now on, in which a number grew. */
    seconds: async (many: number, numberNow: () => number | Promise<number>) => {
      const grew: number[] = []
      for (let second = 1; second <= many; second += 1) {
        const before = await numberNow()
        await pass(1)
        if ((await numberNow()) > before) grew.push(second)
      }
      return grew
    },
    /** The text of the file. */
    text: () => files.at(path)?.text,
    /** What was counted: written, failed, removed. */
    counted: async (): Promise<readonly [number, number, number]> => {
      const lines = (await metrics.text()).split('\n')
      const count = (outcome: string) => {
        const name = `lumo_sink_writes_total{outcome="${outcome}"} `
        return Number(lines.find((line) => line.startsWith(name))?.slice(name.length) ?? 0)
      }
      return [count('written'), count('failed'), count('removed')]
    },
  }
}
