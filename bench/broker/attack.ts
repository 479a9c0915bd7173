import type { BadFigures, BadOrder } from '../load/bad_caller.ts'
import type { OpenLoopFigures } from '../load/open_loop.ts'
import { median } from '../median.ts'
import { pause } from './client.ts'
import { openLoop, runLoad } from './open_loop.ts'
import { showOthers, watchOthers } from './process_figures.ts'
import { SERVER_CORE } from './settings.ts'
import type { Target } from './world.ts'

const GOOD_PER_SECOND = 200
/** The bad ones begin before the measured time and end after it. */
const EARLY_SECONDS = 2
const LATE_SECONDS = 1

export interface Attack {
  readonly target: Target
  /** What the good caller asks for, and with which headers. */
  readonly path: string
  readonly headers: readonly string[]
  readonly badToken: string | undefined
  readonly seconds: number
  readonly rounds: number
  /** Different ones that the bad callers ask for in all rounds together. */
  readonly audiences: number
}

interface Round {
  readonly alone: OpenLoopFigures
  readonly amid: OpenLoopFigures
  readonly others: number
  readonly bad: BadFigures
}

export interface Outcome {
  /** p99 amid the abuse beside that alone. */
  readonly ratio: number
  /** Requests of the good caller that brought no token. */
  readonly failed: number
  readonly text: string
  readonly bad: BadFigures
}

/** A good caller alone, and while all the bad ones are at it, in turn. */
export async function attack(order: Attack): Promise<Outcome> {
  const { target, path, headers, seconds, rounds } = order
  const good = (): Promise<OpenLoopFigures> =>
    openLoop(target.origin + path, { headers, perSecond: GOOD_PER_SECOND, seconds })
  const all: Round[] = []
  await good()
  for (let round = 0; round < rounds; round++) {
    const alone = await good()
    const others = watchOthers(SERVER_CORE, target.pid)
    const bad = misbehave(order, round)
    await pause(EARLY_SECONDS)
    const amid = await good()
    all.push({ alone, amid, others: others(), bad: await bad })
  }
  const ratio = median(all.map(({ alone, amid }) => amid.p99 / alone.p99))
  const failed = all.reduce((sum, { alone, amid }) => sum + alone.failed + amid.failed, 0)
  const others = median(all.map((one) => one.others))
  return {
    ratio,
    failed,
    text: `${show(all, 'alone')}, ${show(all, 'amid')}${showOthers(others)}`,
    bad: summed(all.map(({ bad }) => bad)),
  }
}

function misbehave(
  { target, badToken, seconds, rounds, audiences }: Attack,
  run: number,
): Promise<BadFigures> {
  const order: BadOrder = {
    port: Number(new URL(target.origin).port),
    ownAddresses: badToken !== undefined,
    token: badToken,
    seconds: seconds + EARLY_SECONDS + LATE_SECONDS,
    audiences: audiences / rounds,
    run,
  }
  return runLoad<BadFigures>('bad_caller', order, { nice: 19 })
}

function show(all: readonly Round[], when: 'alone' | 'amid'): string {
  const middle = (member: 'p50' | 'p99' | 'worst' | 'lateP99'): string =>
    median(all.map((one) => one[when][member])).toFixed(2)
  return `${when === 'alone' ? 'alone' : 'amid abuse'} p50 ${middle('p50')} p99 ${middle('p99')} worst ${middle('worst')} ms (generator late p99 ${middle('lateP99')})`
}

function summed(all: readonly BadFigures[]): BadFigures {
  const sum: Record<string, Record<string, number>> = {}
  for (const [name, figures] of all.flatMap((one) => Object.entries(one))) {
    const known = (sum[name] ??= {})
    for (const [what, count] of Object.entries(figures)) known[what] = (known[what] ?? 0) + count
  }
  return sum
}
