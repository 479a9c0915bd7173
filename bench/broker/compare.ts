import { median } from '../median.ts'
import { wrk } from '../wrk.ts'
import { cpuSecondsOf, watchOthers } from './process_figures.ts'
import { LOAD_CORE, SERVER_CORE } from './settings.ts'
import type { Target } from './world.ts'

/** What is asked of both sides. */
export interface Asking {
  readonly query: string
  readonly headers: readonly string[]
  /** A program for wrk that says what is sent instead. */
  readonly script?: string
}

export interface Side {
  readonly perSecond: number
  readonly p99Ms: number
  /** Microseconds of the server's processor time for a request. */
  readonly cpuMicroseconds: number
  /** Share of the server's core that others took. */
  readonly others: number
}

export interface Comparison {
  /** Requests a second of the broker beside those of the bare route. */
  readonly ratio: number
  readonly cpuRatio: number
  readonly broker: Side
  readonly bare: Side
}

/** Loads both in turn with wrk, each round in the reverse order of the one before. Medians. */
export async function compare(
  broker: Target,
  bare: Target,
  asking: Asking,
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<Comparison> {
  await load(bare, asking, 1)
  await load(broker, asking, 2)
  const all: { readonly broker: Side; readonly bare: Side }[] = []
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const first = await load(bare, asking, seconds)
      all.push({ bare: first, broker: await load(broker, asking, seconds) })
    } else {
      const first = await load(broker, asking, seconds)
      all.push({ broker: first, bare: await load(bare, asking, seconds) })
    }
  }
  const middle = (side: 'broker' | 'bare'): Side => ({
    perSecond: median(all.map((one) => one[side].perSecond)),
    p99Ms: median(all.map((one) => one[side].p99Ms)),
    cpuMicroseconds: median(all.map((one) => one[side].cpuMicroseconds)),
    others: median(all.map((one) => one[side].others)),
  })
  return {
    ratio: median(all.map(({ broker, bare }) => broker.perSecond / bare.perSecond)),
    cpuRatio: median(all.map(({ broker, bare }) => bare.cpuMicroseconds / broker.cpuMicroseconds)),
    broker: middle('broker'),
    bare: middle('bare'),
  }
}

/** One run of wrk. */
export async function load(
  { origin, pid }: Target,
  { query, headers, script }: Asking,
  seconds: number,
): Promise<Side> {
  const before = cpuSecondsOf(pid)
  const others = watchOthers(SERVER_CORE, pid)
  const { requestsPerSecond, p99Ms } = await wrk(`${origin}/v1/token${query}`, {
    seconds,
    core: LOAD_CORE,
    headers,
    ...(script !== undefined && { script }),
  })
  const cpuSeconds = cpuSecondsOf(pid) - before
  return {
    perSecond: requestsPerSecond,
    p99Ms,
    cpuMicroseconds: (cpuSeconds / (requestsPerSecond * seconds)) * 1e6,
    others: others(),
  }
}
