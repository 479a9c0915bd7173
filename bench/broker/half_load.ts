import type { OpenLoopFigures } from '../load/open_loop.ts'
import { median } from '../median.ts'
import { load } from './compare.ts'
import { openLoop } from './open_loop.ts'
import { showOthers, watchOthers } from './process_figures.ts'
import type { Report } from './report.ts'
import { SERVER_CORE, type Settings } from './settings.ts'
import { brokerAndBare, GUARD, QUERY } from './throughput.ts'
import type { Target, World } from './world.ts'

const MARK = 2
/** The generator is the limit where it is late itself by more than this share of what it measures. */
const LATE_SHARE = 0.25

/** p99 at half of what the bare route can do, sent at fixed times, beside the bare route under the same load. */
export async function halfLoad(world: World, report: Report, settings: Settings): Promise<void> {
  const bearer = `Authorization: Bearer ${await world.pods.token(2)}`
  for (const [shape, headers, byDefault] of [
    ['sidecar', [GUARD], 5],
    ['node', [GUARD, bearer], 3],
  ] as const) {
    const { broker, bare } = await brokerAndBare(
      world,
      { shape, tls: false },
      { query: QUERY, headers },
    )
    const perSecond = await halfOf(bare, broker, headers)
    const pace = { perSecond, seconds: settings.seconds ?? 2, rounds: settings.rounds ?? byDefault }
    tell(shape, await rounds(broker, bare, { ...pace, headers }), perSecond, report)
    await broker.stop()
    await bare.stop()
  }
}

/** Half of what the bare route can do, the server core being its own. Warms both up. */
async function halfOf(bare: Target, broker: Target, headers: readonly string[]): Promise<number> {
  const capacities: number[] = []
  for (let round = 0; round < 3; round++) {
    await load(broker, { query: QUERY, headers }, 1)
    capacities.push((await load(bare, { query: QUERY, headers }, 1)).perSecond)
  }
  return Math.round(median(capacities) / 2)
}

interface Figures extends OpenLoopFigures {
  /** Share of the server's core that others took. */
  readonly others: number
}

interface Round {
  readonly broker: Figures
  readonly bare: Figures
}

interface Pace {
  readonly headers: readonly string[]
  readonly perSecond: number
  readonly seconds: number
  readonly rounds: number
}

async function rounds(
  broker: Target,
  bare: Target,
  { headers, perSecond, seconds, rounds: count }: Pace,
): Promise<readonly Round[]> {
  const run = async ({ origin, pid }: Target): Promise<Figures> => {
    const others = watchOthers(SERVER_CORE, pid)
    const figures = await openLoop(`${origin}/v1/token${QUERY}`, { headers, perSecond, seconds })
    return { ...figures, others: others() }
  }
  const all: Round[] = []
  for (let round = 0; round < count; round++) {
    if (round % 2 === 0) {
      const first = await run(bare)
      all.push({ bare: first, broker: await run(broker) })
    } else {
      const first = await run(broker)
      all.push({ broker: first, bare: await run(bare) })
    }
  }
  return all
}

function tell(shape: string, all: readonly Round[], perSecond: number, report: Report): void {
  const middle = (side: keyof Round, member: Exclude<keyof Figures, 'statuses'>): number =>
    median(all.map((one) => one[side][member]))
  const show = (side: keyof Round): string =>
    `${side} p50 ${middle(side, 'p50').toFixed(2)} p99 ${middle(side, 'p99').toFixed(2)} ms (generator late p99 ${middle(side, 'lateP99').toFixed(2)})`
  const ratio = median(all.map(({ broker, bare }) => broker.p99 / bare.p99))
  const verdict = report.atMost(`p99 at half load, ${shape}`, ratio, MARK)
  const others = Math.max(middle('broker', 'others'), middle('bare', 'others'))
  report.line(
    `${shape.padEnd(22)} at ${String(perSecond)}/s: ${show('broker')}, ${show('bare')}   p99 ratio ${verdict}${showOthers(others)}`,
  )
  const failed = all.reduce((sum, { broker, bare }) => sum + broker.failed + bare.failed, 0)
  if (failed > 0) {
    const statuses = all.flatMap(({ broker, bare }) => [broker.statuses, bare.statuses])
    report.line(`  ${String(failed)} requests failed, of ${JSON.stringify(statuses)}`)
  }
  for (const side of ['broker', 'bare'] as const) {
    if (middle(side, 'lateP99') > middle(side, 'p99') * LATE_SHARE) {
      report.line(`  the generator was the limit of what was measured of the ${side} side`)
    }
  }
}
